package pgserver_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

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
