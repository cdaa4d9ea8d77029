package collector_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// shape is a table or index with a name that says what is special about it.
// Its SQL makes a relation r.
type shape struct {
	sql   string
	index bool
	// unknown says that an honest estimate has no answer.
	unknown bool
}

var update = flag.Bool("update", false, "rewrite testdata")

const noVacuum = " WITH (autovacuum_enabled = off)"

// shapes are tables and indexes on which estimates go wrong.
var shapes = map[string]shape{
	"table, fixed width, no bloat": {sql: "CREATE TABLE r (a int, b bigint, c timestamptz)" + noVacuum +
		"; INSERT INTO r SELECT i, i, now() FROM generate_series(1, 40000) i"},
	"table, alignment padding": {sql: "CREATE TABLE r (a bool, b bigint, c smallint, d bigint, e bool)" + noVacuum +
		"; INSERT INTO r SELECT true, i, 1, i, false FROM generate_series(1, 40000) i"},
	"table, half deleted": {sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 40000) i; DELETE FROM r WHERE a % 2 = 0"},
	"table, each row updated twice": {sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 20000) i; UPDATE r SET a = a + 1; UPDATE r SET a = a + 1"},
	"table, texts of many lengths": {sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, repeat('x', 1 + (i * 7919) % 400) FROM generate_series(1, 30000) i; DELETE FROM r WHERE a > 20000"},
	"table, many nulls": {sql: "CREATE TABLE r (a int, b bigint, c text, d bigint)" + noVacuum +
		"; INSERT INTO r SELECT i, CASE WHEN i % 3 = 0 THEN i END, CASE WHEN i % 5 = 0 THEN 'abcdef' END, CASE WHEN i % 2 = 0 THEN i END FROM generate_series(1, 40000) i"},
	"table, fillfactor 70": {sql: "CREATE TABLE r (a int, t text) WITH (autovacuum_enabled = off, fillfactor = 70)" +
		"; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 30000) i"},
	"table, wide rows": {sql: "CREATE TABLE r (a int, t text)" + noVacuum + "; ALTER TABLE r ALTER t SET STORAGE PLAIN" +
		"; INSERT INTO r SELECT i, repeat('x', 1500) FROM generate_series(1, 3000) i; DELETE FROM r WHERE a % 4 = 0"},
	"table, texts out of line": {sql: "CREATE TABLE r (a int, t text)" + noVacuum + "; ALTER TABLE r ALTER t SET STORAGE EXTERNAL" +
		"; INSERT INTO r SELECT i, repeat('x', 4000) FROM generate_series(1, 5000) i; DELETE FROM r WHERE a > 3000"},
	"table, dropped int column": {sql: "CREATE TABLE r (a int, b int, c bigint, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, i, i, 'abc' FROM generate_series(1, 40000) i; ALTER TABLE r DROP COLUMN c"},
	"table, dropped text column": {unknown: true, sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, repeat('x', 100) FROM generate_series(1, 10000) i; ALTER TABLE r DROP COLUMN t"},
	"table, column added with a default": {sql: "CREATE TABLE r (a int, b int)" + noVacuum +
		"; INSERT INTO r SELECT i, i FROM generate_series(1, 40000) i; ALTER TABLE r ADD c bigint NOT NULL DEFAULT 7"},
	"index, unique, in order": {index: true, sql: "CREATE TABLE r (a bigint PRIMARY KEY)" + noVacuum +
		"; INSERT INTO r SELECT i FROM generate_series(1, 60000) i"},
	"index, unique, at random": {index: true, sql: "CREATE TABLE r (a uuid PRIMARY KEY)" + noVacuum +
		"; INSERT INTO r SELECT md5(i::text)::uuid FROM generate_series(1, 60000) i"},
	"index, nine tenths deleted": {index: true, sql: "CREATE TABLE r (a bigint PRIMARY KEY)" + noVacuum +
		"; INSERT INTO r SELECT i FROM generate_series(1, 60000) i; DELETE FROM r WHERE a % 10 <> 0"},
	"index, few values (deduplicated)": {index: true, sql: "CREATE TABLE r (a int, s text)" + noVacuum +
		"; CREATE INDEX ON r (s); INSERT INTO r SELECT i, (ARRAY['success','failed','running'])[1 + i % 3] FROM generate_series(1, 60000) i"},
	"index, five rows a value": {index: true, sql: "CREATE TABLE r (a int, s int)" + noVacuum +
		"; CREATE INDEX ON r (s); INSERT INTO r SELECT i, i / 5 FROM generate_series(1, 60000) i"},
	"index, values of skewed counts": {index: true, sql: "CREATE TABLE r (a int, s int)" + noVacuum +
		"; CREATE INDEX ON r (s); INSERT INTO r SELECT i, (20000 * power((i * 7919 % 60000) / 60000.0, 4))::int FROM generate_series(1, 60000) i"},
	"index, numeric (never deduplicated)": {index: true, sql: "CREATE TABLE r (a int, n numeric)" + noVacuum +
		"; CREATE INDEX ON r (n); INSERT INTO r SELECT i, i % 7 FROM generate_series(1, 60000) i"},
	"index, texts of many lengths": {index: true, sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; CREATE INDEX ON r (t); INSERT INTO r SELECT i, md5(i::text) || repeat('y', i % 90) FROM generate_series(1, 30000) i"},
	"index, two related columns": {index: true, sql: "CREATE TABLE r (a int, p int, s text)" + noVacuum +
		"; CREATE INDEX ON r (p, s); INSERT INTO r SELECT i, i % 500, 'state' || i % 5 FROM generate_series(1, 60000) i"},
	"index, partial, of an expression": {index: true, sql: "CREATE TABLE r (a int, s text)" + noVacuum +
		"; CREATE INDEX ON r (upper(s)) WHERE a % 2 = 0; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 40000) i"},
	"index, mostly null": {index: true, sql: "CREATE TABLE r (a int, b bigint)" + noVacuum +
		"; CREATE INDEX ON r (b); INSERT INTO r SELECT i, CASE WHEN i % 10 = 0 THEN i END FROM generate_series(1, 60000) i"},
	"index, fillfactor 60": {index: true, sql: "CREATE TABLE r (a bigint)" + noVacuum +
		"; CREATE INDEX ON r (a) WITH (fillfactor = 60); INSERT INTO r SELECT i FROM generate_series(1, 60000) i"},
}

// TestBloatEstimatesAreNearTheTruth compares estimates with what VACUUM FULL
// and REINDEX really free. -update writes the table of errors to
// testdata/bloat.md.
func TestBloatEstimatesAreNearTheTruth(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pgstattuple")
		var lines []string
		for name, sh := range shapes {
			t.Run(name, func(t *testing.T) {
				pgtest.Exec(t, dsn, "DROP TABLE IF EXISTS r; "+sh.sql)
				// The backend that wrote reports its counts when it ends; reported after
				// ANALYZE they would be added to what that has found.
				settled(t, dsn, "r", "n_tup_ins > 0")
				pgtest.Exec(t, dsn, "ANALYZE r")
				settled(t, dsn, "r", "analyze_count = 1")
				lines = append(lines, "| "+name+" | "+judge(t, dsn, sh)+" |")
			})
		}
		writeBloatTable(t, s, lines)
	})
}

// judge compares the estimate with the truth and returns a row of the table.
func judge(t *testing.T, dsn string, sh shape) string {
	t.Helper()
	got, pages := measured(t, dsn, sh)
	stat := fromPgstattuple(t, dsn, sh)
	rest := rewritten(t, dsn, sh)
	truth := math.Max(0, 1-float64(rest)/float64(pages))
	if got == nil || sh.unknown {
		if got != nil || !sh.unknown {
			t.Errorf("estimate = %v; want unknown: %v", got, sh.unknown)
		}
		return fmt.Sprintf("%.1f %% | unknown | | | %s", 100*truth, stat)
	}
	off := got.Share - truth
	if math.Abs(off) > 2*got.Error {
		t.Errorf("estimate %.3f, truth %.3f; want them within twice the stated error of %.3f", got.Share, truth, got.Error)
	}
	return fmt.Sprintf("%.1f %% | %.1f %% | %+.1f | %.0f | %s", 100*truth, 100*got.Share, 100*off, 100*got.Error, stat)
}

// measured is the collector's estimate of r, or of its only index, and its pages.
func measured(t *testing.T, dsn string, sh shape) (*pgvigil.Bloat, int64) {
	t.Helper()
	db := database(t, pass(t, eager(), target(t, dsn)))
	if !sh.index {
		r := table(t, db, "r")
		return r.Bloat, r.Pages
	}
	if len(db.Indexes) != 1 {
		t.Fatalf("r has %d indexes; want 1", len(db.Indexes))
	}
	return db.Indexes[0].Bloat, db.Indexes[0].Pages
}

// rewritten is how many pages are left after a rewrite.
func rewritten(t *testing.T, dsn string, sh shape) (pages int64) {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	rewrite := "VACUUM FULL r"
	if sh.index {
		rewrite = "REINDEX TABLE r"
	}
	ctx := context.Background()
	if _, err := conn.Exec(ctx, "VACUUM r"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, rewrite); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(ctx, "SELECT pg_relation_size($1::text::regclass) / 8192", relation(t, conn, sh)).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	return pages
}

// fromPgstattuple is what the extension says: free and dead share of a table,
// 100 less the leaf density of an index.
func fromPgstattuple(t *testing.T, dsn string, sh shape) string {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	sql := "SELECT free_percent + dead_tuple_percent FROM pgstattuple($1::text)"
	if sh.index {
		sql = "SELECT 100 - avg_leaf_density FROM pgstatindex($1::text)"
	}
	var percent float64
	if err := conn.QueryRow(context.Background(), sql, relation(t, conn, sh)).Scan(&percent); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%.1f %%", percent)
}

func relation(t *testing.T, conn *pgx.Conn, sh shape) string {
	t.Helper()
	if !sh.index {
		return "r"
	}
	var name string
	if err := conn.QueryRow(context.Background(), "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'r'::regclass").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

func writeBloatTable(t *testing.T, s *pgserver.Server, lines []string) {
	t.Helper()
	text := fmt.Sprintf("PostgreSQL %s. Truth is what VACUUM FULL or REINDEX frees.\n\n"+
		"| shape | truth | estimate | off by | stated error | pgstattuple, 100 - density |\n|---|---|---|---|---|---|\n%s\n",
		s.Install.Version, strings.Join(slices.Sorted(slices.Values(lines)), "\n"))
	t.Log("\n" + text)
	if *update && s.Install.Major == 18 {
		if err := os.WriteFile("testdata/bloat.md", []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
}
