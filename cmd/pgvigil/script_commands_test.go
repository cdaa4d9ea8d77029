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
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server/client"
	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
)

// scriptCommands are what the scripts can do beside running pgvigil.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"waitfor": waitFor, "empty": empty, "exits": exits, "works": works, "unprivileged": unprivileged, "damage": damage, "sql": sql, "convict": convict, "typo": typo, "waitpasses": waitPasses,
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

// works is the script command "works PROGRAM ...": it runs a program and fails if
// that could not do its work; a judge may have found something.
func works(ts *testscript.TestScript, _ bool, args []string) {
	var ended *exec.ExitError
	if err := ts.Exec(args[0], args[1:]...); err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 1) {
		ts.Fatalf("%s: %v", strings.Join(args, " "), err)
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

// waitPasses is the script command "waitpasses HISTORY N": it waits until the
// service of a history has recorded that many passes.
func waitPasses(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	service, err := client.Dial(ctx, ts.MkAbs(args[0])+".sock")
	ts.Check(err)
	defer service.Close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := service.CheckHistory(ctx)
		ts.Check(err)
		if c.Passes >= want {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("%d passes; want %d", c.Passes, want)
		case <-tick.C:
		}
	}
}

// typo is the script command "typo FROM TO": it copies a configuration and adds a
// pattern that selects no database.
func typo(ts *testscript.TestScript, _ bool, args []string) {
	content := strings.Replace(ts.ReadFile(args[0]), "include: [", "include: ['gitlabhq_*', ", 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(content), 0o600))
}

// sql is the script command "sql DSN STATEMENT": it runs a statement.
func sql(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, args[0])
	ts.Check(err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, args[1], pgx.QueryExecModeSimpleProtocol)
	ts.Check(err)
}

// convict is the script command "convict HISTORY PATTERN": it opens an alert on
// the query of the history whose text has the pattern, as the detector would
// after enough passes. It is of the kind that heals when an index is dropped,
// which a replay of the few passes here cannot know better.
func convict(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	h, err := duckdb.Open(ctx, ts.MkAbs(args[0]), duckdb.Options{})
	ts.Check(err)
	alert, err := alertOn(ctx, h, args[1])
	if err == nil {
		err = h.SaveAlert(ctx, &alert)
	}
	ts.Check(errors.Join(err, h.Close()))
}

func alertOn(ctx context.Context, h store.History, pattern string) (pgvigil.Alert, error) {
	servers, err := h.Servers(ctx)
	if err != nil {
		return pgvigil.Alert{}, err
	}
	on := latest(servers)
	loads, err := h.Loads(ctx, on.ID, pgvigil.Window{}, 1000)
	if err != nil {
		return pgvigil.Alert{}, err
	}
	queries, err := h.Queries(ctx, fingerprints(loads))
	if err != nil {
		return pgvigil.Alert{}, err
	}
	for _, l := range loads {
		q := queries[l.Series.Fingerprint]
		if !strings.Contains(q.Text, pattern) {
			continue
		}
		at := on.LastSeen
		return pgvigil.Alert{
			Target: on.Server.Target, State: pgvigil.Open, Severity: pgvigil.Ticket, Query: q, Opened: at, Updated: at,
			Verdict: pgvigil.Regression{
				Kind: pgvigil.KindRegression, Series: l.Series, Onset: at, Detected: at, Factor: 12, Cause: pgvigil.CauseBloat, CauseDetail: pgvigil.DetailHOTLost,
				Before: pgvigil.Profile{MS: 1, Blocks: 8}, After: pgvigil.Profile{MS: 12, Blocks: 900, CallsPerHour: 60}, Rule: "12 times the baseline",
			},
			History: []pgvigil.AlertStep{{At: at, State: pgvigil.Open, Reason: "12 times the baseline", By: "pgvigil"}},
		}, nil
	}
	return pgvigil.Alert{}, fmt.Errorf("no query of the history has %q", pattern)
}
