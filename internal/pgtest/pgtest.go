// Package pgtest gives tests a real Postgres of every supported version and a
// fresh database each. A package that uses it has
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
// A server that is not on the machine skips its tests, unless
// PGVIGIL_TEST_REQUIRED=1 (as in CI), where it fails them.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil/internal/pgserver"
)

// Majors are the supported major versions, oldest first.
var Majors = []int{14, 15, 16, 17, 18}

// Main runs the tests of a package and stops the servers that they started.
func Main(m *testing.M) {
	code := m.Run()
	Stop()
	os.Exit(code)
}

var (
	mu      sync.Mutex
	servers = map[int]*pgserver.Server{}
	serial  atomic.Int64
)

// Each runs f as a subtest against every supported version.
// PGVIGIL_TEST_MAJORS=15,18 narrows it while developing.
func Each(t *testing.T, f func(t *testing.T, s *pgserver.Server)) {
	t.Helper()
	run(t, Majors, f)
}

// Ends runs f against the oldest and the newest version, for what does not
// depend on the version; PGVIGIL_TEST_ALL=1 (make test-all) makes it Each.
func Ends(t *testing.T, f func(t *testing.T, s *pgserver.Server)) {
	t.Helper()
	if os.Getenv("PGVIGIL_TEST_ALL") == "1" {
		run(t, Majors, f)
		return
	}
	run(t, []int{Majors[0], Majors[len(Majors)-1]}, f)
}

func run(t *testing.T, majors []int, f func(t *testing.T, s *pgserver.Server)) {
	t.Helper()
	for _, major := range majors {
		t.Run("pg"+strconv.Itoa(major), func(t *testing.T) {
			if !wanted(major) {
				t.Skipf("PGVIGIL_TEST_MAJORS leaves out %d", major)
			}
			f(t, Server(t, major))
		})
	}
}

func wanted(major int) bool {
	list := os.Getenv("PGVIGIL_TEST_MAJORS")
	if list == "" {
		return true
	}
	for s := range strings.SplitSeq(list, ",") {
		if s == strconv.Itoa(major) {
			return true
		}
	}
	return false
}

// Server returns the shared server of a version, started on first use. Tests
// that stop or reconfigure a server start their own with Own.
func Server(t testing.TB, major int) *pgserver.Server {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if s := servers[major]; s != nil {
		return s
	}
	s := start(t, major, pgserver.Options{TCP: true})
	servers[major] = s
	return s
}

// Own returns a server of the test's own, stopped with the test.
func Own(t testing.TB, major int, opts pgserver.Options) *pgserver.Server {
	t.Helper()
	s := start(t, major, opts)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return s
}

func start(t testing.TB, major int, opts pgserver.Options) *pgserver.Server {
	t.Helper()
	in, err := pgserver.Find(context.Background(), major)
	if err != nil {
		if os.Getenv("PGVIGIL_TEST_REQUIRED") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, err := pgserver.Start(context.Background(), in, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Stop ends all shared servers, for packages whose TestMain does more than Main.
func Stop() {
	mu.Lock()
	defer mu.Unlock()
	for _, s := range servers {
		if err := s.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
		}
	}
}

// Database makes an empty database on s, dropped with the test, and returns
// its connection string.
func Database(t testing.TB, s *pgserver.Server) string {
	t.Helper()
	name := fmt.Sprintf("t%d", serial.Add(1))
	Exec(t, s.DSN("postgres"), "CREATE DATABASE "+name)
	t.Cleanup(func() {
		if s.PID() != 0 {
			Exec(t, s.DSN("postgres"), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		}
	})
	return s.DSN(name)
}

// Connect opens a connection, closed with the test.
func Connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) }) // the server may be gone by then
	return conn
}

// Exec runs a script over a connection of its own.
func Exec(t testing.TB, dsn, script string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, script, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("run %.80q: %v", script, err)
	}
}
