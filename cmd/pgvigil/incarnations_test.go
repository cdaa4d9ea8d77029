package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
	"github.com/pgvigil/pgvigil/query"
)

// watched is a server that is watched into a history, and a load of one
// statement per table that counts its own calls.
type watched struct {
	*testing.T
	server  *pgserver.Server
	watcher *watcher
	history store.History
	target  pgvigil.Target
	scans   map[string]float64 // by table, of all relation intervals
}

// watch begins to watch a server.
func watch(t *testing.T, s *pgserver.Server) *watched {
	t.Helper()
	h, err := duckdb.Open(context.Background(), filepath.Join(t.TempDir(), "history.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close the history: %v", err)
		}
	})
	return &watched{
		T: t, server: s, history: h, watcher: newWatcher(h, slog.New(slog.DiscardHandler), watchOptions{}), scans: map[string]float64{},
		target: pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(s.DSN("postgres")), Databases: []string{"postgres"}},
	}
}

// call runs the statement of a table so often, and waits until the server's
// statistics tell of it.
func (w *watched) call(table string, n int) {
	w.Helper()
	ctx := context.Background()
	conn := pgtest.Connect(w.T, w.target.DSN.Reveal())
	defer conn.Close(ctx)
	for range n {
		if _, err := conn.Exec(ctx, "SELECT v FROM "+table+" WHERE id = 1", pgx.QueryExecModeSimpleProtocol); err != nil {
			w.Fatalf("call the statement of %s: %v", table, err)
		}
	}
}

// until waits for a condition of the server's.
func (w *watched) until(condition string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := pgx.Connect(ctx, w.target.DSN.Reveal()); err == nil {
			var ok bool
			err = conn.QueryRow(ctx, "SELECT "+condition).Scan(&ok)
			_ = conn.Close(ctx) // it only asked
			if err == nil && ok {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.Fatalf("waited in vain until %s", condition)
		}
	}
}

// scanned waits until the server has counted so many scans of a table.
func (w *watched) scanned(table string, n int) {
	w.Helper()
	w.until(fmt.Sprintf("seq_scan = %d FROM pg_stat_user_tables WHERE relname = '%s'", n, table))
}

// pass makes a pass and returns what the history made of it.
func (w *watched) pass() pgvigil.Recorded {
	w.Helper()
	p, err := w.watcher.pass(context.Background(), w.target)
	if err != nil {
		w.Fatalf("pass: %v", err)
	}
	names := map[pgvigil.RelationKey]string{}
	for _, d := range p.snapshot.Databases {
		for i := range d.Tables {
			names[d.Tables[i].Key] = d.Tables[i].Name
		}
	}
	for _, r := range p.recorded.Relations {
		w.scans[names[r.Key]] += r.Table.SeqScans
	}
	return p.recorded
}

// counted returns the calls of a table's statement in the history.
func (w *watched) counted(table string) float64 {
	w.Helper()
	fp := query.Describe("SELECT v FROM "+table+" WHERE id = $1", query.Options{}).Fingerprint
	servers, err := w.history.Servers(context.Background())
	if err != nil || len(servers) != 1 {
		w.Fatalf("servers: %v, %v; want one", servers, err)
	}
	list, err := w.history.Series(context.Background(), pgvigil.SeriesFilter{Server: servers[0].ID, Fingerprints: []pgvigil.Fingerprint{fp}})
	if err != nil {
		w.Fatal(err)
	}
	calls := 0.0
	for _, s := range list {
		for _, p := range s.Points {
			calls += p.Counters[pgvigil.Calls]
		}
	}
	return calls
}

// healthy fails unless the history is in order.
func (w *watched) healthy() {
	w.Helper()
	if c, err := w.history.Check(context.Background()); err != nil || !c.OK {
		w.Errorf("history check: %v, %v", c.Problems, err)
	}
}

// disturbance is what may happen to a server between two passes.
type disturbance struct {
	since int // the first version that knows it
	do    func(w *watched, table string)
	// calls and scans of 7 before and 9 after it that are counted: 16, or those
	// after it.
	calls, scans float64
	zeroed       bool // the server's statistics of tables
}

const resetOne = "SELECT pg_stat_statements_reset(0, 0, (SELECT queryid FROM pg_stat_statements WHERE query LIKE 'SELECT v FROM %s WHERE%%')%s)"

func sending(format string, extra string) func(*watched, string) {
	return func(w *watched, table string) {
		sql := format
		if strings.Contains(format, "%s") {
			sql = fmt.Sprintf(format, table, extra)
		}
		pgtest.Exec(w.T, w.target.DSN.Reveal(), sql)
	}
}

// stop ends the server with a signal and starts it again.
func stop(sig syscall.Signal) func(*watched, string) {
	return func(w *watched, _ string) {
		if err := w.server.Halt(sig); err != nil {
			w.Fatal(err)
		}
		if err := w.server.Run(context.Background()); err != nil {
			w.Fatal(err)
		}
	}
}

// killBackend kills a session's process; the postmaster restarts all others.
func killBackend(w *watched, _ string) {
	conn := pgtest.Connect(w.T, w.target.DSN.Reveal())
	var was time.Time
	const started = "SELECT min(backend_start) FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
	if err := conn.QueryRow(context.Background(), started).Scan(&was); err != nil {
		w.Fatal(err)
	}
	if err := syscall.Kill(int(conn.PgConn().PID()), syscall.SIGKILL); err != nil {
		w.Fatal(err)
	}
	w.until(fmt.Sprintf("(%s) > '%s'", started, was.Format(time.RFC3339Nano)))
}

// evict fills pg_stat_statements until the statement of a table is gone.
func evict(w *watched, table string) {
	conn := pgtest.Connect(w.T, w.target.DSN.Reveal())
	defer conn.Close(context.Background())
	for i := range 400 {
		sql := strings.Repeat("SELECT 1"+strings.Repeat(", 1", i)+" FROM filler;", 40) // more than the entry was called
		if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			w.Fatal(err)
		}
		var n int
		if err := conn.QueryRow(context.Background(), fmt.Sprintf("SELECT count(*) FROM pg_stat_statements WHERE query LIKE 'SELECT v FROM %s WHERE%%'", table)).Scan(&n); err != nil {
			w.Fatal(err)
		}
		if n == 0 { // make room, or it would be gone again at once
			pgtest.Exec(w.T, w.target.DSN.Reveal(), "SELECT count(pg_stat_statements_reset(0, 0, queryid)) FROM pg_stat_statements WHERE query LIKE '% FROM filler'")
			return
		}
	}
	w.Fatal("the entry is still there")
}

var disturbances = map[string]disturbance{
	"nothing":                         {do: func(*watched, string) {}, calls: 16, scans: 16},
	"a reset of all":                  {do: sending("SELECT pg_stat_statements_reset()", ""), calls: 9, scans: 16},
	"a reset of one database":         {do: sending("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = 'postgres'), 0)", ""), calls: 9, scans: 16},
	"a reset of one statement":        {do: sending(resetOne, ""), calls: 9, scans: 16},
	"a reset of its shortest time":    {since: 17, do: sending(resetOne, ", true"), calls: 16, scans: 16},
	"a reset of tables":               {do: sending("SELECT pg_stat_reset()", ""), calls: 16, scans: 9, zeroed: true},
	"a fast restart":                  {do: stop(syscall.SIGINT), calls: 16, scans: 16},
	"an immediate stop":               {do: stop(syscall.SIGQUIT), calls: 16, scans: 9, zeroed: true},
	"a SIGKILL of a backend":          {do: killBackend, calls: 9, scans: 9, zeroed: true},
	"a SIGKILL of the postmaster":     {do: stop(syscall.SIGKILL), calls: 9, scans: 9, zeroed: true},
	"eviction and entry":              {do: evict, calls: 9, scans: 16},
	"a pass that fails":               {do: missedPass, calls: 16, scans: 16},
	"a pass that cannot read entries": {do: unreadPass, calls: 16, scans: 16},
}

// missedPass makes a pass that does not reach the server.
func missedPass(w *watched, _ string) {
	t := w.target
	t.DSN = pgvigil.Secret(strings.Replace(t.DSN.Reveal(), "dbname='postgres'", "dbname=missing", 1))
	if _, err := w.watcher.pass(context.Background(), t); err == nil {
		w.Error("a pass over a database that does not exist succeeded")
	}
}

// unreadPass makes a pass without the right to call pg_stat_statements.
func unreadPass(w *watched, _ string) {
	pgtest.Exec(w.T, w.target.DSN.Reveal(), "ALTER EXTENSION pg_stat_statements SET SCHEMA hidden")
	pgtest.Exec(w.T, w.target.DSN.Reveal(), "UPDATE pg_extension SET extname = 'away' WHERE extname = 'pg_stat_statements'")
	if r := w.pass(); len(r.Points) > 0 {
		w.Errorf("the pass read %d series", len(r.Points))
	}
	pgtest.Exec(w.T, w.target.DSN.Reveal(), "UPDATE pg_extension SET extname = 'pg_stat_statements' WHERE extname = 'away'")
	pgtest.Exec(w.T, w.target.DSN.Reveal(), "ALTER EXTENSION pg_stat_statements SET SCHEMA public")
}

// TestWhatIsCountedUnder each disturbance, on every version: never a call twice,
// never one less than was done after it.
func TestWhatIsCountedUnder(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{Settings: map[string]string{"pg_stat_statements.max": "100", "autovacuum": "off"}})
		pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE SCHEMA hidden; CREATE TABLE filler ()")
		for name, d := range disturbances {
			if s.Install.Major < d.since {
				continue
			}
			t.Run(name, func(t *testing.T) {
				w := watch(t, s)
				undergo(w, d, strings.NewReplacer(" ", "_").Replace(strings.ToLower(name)))
			})
		}
	})
}

func undergo(w *watched, d disturbance, table string) {
	pgtest.Exec(w.T, w.target.DSN.Reveal(), "SELECT pg_stat_statements_reset()")
	pgtest.Exec(w.T, w.server.DSN("template1"), "SELECT 1") // what a reset of the other database leaves
	pgtest.Exec(w.T, w.target.DSN.Reveal(), fmt.Sprintf("CREATE TABLE %s (id int, v int); INSERT INTO %[1]s VALUES (1, 1)", table))
	w.call(table, 20)
	w.scanned(table, 20)
	w.pass()
	w.call(table, 7)
	w.scanned(table, 27)
	d.do(w, table)
	if d.zeroed {
		w.call(table, 9)
		w.scanned(table, 9)
	} else {
		w.call(table, 9)
		w.scanned(table, 36)
	}
	w.pass()
	if calls, scans := w.counted(table), w.scans[table]; calls != d.calls || scans != d.scans {
		w.Errorf("%v calls and %v scans; want %v and %v", calls, scans, d.calls, d.scans)
	}
	w.call(table, 5)
	w.until(fmt.Sprintf("seq_scan IN (14, 41) FROM pg_stat_user_tables WHERE relname = '%s'", table))
	w.pass()
	if calls, scans := w.counted(table), w.scans[table]; calls != d.calls+5 || scans != d.scans+5 {
		w.Errorf("after five more: %v calls and %v scans; want %v and %v", calls, scans, d.calls+5, d.scans+5)
	}
	w.healthy()
}
