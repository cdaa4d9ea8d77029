package collector_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/query"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// echo describes a text as itself, so that tests see what the collector read.
func echo(text string, o query.Options) pgvigil.Query {
	q := pgvigil.Query{Fingerprint: pgvigil.Fingerprint(len(text) + 1), Method: pgvigil.ByParse, Text: text}
	for part, parent := range o.Partitions {
		if strings.Contains(text, part) {
			q.Tables = append(q.Tables, parent)
		}
	}
	return q
}

// eager is a collector that fetches texts and catalogs in every pass.
func eager() *collector.Collector {
	return collector.New(collector.Options{
		Describe: echo, TextEvery: time.Nanosecond, CatalogEvery: time.Nanosecond, Log: slog.New(slog.DiscardHandler),
	})
}

// newCollector has the default intervals and a clock of the test's.
func newCollector(now func() time.Time) *collector.Collector {
	return collector.New(collector.Options{Describe: echo, Now: now, Log: slog.New(slog.DiscardHandler)})
}

// eagerKnowing is an eager collector that calls f once, after it has listed the
// databases and before it visits them.
func eagerKnowing(f func()) *collector.Collector {
	var once sync.Once
	started := time.Now()
	reads := 0
	return collector.New(collector.Options{
		Describe: echo, TextEvery: time.Nanosecond, CatalogEvery: time.Nanosecond, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time {
			reads++
			if reads == 4 { // start, server, list of databases, its end
				once.Do(f)
			}
			return started.Add(time.Duration(reads) * time.Millisecond)
		},
	})
}

// target names one database, so that tests on one server do not meet.
func target(t testing.TB, dsn string) pgvigil.Target {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return pgvigil.Target{Name: t.Name(), DSN: pgvigil.Secret(dsn), Databases: []string{config.Database}}
}

func pass(t testing.TB, c *collector.Collector, target pgvigil.Target) *pgvigil.Snapshot {
	t.Helper()
	snap, err := c.Pass(context.Background(), target)
	if err != nil {
		t.Fatalf("pass: %v (%s)", err, pgvigil.Advice(err))
	}
	return snap
}

// database returns what the pass read of the one database it looked into.
func database(t testing.TB, snap *pgvigil.Snapshot) pgvigil.DatabaseRead {
	t.Helper()
	for _, db := range snap.Databases {
		if db.Visited {
			return db
		}
	}
	t.Fatalf("no database was visited; warnings: %v", snap.Warnings)
	return pgvigil.DatabaseRead{}
}

func table(t testing.TB, db pgvigil.DatabaseRead, name string) pgvigil.Table {
	t.Helper()
	for _, tb := range db.Tables {
		if tb.Name == name {
			return tb
		}
	}
	t.Fatalf("no table %q in %s", name, db.Name)
	return pgvigil.Table{}
}

func index(t testing.TB, db pgvigil.DatabaseRead, name string) pgvigil.Index {
	t.Helper()
	for _, x := range db.Indexes {
		if x.Name == name {
			return x
		}
	}
	t.Fatalf("no index %q in %s", name, db.Name)
	return pgvigil.Index{}
}

// counted returns the counters of the statements of one database whose text
// contains part, added up.
func counted(snap *pgvigil.Snapshot, queries map[pgvigil.StatementKey]pgvigil.Query, db pgvigil.OID, part string) (sum pgvigil.Counters, n int) {
	for _, st := range snap.Statements.List {
		if st.Key.DBID == db && strings.Contains(queries[st.Key].Text, part) {
			sum = sum.Add(st.Counters)
			n++
		}
	}
	return sum, n
}

func codes(warnings []pgvigil.Warning) []string {
	var list []string
	for _, w := range warnings {
		list = append(list, w.Code)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestPassOnAnEmptyDatabase(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		snap := pass(t, eager(), target(t, dsn))
		if want := []string{"pgss-missing"}; !slices.Equal(codes(snap.Warnings), want) {
			t.Errorf("warnings = %v; want %v", snap.Warnings, want)
		}
		db := database(t, snap)
		if len(db.Tables)+len(db.Indexes)+len(db.Constraints) != 0 {
			t.Errorf("an empty database has tables %v, indexes %v, constraints %v", db.Tables, db.Indexes, db.Constraints)
		}
		if snap.Server.SystemID == 0 || snap.Server.Timeline != 1 || snap.Server.PostmasterStart.IsZero() || snap.Server.InRecovery {
			t.Errorf("server = %+v; want a primary on timeline 1", snap.Server)
		}
		if got := snap.Server.Version.Major(); got != s.Install.Major {
			t.Errorf("version = %v; want major %d", snap.Server.Version, s.Install.Major)
		}
		if d := snap.Clock.Sub(snap.At).Abs(); d > 5*time.Second {
			t.Errorf("clocks differ by %v on one machine", d)
		}
		if db.Stats.SizeBytes < 1<<20 || db.Stats.Backends < 1 {
			t.Errorf("database stats = %+v; want a size and our backend", db.Stats)
		}
	})
}

func TestPassReadsTablesIndexesAndPartitions(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `
			CREATE EXTENSION pg_stat_statements;
			CREATE TABLE project (id int PRIMARY KEY, name text NOT NULL CHECK (name <> ''), gone int);
			ALTER TABLE project DROP COLUMN gone;
			CREATE TABLE job (id bigint, part int, project int REFERENCES project, status text, at timestamptz, PRIMARY KEY (id, part))
				PARTITION BY LIST (part);
			CREATE TABLE job_1 PARTITION OF job FOR VALUES IN (1) WITH (fillfactor = 80);
			CREATE TABLE job_2 PARTITION OF job FOR VALUES IN (2);
			CREATE INDEX job_pending ON job (lower(status), at DESC) INCLUDE (project) WHERE status = 'pending';
			INSERT INTO project SELECT i, 'p' || i FROM generate_series(1, 100) i;
			INSERT INTO job SELECT i, 1 + i % 2, 1 + i % 100, 'pending', now() FROM generate_series(1, 1000) i;`)
		pgtest.Exec(t, dsn, "VACUUM ANALYZE")
		settled(t, dsn, "job_1", "vacuum_count = 1 AND analyze_count = 1")
		snap := pass(t, eager(), target(t, dsn))
		if len(snap.Warnings) != 0 {
			t.Errorf("warnings: %v", snap.Warnings)
		}
		db := database(t, snap)

		job, leaf, project := table(t, db, "job"), table(t, db, "job_1"), table(t, db, "project")
		if job.Kind != "p" || job.PartitionKey != "LIST (part)" || job.Parent != 0 {
			t.Errorf("job = kind %s, key %q; want p, LIST (part)", job.Kind, job.PartitionKey)
		}
		if leaf.Parent != job.Key.RelID || leaf.PartitionBound != "FOR VALUES IN (1)" || leaf.FillFactor != 80 {
			t.Errorf("job_1 = parent %d, bound %q, fillfactor %d", leaf.Parent, leaf.PartitionBound, leaf.FillFactor)
		}
		if leaf.RelTuples != 500 || leaf.Pages == 0 || leaf.LastVacuum.IsZero() || leaf.LastAnalyze.IsZero() || leaf.TotalBytes <= pgvigil.Bytes(leaf.Pages*8192) {
			t.Errorf("job_1 = %+v; want 500 rows, pages, times, more bytes than the heap's", leaf)
		}
		var names []string
		for _, c := range project.Columns {
			names = append(names, c.Name+" "+c.Type)
		}
		if got := strings.Join(names, ", "); got != "id integer, name text" {
			t.Errorf("columns of project = %s", got)
		}
		if c := project.Columns[0]; c.AvgWidth != 4 || c.NullFrac != 0 || c.Distinct != -1 || !c.NotNull {
			t.Errorf("project.id = %+v; want statistics", c)
		}

		pending := index(t, db, "job_pending")
		if !slices.Equal(pending.Keys, []string{"lower(status)", "at"}) || !slices.Equal(pending.Include, []string{"project"}) ||
			pending.Predicate != "(status = 'pending'::text)" || pending.Method != "btree" || pending.Table != "job" || !pending.Valid {
			t.Errorf("job_pending = %+v", pending)
		}
		leafKey := index(t, db, "job_1_pkey")
		if !leafKey.Primary || !leafKey.Unique || leafKey.Constraint != "job_1_pkey" || leafKey.Parent != index(t, db, "job_pkey").Key.RelID ||
			leafKey.Def != "CREATE UNIQUE INDEX job_1_pkey ON public.job_1 USING btree (id, part)" {
			t.Errorf("job_1_pkey = %+v", leafKey)
		}

		var defs []string
		for _, k := range db.Constraints {
			if k.TableID == job.Key.RelID || k.TableID == project.Key.RelID {
				defs = append(defs, k.Kind+" "+k.Def)
			}
		}
		slices.Sort(defs)
		want := []string{"c CHECK ((name <> ''::text))", "f FOREIGN KEY (project) REFERENCES public.project(id)", "p PRIMARY KEY (id)", "p PRIMARY KEY (id, part)"}
		if !slices.Equal(defs, want) {
			t.Errorf("constraints = %q; want %q", defs, want)
		}
	})
}

func TestCountersAreThoseThatTheTestMade(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `
			CREATE EXTENSION pg_stat_statements;
			CREATE TABLE item (id int PRIMARY KEY, v int) WITH (autovacuum_enabled = off);
			INSERT INTO item SELECT i, 0 FROM generate_series(1, 1000) i;`)
		c, tg := eager(), target(t, dsn)
		work := func(calls int) {
			conn := pgtest.Connect(t, dsn)
			defer conn.Close(context.Background())
			for i := range calls {
				if _, err := conn.Exec(context.Background(), "UPDATE item SET v = v + 1 WHERE id = $1 /*controller='x'*/", i+1); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := conn.Exec(context.Background(), "SELECT count(*) FROM item"); err != nil {
				t.Fatal(err)
			}
		}
		work(7)
		settled(t, dsn, "item", "n_tup_upd = 7")
		first := pass(t, c, tg)
		work(5)
		settled(t, dsn, "item", "n_tup_upd = 12")
		second := pass(t, c, tg)

		db := database(t, first)
		before, n := counted(first, first.Queries, db.OID, "UPDATE item")
		if n != 1 || before[pgvigil.Calls] != 7 || before[pgvigil.Rows] != 7 {
			t.Errorf("update = %d entries, %v calls, %v rows; want 1, 7, 7", n, before[pgvigil.Calls], before[pgvigil.Rows])
		}
		after, _ := counted(second, first.Queries, db.OID, "UPDATE item")
		diff := after.Sub(before)
		if diff[pgvigil.Calls] != 5 || !(diff[pgvigil.ExecMS] > 0) || !(diff[pgvigil.SharedHit] >= 10) || !(diff[pgvigil.WALRecords] >= 5) {
			t.Errorf("growth = %v; want 5 calls with time, blocks and WAL", diff)
		}
		if !second.At.After(first.At) {
			t.Errorf("At = %v, then %v; want it to grow", first.At, second.At)
		}
		t1, t2 := table(t, db, "item").Counters, table(t, database(t, second), "item").Counters
		if t1.Updated != 7 || t2.Updated != 12 || t2.SeqScans-t1.SeqScans != 1 || t2.IndexScans-t1.IndexScans != 5 {
			t.Errorf("table counters = %+v, then %+v; want 7 and 12 updates, one more scan, 5 more index scans", t1, t2)
		}
		if got := index(t, database(t, second), "item_pkey").Scans; got != 12 {
			t.Errorf("scans of item_pkey = %v; want 12", got)
		}
	})
}

func TestOldExtensionOnANewServer(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		var versions []string
		conn := pgtest.Connect(t, dsn)
		rows, err := conn.Query(context.Background(), "SELECT version FROM pg_available_extension_versions WHERE name = 'pg_stat_statements'")
		if err != nil {
			t.Fatal(err)
		}
		if versions, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
		tried := 0
		for _, v := range versions {
			if !slices.Contains([]string{"1.8", "1.9", "1.10", "1.11", "1.12"}, v) {
				continue
			}
			tried++
			pgtest.Exec(t, dsn, "DROP EXTENSION IF EXISTS pg_stat_statements; CREATE EXTENSION pg_stat_statements VERSION '"+v+"'")
			snap := pass(t, eager(), target(t, dsn))
			if !snap.Statements.OK || snap.Statements.Extension != v || len(snap.Statements.List) == 0 || len(snap.Queries) == 0 {
				t.Fatalf("extension %s: read = %+v, warnings %v", v, snap.Statements, snap.Warnings)
			}
			c := snap.Statements.List[0].Counters
			for m, want := range map[pgvigil.Metric]bool{
				pgvigil.Calls: true, pgvigil.WALBytes: true, pgvigil.SharedReadMS: true,
				pgvigil.TempReadMS:       !slices.Contains([]string{"1.8", "1.9"}, v),
				pgvigil.LocalReadMS:      v == "1.11" || v == "1.12",
				pgvigil.ParallelLaunched: v == "1.12",
			} {
				if known := c[m] == c[m]; known != want {
					t.Errorf("extension %s: %v known = %v; want %v", v, m, known, want)
				}
			}
			if known := !snap.Statements.Reset.IsZero() && snap.Statements.Dealloc >= 0; known != (v != "1.8") {
				t.Errorf("extension %s: reset %v, dealloc %d", v, snap.Statements.Reset, snap.Statements.Dealloc)
			}
			if known := !snap.Statements.List[0].Since.IsZero(); known != (v == "1.11" || v == "1.12") {
				t.Errorf("extension %s: since = %v", v, snap.Statements.List[0].Since)
			}
			if snap.Statements.Max != 5000 {
				t.Errorf("extension %s: max = %d; want 5000", v, snap.Statements.Max)
			}
		}
		if tried < 2 {
			t.Errorf("tried %d versions of %v; want more", tried, versions)
		}
	})
}

func TestActivityShowsWhoBlocksWhom(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE hot (id int PRIMARY KEY, v int); INSERT INTO hot VALUES (1, 0)")
		ctx := context.Background()
		holder, waiter := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
		tx, err := holder.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "UPDATE hot SET v = 1 WHERE id = 1"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := waiter.Exec(ctx, "UPDATE hot SET v = 2 WHERE id = 1 /*job='x'*/")
			done <- err
		}()
		waitFor(t, dsn, fmt.Sprintf("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = %d AND wait_event_type = 'Lock'", waiter.PgConn().PID()))
		snap := pass(t, eager(), target(t, dsn))
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		var blocked, blocking pgvigil.Session
		for _, b := range snap.Sessions {
			switch uint32(b.PID) {
			case waiter.PgConn().PID():
				blocked = b
			case holder.PgConn().PID():
				blocking = b
			}
		}
		if !slices.Equal(blocked.BlockedBy, []int{blocking.PID}) || blocked.WaitType != "Lock" || blocked.Fingerprint == 0 ||
			!strings.Contains(blocked.Query, "SET v = 2") || blocked.State != "active" {
			t.Errorf("waiter = %+v; want it blocked by %d", blocked, blocking.PID)
		}
		if blocking.State != "idle in transaction" || blocking.User != "postgres" || blocking.XactStart.IsZero() || blocking.QueryStart.IsZero() {
			t.Errorf("holder = %+v", blocking)
		}
		if len(snap.Locks) != 1 || snap.Locks[0].Relation != "public.hot" || snap.Locks[0].Waiter != blocked.PID ||
			snap.Locks[0].Blocker != blocking.PID || snap.Locks[0].Mode != "ShareLock" || snap.Locks[0].LockType != "transactionid" {
			t.Errorf("locks = %+v; want one edge on public.hot", snap.Locks)
		}
	})
}

// settled waits until the server's statistics of a table have arrived: before
// PostgreSQL 15 a process of its own collects them.
func settled(t *testing.T, dsn, table, condition string) {
	t.Helper()
	waitFor(t, dsn, "SELECT "+condition+" FROM pg_stat_user_tables WHERE relname = '"+table+"'")
}

// waitFor polls until a query gives true.
func waitFor(t *testing.T, dsn, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn := pgtest.Connect(t, dsn)
	defer conn.Close(ctx)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var ok bool
		if err := conn.QueryRow(ctx, sql).Scan(&ok); err != nil {
			t.Fatalf("wait for %s: %v", sql, err)
		}
		if ok {
			return
		}
		<-tick.C
	}
}
