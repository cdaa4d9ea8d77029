package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgvigil/pgvigil/fixtures"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// stopping ends the shared servers after the tests, before the process exits.
type stopping struct{ m *testing.M }

func (s stopping) Run() int {
	defer pgtest.Stop()
	return s.m.Run()
}

func TestMain(m *testing.M) {
	testscript.Main(stopping{m}, map[string]func(){"pgvigil": func() { os.Exit(run()) }})
}

// TestScripts is the specification of the command line: each file of
// testdata/script is a session of a user. $PG is an empty database of a server
// with pg_stat_statements ($PG_NOTHING: as a role without rights), $PG_BARE one of
// a server without ($PG_LOCKED: as a role that needs a password), $PG_WORLD has a
// small CI world; each as libpq takes it. $PG_HISTORY is an empty database for a
// history.
func TestScripts(t *testing.T) {
	plain := pgtest.Server(t, 15)
	bare := pgtest.Own(t, 18, pgserver.Options{
		Settings: map[string]string{"shared_preload_libraries": ""}, HBA: "local all locked scram-sha-256\nlocal all all trust\n",
	})
	pgtest.Exec(t, bare.DSN("postgres"), "CREATE ROLE locked LOGIN PASSWORD 'right'")
	pgtest.Exec(t, plain.DSN("postgres"), "CREATE ROLE nothing LOGIN; CREATE ROLE sleeper")
	world := pgtest.Database(t, plain)
	if err := fixtures.Load(context.Background(), world, fixtures.World{Scale: 0.01, Seed: 1}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, world, "CREATE EXTENSION hypopg")
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"waitfor": waitFor, "empty": empty, "exits": exits, "unprivileged": unprivileged, "damage": damage},
		Setup: func(env *testscript.Env) error {
			store := pgtest.Database(env.T().(testing.TB), plain)
			fresh, without := pgtest.Database(env.T().(testing.TB), plain), pgtest.Database(env.T().(testing.TB), bare)
			pgtest.Exec(env.T().(testing.TB), fresh, "CREATE EXTENSION pg_stat_statements")
			// Servers of the demo run as another user when the tests run as root.
			scratch := filepath.Join(env.WorkDir, "tmp")
			if err := errors.Join(os.Chmod(filepath.Dir(env.WorkDir), 0o755), os.Chmod(env.WorkDir, 0o755), os.MkdirAll(scratch, 0o777), os.Chmod(scratch, 0o777)); err != nil {
				return err
			}
			env.Setenv("TMPDIR", scratch)
			pgtest.Exec(env.T().(testing.TB), without, "CREATE EXTENSION pg_stat_statements") // and not preloaded
			env.Setenv("PG", fresh)
			env.Setenv("PG_TCP", plain.TCPDSN(strings.Trim(fresh[strings.LastIndex(fresh, "=")+1:], "'")))
			env.Setenv("PG_BARE", without)
			env.Setenv("PG_LOCKED", strings.Replace(without, "user=postgres", "user=locked", 1))
			env.Setenv("PG_HISTORY", store)
			env.Setenv("PG_WORLD_NOTHING", strings.Replace(world, "user=postgres", "user=nothing", 1))
			env.Setenv("PG_NOTHING", strings.Replace(fresh, "user=postgres", "user=nothing", 1))
			env.Setenv("PG_WORLD", world)
			env.Setenv("PG_SOCKET", plain.Dir)
			env.Setenv("PG_PORT", fmt.Sprint(plain.Port))
			env.Setenv("PGVIGIL_PG_BIN", os.Getenv("PGVIGIL_PG_BIN"))
			return os.WriteFile(filepath.Join(env.WorkDir, "pgvigil.yaml"), []byte(configFor(fresh)), 0o644)
		},
	})
}

// exits is the script command "exits CODE PROGRAM ...": it runs a program and
// fails unless it ends with that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("run %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("%s exits with %d; want %d", strings.Join(args[1:], " "), got, want)
	}
}

// unprivileged is the script command "unprivileged CODE ARGUMENT ...": it runs
// pgvigil as a user whom the rights of files bind, and fails unless it ends with
// that exit code.
func unprivileged(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	self, err := os.Executable()
	ts.Check(err)
	program, err := os.Open(self) // the folders above it may be closed to that user
	ts.Check(err)
	defer program.Close()
	cmd := &exec.Cmd{
		Path: "/proc/self/fd/3", Args: append([]string{"pgvigil"}, args[1:]...), Dir: ts.MkAbs("."),
		Env: append(os.Environ(), "HOME="+ts.MkAbs("."), "PGSSLMODE=disable"), ExtraFiles: []*os.File{program},
		Stdout: ts.Stdout(), Stderr: ts.Stderr(), SysProcAttr: &syscall.SysProcAttr{},
	}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		ts.Fatalf("run pgvigil: %v", err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("pgvigil %s exits with %d; want %d", strings.Join(args[1:], " "), got, want)
	}
}

// damage is the script command "damage FILE BYTES|at OFFSET": it cuts a file to
// a number of bytes, or overwrites the block that begins at an offset.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	if args[1] != "at" {
		size, err := strconv.ParseInt(args[1], 10, 64)
		ts.Check(err)
		ts.Check(os.Truncate(path, size))
		return
	}
	at, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteAt(bytes.Repeat([]byte("damage"), 1<<10), at)
	ts.Check(errors.Join(err, f.Close()))
}

// empty is the script command "empty DIR": it fails unless DIR holds nothing.
func empty(ts *testscript.TestScript, _ bool, args []string) {
	left, err := os.ReadDir(ts.MkAbs(args[0]))
	if err != nil || len(left) > 0 {
		ts.Fatalf("%s holds %v, %v", args[0], left, err)
	}
}

// waitFor is the script command "waitfor PATTERN": it waits until a file is there.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if found, err := filepath.Glob(ts.MkAbs(args[0])); err == nil && len(found) > 0 {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("%s did not come", args[0])
		case <-tick.C:
		}
	}
}

// configFor names the empty database as the only target.
func configFor(dsn string) string {
	name := strings.Trim(dsn[strings.LastIndex(dsn, "=")+1:], "'")
	return fmt.Sprintf(`version: 1
history:
  path: history.duckdb
targets:
  ci:
    dsn: %q
    databases:
      include: [%q]
    schedule:
      every: 1s
      jitter: 0s
    labels: {owner: ci-platform}
log:
  level: warn
`, dsn, name)
}
