package pgserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv("PGVIGIL_TEST_ORPHAN") != "" {
		orphan()
		return
	}
	pgtest.Main(m)
}

// orphan is the life of a process that starts a server and is killed: it says
// where the server is, and waits.
func orphan() {
	in, err := pgserver.Find(context.Background(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := pgserver.Start(context.Background(), in, pgserver.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Dir)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it, should it not kill us
	_ = s.Stop()
}

func TestAServerStopsWhenItsProcessIsKilled(t *testing.T) {
	if _, err := pgserver.Find(context.Background(), 0); err != nil {
		pgtest.Server(t, pgtest.Majors[0]) // skips, or fails where servers are required
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PGVIGIL_TEST_ORPHAN=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	dir := strings.TrimSpace(line)
	running := filepath.Join(dir, "data", "postmaster.pid")
	if _, err := os.Stat(running); err != nil {
		t.Fatalf("the process said %q: %v; want the directory of a running server", dir, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); ; {
		if _, err := os.Stat(running); errors.Is(err, fs.ErrNotExist) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the server in %s outlives its process", dir)
		}
	}
}

func TestOtherUsersStayOutside(t *testing.T) {
	s := pgtest.Own(t, 18, pgserver.Options{})
	for path, want := range map[string]fs.FileMode{
		s.Dir: 0o700, filepath.Join(s.Dir, ".s.PGSQL."+strconv.Itoa(s.Port)): 0o700, filepath.Join(s.Dir, "log"): 0o600,
	} {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := st.Mode().Perm(); got != want {
			t.Errorf("mode of %s = %o; want %o", path, got, want)
		}
	}
}

func TestAnInstallThatCannotBeWatchedIsNotTaken(t *testing.T) {
	for name, fake := range map[string]struct {
		version    string
		extensions []string
	}{
		"too old":                    {"13.22", []string{"hypopg", "pg_stat_statements"}},
		"too new":                    {"99.1", []string{"hypopg", "pg_stat_statements"}},
		"without pg_stat_statements": {"18.9", []string{"hypopg"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			bin, share := filepath.Join(root, "bin"), filepath.Join(root, "share", "extension")
			if err := errors.Join(os.MkdirAll(bin, 0o755), os.MkdirAll(share, 0o755),
				os.WriteFile(filepath.Join(bin, "postgres"), []byte("#!/bin/sh\necho 'postgres (PostgreSQL) "+fake.version+"'\n"), 0o755),
				os.WriteFile(filepath.Join(bin, "initdb"), nil, 0o755)); err != nil {
				t.Fatal(err)
			}
			for _, x := range fake.extensions {
				if err := os.WriteFile(filepath.Join(share, x+".control"), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PGVIGIL_PG_BIN", bin)
			in, err := pgserver.Find(context.Background(), 0)
			if err != nil && !errors.Is(err, pgserver.ErrNotFound) || in.Bin == bin {
				t.Errorf("Find(0) = %+v, %v; want another install, or none", in, err)
			}
		})
	}
}

func TestServersOfEveryVersionCountStatements(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pgstattuple")
		var n int
		conn := pgtest.Connect(t, dsn)
		if err := conn.QueryRow(context.Background(), "SELECT count(*) FROM pg_stat_statements").Scan(&n); err != nil || n == 0 {
			t.Errorf("pg_stat_statements has %d rows, %v; want some", n, err)
		}
	})
}

func TestStopLeavesNothing(t *testing.T) {
	s := pgtest.Own(t, 18, pgserver.Options{})
	pid := s.PID()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("directory %s: %v; want it gone", s.Dir, err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("postmaster %d: %v; want it gone", pid, err)
	}
}

func TestHaltKeepsTheData(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{
		"fast": syscall.SIGINT, "immediate": syscall.SIGQUIT, "killed": syscall.SIGKILL,
	} {
		t.Run(name, func(t *testing.T) {
			s := pgtest.Own(t, 15, pgserver.Options{})
			pgtest.Exec(t, s.DSN("postgres"), "CREATE TABLE kept AS SELECT 1 AS n")
			if err := s.Halt(sig); err != nil {
				t.Fatal(err)
			}
			if err := s.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			conn, err := pgx.Connect(context.Background(), s.DSN("postgres"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			var n int
			if err := conn.QueryRow(context.Background(), "SELECT n FROM kept").Scan(&n); err != nil || n != 1 {
				t.Errorf("kept row = %d, %v; want 1", n, err)
			}
		})
	}
}

func TestMissingVersionSaysWhatToDo(t *testing.T) {
	_, err := pgserver.Find(context.Background(), 9)
	if !errors.Is(err, pgserver.ErrNotFound) || !strings.Contains(pgvigil.Advice(err), "PGVIGIL_PG_BIN") {
		t.Errorf("Find(9) = %v with advice %q; want ErrNotFound and the way to mend it", err, pgvigil.Advice(err))
	}
}
