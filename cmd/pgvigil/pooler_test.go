package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// pooled puts a real PgBouncer before a server and returns the address of its
// database postgres, or skips the test where there is none; with
// PGVIGIL_TEST_REQUIRED=1 it fails instead.
func pooled(t *testing.T, s *pgserver.Server, settings string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if os.Getenv("PGVIGIL_TEST_REQUIRED") == "1" {
			t.Fatalf("start a pooler: %v (Debian: apt-get install pgbouncer)", err)
		}
		t.Skipf("start a pooler: %v (Debian: apt-get install pgbouncer)", err)
	}
	port := freePort(t)
	conf := filepath.Join(s.Dir, fmt.Sprintf("pgbouncer-%d.ini", port)) // where its user can read it
	text := fmt.Sprintf("[databases]\npostgres = host=%s port=%d user=postgres dbname=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\n"+
		"unix_socket_dir =\nauth_type = any\npool_mode = transaction\n%s\n", s.Dir, s.Port, port, settings)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{conf}
	if os.Geteuid() == 0 {
		args = []string{"-u", "postgres", conf}
	}
	var log bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	dsn := fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable", port)
	listens(t, dsn, &log)
	return dsn
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// listens waits until the pooler lets a plain client through.
func listens(t *testing.T, dsn string, log *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			_ = conn.Close(ctx) // it let us in
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the pooler lets nobody in: %v; it says %s", err, log.String())
		case <-tick.C:
		}
	}
}

// TestDoctorBehindAPooler: one that refuses what a session begins with, and one
// that swallows it.
func TestDoctorBehindAPooler(t *testing.T) {
	s := pgtest.Server(t, 15)
	swallows := "ignore_startup_parameters = search_path, default_transaction_read_only, datestyle, intervalstyle, timezone, extra_float_digits, bytea_output, client_encoding"
	for name, tt := range map[string]struct{ settings, says string }{
		"that refuses":  {"", "refuses the session's settings"},
		"that swallows": {swallows, "drops the session's settings"},
	} {
		t.Run(name, func(t *testing.T) {
			o := doctorOptions{dsn: pooled(t, s, tt.settings)}
			err := o.run(t.Context(), &ui{out: &bytes.Buffer{}, err: &bytes.Buffer{}})
			if err == nil || errors.Is(err, errFound) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("doctor = %v; want that it could not tell, because a pooler %s", err, tt.says)
			}
			if advice := pgvigil.Advice(err); !strings.Contains(advice, "address of Postgres itself") || !strings.Contains(advice, poolerCatches) {
				t.Errorf("advice = %q; want the way out and the catches", advice)
			}
		})
	}
}
