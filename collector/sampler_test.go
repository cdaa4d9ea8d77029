package collector_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// sampling samples a target until the test ends, ten times a second.
func sampling(t testing.TB, c *collector.Collector, tg pgvigil.Target) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	wait := c.Sample(ctx, tg, collector.SampleOptions{Every: 100 * time.Millisecond})
	t.Cleanup(func() { cancel(); wait() })
}

// seen makes passes until what was sampled since the start is as wanted.
func seen(t testing.TB, c *collector.Collector, tg pgvigil.Target, enough func(pgvigil.Waits) bool) pgvigil.Waits {
	t.Helper()
	var all pgvigil.Waits
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); {
		w := pass(t, c, tg).Waits
		all.Minutes, all.Counts, all.Calls = append(all.Minutes, w.Minutes...), append(all.Counts, w.Counts...), append(all.Calls, w.Calls...)
		if all.Queries == nil {
			all.Queries = map[pgvigil.Fingerprint]pgvigil.Query{}
		}
		maps.Copy(all.Queries, w.Queries)
		if enough(all) {
			return all
		}
	}
	t.Fatalf("not seen within a minute; what was: %+v", all)
	return all
}

// TestALockQueueIsSeenWithItsRoot: one session idles in a transaction, ALTER
// TABLE waits for it, and a SELECT, which has no query id yet, behind that.
func TestALockQueueIsSeenWithItsRoot(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE queued (id int PRIMARY KEY)")
		ctx := context.Background()
		root, ddl, reader := pgtest.Connect(t, dsn+" application_name=forgotten"), pgtest.Connect(t, dsn+" application_name=deploy"), pgtest.Connect(t, dsn)
		tx, err := root.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "SELECT count(*) FROM queued"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 2)
		pid := func(c *pgx.Conn) int { return int(c.PgConn().PID()) }
		queue := func(c *pgx.Conn, sql string) {
			go func() {
				_, err := c.Exec(ctx, sql)
				done <- err
			}()
			waitFor(t, dsn, fmt.Sprintf("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = %d AND wait_event_type = 'Lock'", pid(c)))
		}
		queue(ddl, "ALTER TABLE queued ADD COLUMN more int")
		queue(reader, "SELECT max(id) FROM queued")
		c := collector.New(collector.Options{Log: slog.New(slog.DiscardHandler)})
		tg := target(t, dsn)
		sampling(t, c, tg)
		lasted := func(w pgvigil.Waits, pid int) bool {
			return slices.ContainsFunc(w.Calls, func(c pgvigil.SampledCall) bool { return c.PID == pid && len(c.BlockedBy) > 0 })
		}
		waits := seen(t, c, tg, func(w pgvigil.Waits) bool { return lasted(w, pid(ddl)) && lasted(w, pid(reader)) })
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}

		tree := waits.Minutes[len(waits.Minutes)-1].Tree
		var trace []string
		for _, m := range waits.Minutes {
			if m.Tree != nil && m.Tree.Waiting >= 2 {
				tree = m.Tree
			}
		}
		for _, x := range tree.Sessions {
			if slices.Contains([]int{pid(root), pid(ddl), pid(reader)}, x.PID) {
				trace = append(trace, fmt.Sprint(x.Application, " ", x.State, " ", x.WaitEvent, " ", x.BlockedBy))
			}
		}
		want := []string{
			"forgotten idle in transaction ClientRead []", fmt.Sprintf("deploy active relation [%d]", pid(root)), fmt.Sprintf(" active relation [%d]", pid(ddl)),
		}
		if !slices.Equal(trace, want) || tree.Waiting < 2 {
			t.Errorf("tree = %q, %d waiting; want %q", trace, tree.Waiting, want)
		}
		for _, l := range tree.Locks {
			if l.Waiter == pid(ddl) && (l.Relation != "public.queued" || l.Mode != "AccessExclusiveLock" || l.Since.IsZero()) {
				t.Errorf("the DDL's lock = %+v; want AccessExclusiveLock on public.queued", l)
			}
		}
		texts := map[string]bool{}
		for _, n := range waits.Counts {
			if n.Type == "Lock" && n.Event == "relation" && n.State == "active" {
				texts[waits.Queries[n.Fingerprint].Verb] = true
			}
		}
		if !texts["ddl"] || !texts["select"] {
			t.Errorf("verbs that waited = %v; want ddl and select", texts)
		}
		if !slices.ContainsFunc(waits.Calls, func(c pgvigil.SampledCall) bool { return c.PID == pid(root) && c.State == "idle in transaction" }) {
			t.Errorf("calls %+v; want the rest of the root", waits.Calls)
		}
	})
}

// TestATimedOutCallLeavesItsLength: pg_stat_statements does not count it.
func TestATimedOutCallLeavesItsLength(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements")
		conn := pgtest.Connect(t, dsn)
		ctx := context.Background()
		if _, err := conn.Exec(ctx, "SET statement_timeout = 1500"); err != nil {
			t.Fatal(err)
		}
		c, tg := eager(), target(t, dsn)
		sampling(t, c, tg)
		waits := seen(t, c, tg, func(w pgvigil.Waits) bool {
			if _, err := conn.Exec(ctx, "SELECT pg_sleep(60)"); err == nil {
				t.Fatal("the call ended well")
			}
			return slices.ContainsFunc(w.Calls, func(c pgvigil.SampledCall) bool { return c.Exact })
		})
		for _, call := range waits.Calls {
			if call.Exact && (call.Length() < 1400*time.Millisecond || call.Waits["Timeout:PgSleep"] == 0 || call.PID != int(conn.PgConn().PID())) {
				t.Errorf("call %+v; want one of 1.5 s or more in PgSleep", call)
			}
		}
	})
}

// TestSamplingGoesOnWithoutAnyConnectionLeft: the held one is held.
func TestSamplingGoesOnWithoutAnyConnectionLeft(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{Settings: map[string]string{"max_connections": "8", "superuser_reserved_connections": "1"}})
		pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher; CREATE ROLE crowd LOGIN")
		c, tg := eager(), target(t, as(s.DSN("postgres"), "watcher"))
		sampling(t, c, tg)
		waitFor(t, s.DSN("postgres"), "SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'watcher'")
		var crowd []*pgx.Conn
		ctx := context.Background()
		for {
			conn, err := pgx.Connect(ctx, as(s.DSN("postgres"), "crowd"))
			if err != nil {
				break
			}
			crowd = append(crowd, conn)
		}
		if len(crowd) < 4 {
			t.Fatalf("%d connections used up the server; want some", len(crowd))
		}
		if _, err := c.Pass(ctx, tg); err == nil || !strings.Contains(err.Error(), "no connection left") {
			t.Errorf("a pass = %v; want that there is no connection left", err)
		}
		began := time.Now()
		if _, err := crowd[0].Exec(ctx, "SELECT pg_sleep(2)"); err != nil {
			t.Fatal(err)
		}
		for _, conn := range crowd {
			_ = conn.Close(ctx)
		}
		waitFor(t, s.DSN("postgres"), "SELECT count(*) < 3 FROM pg_stat_activity WHERE backend_type = 'client backend'")
		waits := pass(t, c, tg).Waits
		if !slices.ContainsFunc(waits.Calls, func(c pgvigil.SampledCall) bool {
			return c.Start.After(began.Add(-time.Second)) && c.Waits["Timeout:PgSleep"] > 3
		}) {
			t.Errorf("calls %+v; want the one that ran while no connection was left", waits.Calls)
		}
	})
}

// TestTwoConnectionsAreEnough gives the role no more, over three databases.
func TestTwoConnectionsAreEnough(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		role := fmt.Sprintf("two%d", s.Port)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; DROP ROLE IF EXISTS "+role+"; CREATE ROLE "+role+" LOGIN CONNECTION LIMIT 2; GRANT pg_monitor, pg_read_all_data TO "+role)
		tg := target(t, as(dsn, role))
		for range 2 {
			tg.Databases = append(tg.Databases, target(t, pgtest.Database(t, s)).Databases...)
		}
		for _, sampled := range []bool{false, true} {
			c := eager()
			if sampled {
				sampling(t, c, tg)
			}
			for range 3 {
				snap := pass(t, c, tg)
				visited := 0
				for _, db := range snap.Databases {
					if db.Visited {
						visited++
					}
				}
				if visited != 3 || len(snap.Warnings) > 0 {
					t.Errorf("sampled %v: %d databases visited, warnings %v; want 3 and none", sampled, visited, snap.Warnings)
				}
				if snap.Footprint.LongestLock <= 0 {
					t.Errorf("footprint %+v; want how long a lock was held", snap.Footprint)
				}
			}
		}
	})
}

// TestALostServerIsToldOnce stops the server under the sampler for a while.
func TestALostServerIsToldOnce(t *testing.T) {
	s := pgtest.Own(t, 18, pgserver.Options{})
	var log bytes.Buffer
	c := collector.New(collector.Options{Describe: echo, Log: slog.New(slog.NewTextHandler(&log, nil)), Random: func() float64 { return 0 }})
	tg := target(t, s.DSN("postgres"))
	ctx, cancel := context.WithCancel(context.Background())
	wait := c.Sample(ctx, tg, collector.SampleOptions{Every: 100 * time.Millisecond})
	up := "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'pgvigil'"
	waitFor(t, s.DSN("postgres"), up)
	if err := s.Halt(syscall.SIGINT); err != nil { // a fast stop
		t.Fatal(err)
	}
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	waitFor(t, s.DSN("postgres"), up)
	seen(t, c, tg, func(w pgvigil.Waits) bool { return len(w.Minutes) > 0 })
	cancel()
	wait()
	for _, line := range []string{"sampling stopped", "sampling goes on"} {
		if n := strings.Count(log.String(), line); n != 1 {
			t.Errorf("the log says %d times %q; want once:\n%s", n, line, log.String())
		}
	}
}
