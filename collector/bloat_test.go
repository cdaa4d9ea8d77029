package collector_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// outcome is what was found out about one shape. Shares are in [0, 1].
type outcome struct {
	shape
	name     string
	truth    float64
	estimate *pgvigil.Bloat // nil unknown
	measured *pgvigil.Bloat
	common   float64 // of the widely used query; NaN unknown
}

// TestBloatFiguresAreNearTheTruth compares estimates, measurements and the
// widely used query with what VACUUM FULL and REINDEX really free. The flag
// -bloat-table writes the table of errors.
func TestBloatFiguresAreNearTheTruth(t *testing.T) {
	var written []versionTable
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			s := pgtest.Server(t, major)
			outcomes := judgeShapes(t, s)
			for _, o := range outcomes {
				o.check(t)
			}
			e := errorsOf(outcomes)
			if e.estimate.typical > 0.01 || e.estimate.worst > 0.08 || e.measured.typical > 0.02 || e.measured.worst > 0.12 {
				t.Errorf("estimates are off by %v, measurements by %v; want a hundredth and eight, and two and twelve hundredths at most", e.estimate, e.measured)
			}
			written = append(written, versionTable{s.Install.Version, outcomes})
		})
	}
	if *bloatTable {
		writeBloatTable(t, written)
	}
}

// TestBloatIsMeasuredOnEveryVersion is a smoke test of the functions' names,
// rights and columns.
func TestBloatIsMeasuredOnEveryVersion(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `CREATE SCHEMA "Ext"; CREATE EXTENSION pgstattuple SCHEMA "Ext"; CREATE TABLE r (a int PRIMARY KEY, t text)`+noVacuum+
			"; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 20000) i; DELETE FROM r WHERE a % 2 = 0")
		settled(t, dsn, "r", "n_tup_del > 0")
		pgtest.Exec(t, dsn, "VACUUM ANALYZE r")
		settled(t, dsn, "r", "analyze_count = 1")
		db := database(t, pass(t, measuring(), target(t, dsn)))
		if b := table(t, db, "r").Bloat; b == nil || b.Method != "pgstattuple_approx" || b.At.IsZero() || math.Abs(b.Share-0.5) > 0.05 {
			t.Errorf("a table half deleted = %+v; want half, measured", b)
		}
		if b := index(t, db, "r_pkey").Bloat; b == nil || b.Method != "pgstatindex" || math.Abs(b.Share-0.5) > 0.05 {
			t.Errorf("an index half deleted = %+v; want half, measured", b)
		}
	})
}

// judgeShapes makes all shapes in one database, each in a schema of its own,
// and finds out about each.
func judgeShapes(t *testing.T, s *pgserver.Server) []outcome {
	t.Helper()
	dsn := pgtest.Database(t, s)
	pgtest.Exec(t, dsn, "CREATE EXTENSION pgstattuple")
	names := slices.Sorted(maps.Keys(shapes))
	makeShapes(t, dsn, names)
	oids, pages := relations(t, dsn, names)
	estimates := figures(database(t, pass(t, estimating(), target(t, dsn))))
	m := measuring()
	var measured map[pgvigil.OID]*pgvigil.Bloat
	for range 3 { // each pass measures so many
		measured = figures(database(t, pass(t, m, target(t, dsn))))
	}
	common := commonShares(t, dsn)
	rest := rewrite(t, dsn, names)
	var list []outcome
	for i, name := range names {
		o := outcome{
			shape: shapes[name], name: name, truth: math.Max(0, 1-float64(rest[i])/float64(pages[i])),
			estimate: estimates[oids[i]], measured: measured[oids[i]], common: math.NaN(),
		}
		if share, ok := common[oids[i]]; ok {
			o.common = share
		}
		list = append(list, o)
	}
	return list
}

func estimating() *collector.Collector {
	return collector.New(collector.Options{
		Describe: echo, CatalogEvery: time.Nanosecond, Log: slog.New(slog.DiscardHandler), Bloat: collector.BloatBudget{PassBytes: -1},
	})
}

// measuring is a collector that measures everything, whatever it costs.
func measuring() *collector.Collector {
	return collector.New(collector.Options{
		Describe: echo, CatalogEvery: time.Nanosecond, Log: slog.New(slog.DiscardHandler),
		Bloat: collector.BloatBudget{Floor: -1, PassTime: time.Minute, CallTime: time.Minute},
	})
}

// makeShapes runs the SQL of the shapes, each in a schema of its own. A backend
// reports what it wrote when it ends; reported after ANALYZE it would be added
// to what that has found.
func makeShapes(t *testing.T, dsn string, names []string) {
	t.Helper()
	step := func(counted string, text func(shape) string) {
		conn := pgtest.Connect(t, dsn)
		n := 0
		for i, name := range names {
			if sql := text(shapes[name]); sql != "" {
				n++
				run(t, conn, fmt.Sprintf("SET search_path = shape%02d, public", i))
				run(t, conn, sql)
			}
		}
		if err := conn.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		waitFor(t, dsn, fmt.Sprintf("SELECT count(*) >= %d FROM pg_stat_user_tables WHERE schemaname LIKE 'shape%%' AND %s", n, counted))
	}
	conn := pgtest.Connect(t, dsn)
	for i := range names {
		run(t, conn, fmt.Sprintf("CREATE SCHEMA shape%02d", i))
	}
	step("n_tup_ins > 0", func(s shape) string { return s.sql })
	step("true", func(s shape) string { return s.before })
	step("analyze_count = 1", func(s shape) string {
		if s.raw {
			return ""
		}
		return "ANALYZE r"
	})
	step("analyze_count = 1 AND n_mod_since_analyze > 0", func(s shape) string { return s.after })
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("run %.80q: %v", sql, err)
	}
}

// relationSQL gives the relation of each shape: the table, or its only index.
const relationSQL = `SELECT COALESCE(i.indexrelid, c.oid) AS oid, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN pg_index i ON i.indrelid = c.oid WHERE c.relname = 'r' AND n.nspname LIKE 'shape%' ORDER BY n.nspname`

// relations returns the relation of each shape and how many pages it has now.
func relations(t *testing.T, dsn string, names []string) (oids []pgvigil.OID, pages []int64) {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	rows, err := conn.Query(context.Background(), "SELECT oid, pg_relation_size(oid) / 8192 FROM ("+relationSQL+") r")
	if err != nil {
		t.Fatal(err)
	}
	var oid pgvigil.OID
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&oid, &n}, func() error {
		oids, pages = append(oids, oid), append(pages, n)
		return nil
	}); err != nil || len(oids) != len(names) {
		t.Fatalf("found %d of %d relations: %v", len(oids), len(names), err)
	}
	return oids, pages
}

// figures returns what a pass says of every table and index.
func figures(db pgvigil.DatabaseRead) map[pgvigil.OID]*pgvigil.Bloat {
	all := map[pgvigil.OID]*pgvigil.Bloat{}
	for _, t := range db.Tables {
		all[t.Key.RelID] = t.Bloat
	}
	for _, x := range db.Indexes {
		all[x.Key.RelID] = x.Bloat
	}
	return all
}

// commonShares is what the widely used statistics query says.
func commonShares(t *testing.T, dsn string) map[pgvigil.OID]float64 {
	t.Helper()
	sql, err := os.ReadFile("testdata/common_bloat.sql")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pgtest.Connect(t, dsn).Query(context.Background(), string(sql))
	if err != nil {
		t.Fatal(err)
	}
	shares := map[pgvigil.OID]float64{}
	var oid pgvigil.OID
	var share float64
	if _, err := pgx.ForEachRow(rows, []any{&oid, &share}, func() error {
		shares[oid] = share
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return shares
}

// rewrite rewrites every shape and returns how many pages each has then.
func rewrite(t *testing.T, dsn string, names []string) []int64 {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	for i, name := range names {
		r := fmt.Sprintf("shape%02d.r", i)
		run(t, conn, "VACUUM "+r)
		if shapes[name].index {
			run(t, conn, "REINDEX TABLE "+r)
		} else {
			run(t, conn, "VACUUM FULL "+r)
		}
	}
	oids, pages := relations(t, dsn, names)
	_ = oids // a rewrite keeps them
	return pages
}
