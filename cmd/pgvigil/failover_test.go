package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// standbyOf makes a physical standby of a primary and runs it.
func standbyOf(t *testing.T, primary *pgserver.Server) *pgserver.Server {
	t.Helper()
	s := pgtest.Own(t, primary.Install.Major, pgserver.Options{})
	if err := s.Halt(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	owner, err := os.Stat(s.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.DataDir()); err != nil {
		t.Fatal(err)
	}
	backup := exec.Command(filepath.Join(primary.Install.Bin, "pg_basebackup"), "-D", s.DataDir(), "-R", "-c", "fast",
		"-d", fmt.Sprintf("host=%s port=%d user=postgres", primary.Dir, primary.Port))
	if out, err := backup.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v: %s", err, out)
	}
	auto, err := os.OpenFile(filepath.Join(s.DataDir(), "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(auto, "port = %d\nunix_socket_directories = '%s'\n", s.Port, s.Dir); err != nil {
		t.Fatal(err)
	}
	if err := auto.Close(); err != nil {
		t.Fatal(err)
	}
	own(t, s.DataDir(), owner)
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// own gives a tree to the owner of another file.
func own(t *testing.T, dir string, like fs.FileInfo) {
	t.Helper()
	id := like.Sys().(*syscall.Stat_t)
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(id.Uid), int(id.Gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lead has the address that is watched lead to a server.
func (w *watched) lead(s *pgserver.Server) {
	w.server = s
	w.target.DSN = pgvigil.Secret(s.DSN("postgres"))
}

// TestAProxyThatAlternates between a primary and its standby, which have system
// identifier and timeline in common: calls of one are never counted as calls of
// the other, and what one did in two passes in a row is counted.
func TestAProxyThatAlternates(t *testing.T) {
	primary, _, w := replicated(t)
	standby := w.server
	const table = "probe"
	want := 0.0
	for i, to := range []*pgserver.Server{primary, standby, primary, primary, standby, standby, primary, standby} {
		same := w.server == to && i > 0
		w.lead(primary)
		w.call(table, 10*(i+1))
		w.lead(standby)
		w.call(table, 3*(i+1))
		w.lead(to)
		if r := w.pass(); !same && len(r.Points) > 0 {
			t.Errorf("pass %d is the first on its server, and has %d points", i, len(r.Points))
		}
		if same {
			want += map[bool]float64{true: 10, false: 3}[to == primary] * float64(i+1)
		}
		if got := w.counted(table); got != want {
			t.Errorf("after pass %d: %v calls; want %v", i, got, want)
		}
	}
	w.healthy()
}

// TestAFailover counts what the standby did since it was watched, across its
// promotion, and nothing of what the primary did.
func TestAFailover(t *testing.T) {
	primary, standby, w := replicated(t)
	const table = "probe"
	w.lead(primary)
	w.call(table, 100)
	w.pass()
	w.lead(standby)
	w.call(table, 30)
	w.pass()
	if err := primary.Halt(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, standby.DSN("postgres"), "SELECT pg_promote()")
	w.until("NOT pg_is_in_recovery()")
	w.call(table, 4)
	r := w.pass()
	if got := w.counted(table); got != 4 {
		t.Errorf("%v calls; want the 4 since the standby was first watched", got)
	}
	roles := 0
	for _, e := range r.Events {
		if e.Kind == pgvigil.EventRoleChanged && e.Before == "standby" && e.After == "primary" {
			roles++
		}
	}
	if roles != 1 {
		t.Errorf("events of the promotion: %+v; want one change of role", r.Events)
	}
	w.healthy()
}

// replicated is a primary with a standby, which is watched.
func replicated(t *testing.T) (primary, standby *pgserver.Server, w *watched) {
	t.Helper()
	primary = pgtest.Own(t, 15, pgserver.Options{})
	pgtest.Exec(t, primary.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE TABLE probe (id int, v int); INSERT INTO probe VALUES (1, 1)")
	standby = standbyOf(t, primary)
	w = watch(t, standby)
	w.until("true")
	return primary, standby, w
}
