package collector

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// longestWait is what nobody may wait for us longer, beyond what the same
// takes without us.
const longestWait = 300 * time.Millisecond

// sent returns all statements that a pass, a sampler or a look can send, by file.
func sent(t *testing.T, major int, version string) map[string]string {
	t.Helper()
	entries, err := queryFiles.ReadDir("queries")
	if err != nil {
		t.Fatal(err)
	}
	e := extension{Schema: "public", Version: version}
	list := map[string]string{}
	for _, entry := range entries {
		if !availableOn(entry.Name(), major) {
			continue
		}
		name := strings.TrimSuffix(entry.Name(), ".sql")
		list[name] = e.qualify(load(name))
	}
	list["statements"], _ = e.statementsSQL()
	delete(list, "server_counters") // a frame for these
	for _, v := range counterViews(major) {
		list[v.name] = v.sql
	}
	for name, sql := range list {
		if strings.Contains(strings.ReplaceAll(sql, "::", ""), ":") && !strings.Contains(sql, "':") {
			t.Errorf("%s is a frame that this test does not fill: %s", name, sql)
		}
	}
	return list
}

// watched opens a connection by the rule of the house that the guard watches.
func watched(t *testing.T, tg pgvigil.Target, g *guard) *pgx.Conn {
	t.Helper()
	conn, err := Connect(context.Background(), tg, "")
	if err != nil {
		t.Fatal(err)
	}
	g.watch(conn.PgConn().PID())
	t.Cleanup(func() { closeConn(context.Background(), conn) })
	return conn
}

// guarding keeps the held connection of a target open until the test ends.
func guarding(t *testing.T, tg pgvigil.Target) *guard {
	t.Helper()
	c := New(Options{Log: slog.New(slog.DiscardHandler)})
	m := c.memory(tg.Name)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.hold(ctx, tg, SampleOptions{}, m) })
	t.Cleanup(func() { cancel(); running.Wait() })
	if !m.guard.await(ctx, 30*time.Second) {
		t.Fatal("no held connection")
	}
	return m.guard
}

// bind returns arguments that a statement takes, about one table.
func bind(ctx context.Context, conn *pgx.Conn, sql, table string) ([][]byte, error) {
	d, err := conn.Prepare(ctx, "", sql)
	if err != nil {
		return nil, err
	}
	args := make([][]byte, len(d.ParamOIDs))
	for i, oid := range d.ParamOIDs {
		text, ok := map[uint32]string{
			pgtype.BoolOID: "true", pgtype.Int8OID: table, pgtype.Int8ArrayOID: "{" + table + "}", pgtype.Int4OID: "1",
			pgtype.Int4ArrayOID: "{}", pgtype.TextOID: "pg_stat_statements", pgtype.TextArrayOID: "{search_path}", pgtype.BoolArrayOID: "{true}",
		}[oid]
		if ok {
			args[i] = []byte(text)
		}
	}
	return args, nil
}

// holdOpen runs a statement of ours so that it lasts, and returns what waits for
// its end. A statement that is cancelled has ended.
func holdOpen(t *testing.T, conn *pgx.Conn, name, sql, table string) (wait func()) {
	t.Helper()
	ctx := context.Background()
	sql = "WITH ours AS MATERIALIZED (" + sql + ") SELECT count(*), pg_sleep(30) FROM ours"
	args, err := bind(ctx, conn, sql, table)
	if err != nil {
		t.Fatalf("hold %s open: %v", name, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = conn.PgConn().ExecParams(ctx, sql, args, nil, nil, nil).Close() // an error is an end
	}()
	return func() { <-done }
}

// altered runs ALTER TABLE and, queued behind it, a SELECT, and returns how
// long the slower took.
func altered(t *testing.T, dsn string) time.Duration {
	t.Helper()
	ctx := context.Background()
	ddl, reader := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	var wg sync.WaitGroup
	var took [2]time.Duration
	run := func(i int, conn *pgx.Conn, sql string) {
		wg.Go(func() {
			began := time.Now()
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
			took[i] = time.Since(began)
		})
	}
	run(0, ddl, "ALTER TABLE long ALTER id SET DEFAULT 1")
	run(1, reader, "SELECT id FROM long LIMIT 1")
	wg.Wait()
	_ = ddl.Close(ctx)
	_ = reader.Close(ctx)
	return max(took[0], took[1])
}

// nobodyWaits measures with, which has us in the way, against the same without
// us. A loaded machine stops anybody now and then; a lock does each time.
func nobodyWaits(t *testing.T, dsn, what string, with func() (stop func())) {
	t.Helper()
	var waited, alone time.Duration
	for range 3 {
		alone = altered(t, dsn)
		stop := with()
		waited = altered(t, dsn)
		stop()
		if waited-alone <= longestWait {
			return
		}
	}
	t.Errorf("beside %s an ALTER TABLE or the SELECT behind it took %v, %v without us; want %v more at most", what, waited, alone, longestWait)
}

// TestNobodyWaitsForAnyStatement holds every statement that we can send open at
// once, the held connection's too, and then one that reads the table itself.
func TestNobodyWaitsForAnyStatement(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pgstattuple;
			CREATE TABLE long (id int PRIMARY KEY); INSERT INTO long SELECT generate_series(1, 1000)`)
		var table, version string
		admin := pgtest.Connect(t, dsn)
		row := admin.QueryRow(context.Background(), "SELECT 'long'::regclass::oid::text, (SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements')")
		if err := row.Scan(&table, &version); err != nil {
			t.Fatal(err)
		}
		tg := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(dsn), Timeouts: pgvigil.Timeouts{Statement: time.Minute}}
		g := guarding(t, tg)
		conns := map[string]*pgx.Conn{}
		list := sent(t, s.Install.Major, version)
		for name := range list {
			if name == "bloat_of_index" {
				list[name] = strings.Replace(list[name], "$1::bigint::oid", "($1::bigint * 0 + 'public.long_pkey'::regclass::oid::bigint)::oid", 1)
			}
			conns[name] = watched(t, tg, g)
		}
		nobodyWaits(t, dsn, "all of our statements", func() func() {
			var waits []func()
			for name, sql := range list {
				waits = append(waits, holdOpen(t, conns[name], name, sql, table))
			}
			running(t, admin, len(list))
			return func() { cancelAll(t, admin, waits) }
		})
		reader := watched(t, tg, g)
		nobodyWaits(t, dsn, "a statement that reads the table", func() func() {
			g.take()
			wait := holdOpen(t, reader, "a reader", "SELECT id FROM public.long", table)
			running(t, admin, 1)
			return func() {
				wait() // nobody but the guard ends it within its 30 s
				if f := g.take(); f.waiter == "" {
					t.Error("the guard does not say for whom it stopped the statement")
				}
			}
		})
	})
}

// running waits until n of our statements are held open.
func running(t *testing.T, admin *pgx.Conn, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var now int
		err := admin.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'").Scan(&now)
		if err != nil {
			t.Fatalf("wait for %d statements of ours, %d sleep: %v", n, now, err)
		}
		if now >= n {
			return
		}
		<-tick.C
	}
}

func cancelAll(t *testing.T, admin *pgx.Conn, waits []func()) {
	t.Helper()
	_, err := admin.Exec(context.Background(), "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range waits {
		wait()
	}
}

// TestNobodyWaitsForAMeasurement measures the bloat of a table of 3 GB, which
// holds a lock on it for as long as it reads.
func TestNobodyWaitsForAMeasurement(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pgstattuple; CREATE TABLE long (id int); INSERT INTO long SELECT generate_series(1, 1000)")
		var table, path string
		admin := pgtest.Connect(t, dsn)
		ctx := context.Background()
		if err := admin.QueryRow(ctx, "SELECT 'long'::regclass::oid::text, pg_relation_filepath('long')").Scan(&table, &path); err != nil {
			t.Fatal(err)
		}
		lengthen(t, filepath.Join(s.DataDir(), path), 3)
		tg := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(dsn), Timeouts: pgvigil.Timeouts{Statement: time.Minute}}
		g := guarding(t, tg)
		conn := watched(t, tg, g)
		sql := extension{Schema: "public"}.qualify(load("bloat_of_table"))
		nobodyWaits(t, dsn, "a measurement", func() func() {
			done := make(chan error, 1)
			go func() {
				_, err := conn.PgConn().ExecParams(ctx, sql, [][]byte{[]byte(table)}, nil, nil, nil).Close()
				done <- err
			}()
			locked(t, admin, conn.PgConn().PID(), table)
			return func() {
				if err := <-done; err != nil && sqlState(err) != stateCancelled {
					t.Errorf("the measurement ended with %v; want it cancelled", err)
				}
			}
		})
		if f := g.take(); f.waiter == "" {
			t.Error("nobody waited for the measurement: it was over too soon to show anything")
		}
	})
}

// lengthen makes a table's file so many gigabytes long; they take no room.
func lengthen(t *testing.T, path string, gigabytes int) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	for i := range gigabytes {
		name := path
		if i > 0 {
			name = fmt.Sprintf("%s.%d", path, i)
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(1 << 30); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(name, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// locked waits until a process holds a lock on a table.
func locked(t *testing.T, admin *pgx.Conn, pid uint32, table string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for held := false; !held; {
		err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND relation = $2::text::oid AND granted)", int32(pid), table).Scan(&held)
		if err != nil {
			t.Fatalf("wait for a lock of ours: %v", err)
		}
	}
}

// TestOurConnectionsHaveALockTimeout: those of the pass and the held one.
func TestOurConnectionsHaveALockTimeout(t *testing.T) {
	s := pgtest.Server(t, 15)
	tg := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(s.DSN("postgres"))}
	ctx := context.Background()
	held := &sampler{Options: Options{Log: slog.New(slog.DiscardHandler)}, target: tg, memory: newMemory()}
	p := &pass{target: tg, memory: newMemory()}
	open := map[string]func() (*pgx.Conn, error){
		"the held connection": func() (*pgx.Conn, error) { return held.connect(ctx) },
		"the pass's":          func() (*pgx.Conn, error) { err := p.move(ctx, ""); return p.conn, err },
	}
	for name, connect := range open {
		conn, err := connect()
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := conn.QueryRow(ctx, "SHOW lock_timeout").Scan(&got); err != nil || got != "100ms" {
			t.Errorf("lock_timeout of %s = %q, %v; want 100ms", name, got, err)
		}
		closeConn(ctx, conn)
	}
}
