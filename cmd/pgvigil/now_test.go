package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
)

// lookNow runs pgvigil now and returns what it printed as JSON.
func lookNow(t *testing.T, o nowOptions) situation {
	t.Helper()
	o.format = "json"
	text := printNow(t, o)
	var s situation
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("read %.200q: %v", text, err)
	}
	return s
}

func printNow(t *testing.T, o nowOptions) string {
	t.Helper()
	if o.history == "" {
		o.history = filepath.Join(t.TempDir(), "none.duckdb")
	}
	var out, said bytes.Buffer
	began := time.Now()
	if err := o.run(t.Context(), &ui{out: &out, err: &said}); err != nil {
		t.Fatalf("now: %v (%s); stderr %s", err, pgvigil.Advice(err), said.String())
	}
	// Two seconds are promised; a busy machine of tests gets more.
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("now took %v", took)
	}
	return out.String()
}

// waitsFor polls until a query gives true.
func waitsFor(t *testing.T, dsn, sql string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn := pgtest.Connect(t, dsn)
	defer conn.Close(ctx)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ok := false; !ok; <-tick.C {
		if err := conn.QueryRow(ctx, sql, args...).Scan(&ok); err != nil {
			t.Fatalf("wait for %s: %v", sql, err)
		}
	}
}

// behind starts a statement on a connection of its own and returns its process
// and how it ends.
func behind(t *testing.T, dsn, application, sql string) (pid int, ended <-chan error) {
	t.Helper()
	conn := pgtest.Connect(t, dsn+" application_name="+application)
	result := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
		result <- err
	}()
	pid = int(conn.PgConn().PID())
	return pid, result
}

const waitsForLock = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"

// TestNowShowsALockQueueAndHowToEndIt: a forgotten transaction, a migration
// behind it, readers behind the migration.
func TestNowShowsALockQueueAndHowToEndIt(t *testing.T) {
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			dsn := pgtest.Database(t, pgtest.Server(t, major))
			pgtest.Exec(t, dsn, "CREATE TABLE builds (id int PRIMARY KEY, token text); INSERT INTO builds VALUES (1, 'x')")
			holder := pgtest.Connect(t, dsn+" application_name=forgotten")
			root := int(holder.PgConn().PID())
			if _, err := holder.Exec(t.Context(), "BEGIN; SELECT * FROM builds WHERE token = 'glpat-secret'", pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatal(err)
			}
			ddl, altered := behind(t, dsn, "migration", "ALTER TABLE builds ADD note text")
			waitsFor(t, dsn, waitsForLock, ddl)
			var readers []<-chan error
			for range 3 {
				pid, done := behind(t, dsn, "web", "SELECT count(*) FROM builds")
				waitsFor(t, dsn, waitsForLock, pid)
				readers = append(readers, done)
			}
			s := lookNow(t, nowOptions{dsn: elsewhere(dsn)})
			checkQueue(t, s, root, ddl)
			text := printNow(t, nowOptions{dsn: dsn})
			for _, part := range []string{"waits", "public.builds", "holds up 4", s.Next.Command, "takes no lock", "risk:"} {
				if !strings.Contains(text, part) {
					t.Errorf("the text lacks %q:\n%s", part, text)
				}
			}
			t.Log("\n" + text)
			if strings.Contains(text, "glpat") {
				t.Errorf("a literal is shown:\n%s", text)
			}
			pgtest.Exec(t, dsn, s.Next.Command)
			for _, done := range append(readers, altered) {
				<-done
			}
			if after := lookNow(t, nowOptions{dsn: dsn}); len(after.Blocking) != 0 {
				t.Errorf("after %s: %+v; want nobody waiting", s.Next.Command, after.Blocking)
			}
		})
	}
}

// elsewhere is a connection string to another database of the same server.
func elsewhere(dsn string) string {
	before, _, _ := strings.Cut(dsn, "dbname=")
	return before + "dbname=postgres"
}

func checkQueue(t *testing.T, s situation, root, ddl int) {
	t.Helper()
	if len(s.Blocking) != 1 || s.Blocking[0].PID != root || s.Blocking[0].HoldsUp != 4 || len(s.Blocking[0].Blocks) != 1 {
		t.Fatalf("blocking = %+v; want process %d with one behind it, and three behind that", s.Blocking, root)
	}
	second := s.Blocking[0].Blocks[0]
	if second.PID != ddl || len(second.Blocks) != 3 || second.WaitsFor == nil || second.WaitsFor.Relation != "public.builds" || second.WaitsFor.Mode != "AccessExclusiveLock" {
		t.Errorf("behind the root = %+v; want process %d, waiting for public.builds, with three behind it", second, ddl)
	}
	if s.Next == nil || s.Next.Command != fmt.Sprintf("SELECT pg_cancel_backend(%d);", ddl) || s.Next.Lock != noLock || s.Next.Risk == "" {
		t.Errorf("next = %+v; want the waiting migration cancelled: it has done nothing yet", s.Next)
	}
	if len(s.Or) != 1 || s.Or[0].Command != fmt.Sprintf("SELECT pg_terminate_backend(%d);", root) {
		t.Errorf("or = %+v; want the forgotten transaction ended", s.Or)
	}
	if len(s.Running) < 5 || s.Running[0].PID != root {
		t.Errorf("running = %+v; want the oldest transaction first", s.Running)
	}
	found := false
	for _, m := range s.Maintenance {
		found = found || m.PID == ddl && m.Phase == "waiting for a lock"
	}
	if !found {
		t.Errorf("maintenance = %+v; want the ALTER TABLE", s.Maintenance)
	}
}

func TestNowCancelsAStatementThatBlocksRows(t *testing.T) {
	dsn := pgtest.Database(t, pgtest.Server(t, 18))
	pgtest.Exec(t, dsn, "CREATE TABLE jobs (id int PRIMARY KEY, n int); INSERT INTO jobs VALUES (1, 0)")
	root, ended := behind(t, dsn, "batch", "UPDATE jobs SET n = 1; SELECT pg_sleep(600)")
	waitsFor(t, dsn, "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1", root)
	waiter, updated := behind(t, dsn, "runner", "UPDATE jobs SET n = 2")
	waitsFor(t, dsn, waitsForLock, waiter)
	s := lookNow(t, nowOptions{dsn: dsn})
	if s.Next == nil || s.Next.Command != fmt.Sprintf("SELECT pg_cancel_backend(%d);", root) {
		t.Fatalf("next = %+v; want the statement of process %d cancelled", s.Next, root)
	}
	pgtest.Exec(t, dsn, s.Next.Command)
	if err := <-ended; err == nil {
		t.Error("the statement that blocked was not cancelled")
	}
	if err := <-updated; err != nil {
		t.Errorf("the one that waited: %v; want it to go on", err)
	}
}

// crowd is a server without a connection left for ordinary roles.
func crowd(t *testing.T, major int, settings map[string]string) (s *pgserver.Server, fill func()) {
	t.Helper()
	s = pgtest.Own(t, major, pgserver.Options{Settings: settings})
	pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE ROLE web LOGIN; CREATE ROLE mon LOGIN; GRANT pg_monitor TO mon")
	return s, func() {
		for {
			conn, err := pgx.Connect(t.Context(), strings.Replace(s.DSN("postgres"), "user=postgres", "user=web", 1))
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close(context.Background()) })
		}
	}
}

func TestNowWithEveryConnectionUsed(t *testing.T) {
	t.Run("a reserved connection", func(t *testing.T) {
		s, fill := crowd(t, 18, map[string]string{"max_connections": "12", "reserved_connections": "2", "superuser_reserved_connections": "1"})
		pgtest.Exec(t, s.DSN("postgres"), "GRANT pg_use_reserved_connections TO mon")
		fill()
		sit := lookNow(t, nowOptions{dsn: strings.Replace(s.DSN("postgres"), "user=postgres", "user=mon", 1)})
		if sit.Source != "server" || sit.Connections.Used < 9 || sit.Connections.Reserved != 3 {
			t.Errorf("%s says %+v; want the server, with its connections used", sit.Source, sit.Connections)
		}
		if sit.Next == nil || !strings.HasPrefix(sit.Next.Command, "SELECT pg_terminate_backend(") {
			t.Fatalf("next = %+v; want an idle connection ended", sit.Next)
		}
		pgtest.Exec(t, s.DSN("postgres"), sit.Next.Command)
		waitsFor(t, s.DSN("postgres"), "SELECT count(*) < 9 FROM pg_stat_activity WHERE usename = 'web'")
	})
	t.Run("the last sample of the history", func(t *testing.T) {
		s, fill := crowd(t, 15, map[string]string{"max_connections": "10", "superuser_reserved_connections": "1"})
		path := filepath.Join(t.TempDir(), "history.duckdb")
		mon := strings.Replace(s.DSN("postgres"), "user=postgres", "user=mon", 1)
		holder := pgtest.Connect(t, s.DSN("postgres"))
		if _, err := holder.Exec(t.Context(), "BEGIN"); err != nil {
			t.Fatal(err)
		}
		collectOnce(t, path, mon)
		fill()
		sit := lookNow(t, nowOptions{access: access{history: path}, dsn: mon})
		if sit.Source != "history" || sit.Connections != nil || len(sit.Running) == 0 || len(sit.Warnings) == 0 {
			t.Errorf("now = %+v; want the last sample, and why", sit)
		}
		o := nowOptions{access: access{history: filepath.Join(t.TempDir(), "none.duckdb")}, dsn: mon, format: "text"}
		err := o.run(t.Context(), &ui{out: &bytes.Buffer{}, err: &bytes.Buffer{}})
		if err == nil || !strings.Contains(pgvigil.Advice(err), "superuser_reserved_connections") {
			t.Errorf("without a history: %v (%s); want what a superuser can do", err, pgvigil.Advice(err))
		}
	})
}

// collectOnce makes one pass into a history.
func collectOnce(t *testing.T, path, dsn string) {
	t.Helper()
	h, err := duckdb.Open(t.Context(), path, duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := newWatcher(h, quietLog(), watchOptions{bloat: unmeasured})
	if _, err := w.pass(t.Context(), pgvigil.Target{Name: dsnTarget, DSN: pgvigil.Secret(dsn)}); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTheNextStepIsTheSafest: each case is a scene with the command that comes
// first, and a part of what is said of it.
func TestTheNextStepIsTheSafest(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	client := func(pid int, state string, since time.Duration) pgvigil.Session {
		return pgvigil.Session{PID: pid, State: state, BackendType: "client backend", QueryStart: at.Add(-since), XactStart: at.Add(-since), StateChange: at.Add(-since)}
	}
	edge := func(waiter, blocker int) pgvigil.LockWait {
		return pgvigil.LockWait{Waiter: waiter, Blocker: blocker, Mode: "ShareLock", LockType: "transactionid"}
	}
	vacuum := pgvigil.Session{PID: 1, State: "active", BackendType: "autovacuum worker", Query: "autovacuum: VACUUM public.job (to prevent wraparound)"}
	idle := client(1, "idle", time.Hour)
	idle.XactStart = time.Time{}
	tests := map[string]struct {
		sessions      []pgvigil.Session
		locks         []pgvigil.LockWait
		used          int
		command, says string
	}{
		"nothing wrong":                  {[]pgvigil.Session{client(1, "active", time.Hour)}, nil, 3, "", ""},
		"one blocks one":                 {[]pgvigil.Session{client(1, "active", 0), client(2, "active", 0)}, []pgvigil.LockWait{edge(2, 1)}, 3, "SELECT pg_cancel_backend(1);", "1 session waits"},
		"a forgotten transaction blocks": {[]pgvigil.Session{client(1, "idle in transaction", time.Hour), client(2, "active", 0)}, []pgvigil.LockWait{edge(2, 1)}, 3, "SELECT pg_terminate_backend(1);", "rolled back"},
		"a prepared transaction blocks":  {[]pgvigil.Session{client(2, "active", 0)}, []pgvigil.LockWait{edge(2, 0)}, 3, "SELECT gid, owner, database, prepared FROM pg_prepared_xacts ORDER BY prepared;", "prepared"},
		"no session of a client blocks":  {[]pgvigil.Session{client(2, "active", 0)}, []pgvigil.LockWait{edge(2, 7)}, 3, "SELECT * FROM pg_stat_activity WHERE pid = 7;", "no session"},
		"autovacuum blocks":              {[]pgvigil.Session{vacuum, client(2, "active", 0)}, []pgvigil.LockWait{edge(2, 1)}, 3, "SELECT pg_cancel_backend(1);", "has to finish once"},
		"a circle":                       {[]pgvigil.Session{client(1, "active", 0), client(2, "active", 0)}, []pgvigil.LockWait{edge(2, 1), edge(1, 2)}, 3, "SELECT pg_cancel_backend(1);", "waits"},
		"a transaction open for long":    {[]pgvigil.Session{client(1, "idle in transaction", time.Hour)}, nil, 3, "SELECT pg_terminate_backend(1);", "dead rows"},
		"connections run out":            {[]pgvigil.Session{idle}, nil, 17, "SELECT pg_terminate_backend(1);", "in no transaction"},
		"one waits for two": {
			[]pgvigil.Session{client(1, "active", 0), client(2, "active", 0), client(3, "active", 0)},
			[]pgvigil.LockWait{edge(3, 1), edge(3, 2)},
			3, "SELECT pg_cancel_backend(1);", "1 session waits",
		},
	}
	for name, tt := range tests {
		s := &collector.Scene{At: at, Sessions: tt.sessions, Locks: tt.locks, Connections: pgvigil.Connections{Used: tt.used, Limit: 20, Reserved: 2}}
		sit := situationOf(s)
		if tt.command == "" {
			if sit.Next != nil {
				t.Errorf("%s: next = %+v; want nothing", name, sit.Next)
			}
			continue
		}
		if sit.Next == nil || sit.Next.Command != tt.command || !strings.Contains(sit.Next.Effect+sit.Next.Risk+sit.Next.Why, tt.says) {
			t.Errorf("%s: next = %+v; want %s, and %q", name, sit.Next, tt.command, tt.says)
		}
		var out bytes.Buffer
		if printSituation(&ui{out: &out}, sit); !strings.Contains(out.String(), tt.command) {
			t.Errorf("%s: the text lacks %s:\n%s", name, tt.command, out.String())
		}
	}
}
