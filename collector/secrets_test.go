package collector_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// TestNoLiteralLeavesTheCollector plants secrets where the extension and the
// activity view keep them verbatim, and looks for them in the whole snapshot.
func TestNoLiteralLeavesTheCollector(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		ctx := context.Background()
		role := fmt.Sprintf("planted%d", s.Port)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE job_1 (id int, token text); DROP ROLE IF EXISTS "+role)
		conn := pgtest.Connect(t, dsn)
		for _, sql := range []string{
			"CREATE ROLE " + role + " PASSWORD 'PLANTED-1'",
			"ALTER ROLE " + role + " PASSWORD 'PLANTED-2'",
			"CREATE TABLE copied AS SELECT 'PLANTED-3'::text AS t",
			"DO $$ BEGIN PERFORM 'PLANTED-4'; END $$",
			"EXPLAIN SELECT 'PLANTED-5'",
			"COMMENT ON TABLE job_1 IS 'PLANTED-6'",
			"INSERT INTO job_1 VALUES (1, 'PLANTED-7')",
		} {
			if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "DECLARE c CURSOR FOR SELECT * FROM job_1 WHERE token = 'PLANTED-8'", pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		c := collector.New(collector.Options{TextEvery: time.Nanosecond})
		snap := pass(t, c, target(t, dsn))
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		pgtest.Exec(t, dsn, "DROP ROLE "+role)
		var sessions int
		for _, b := range snap.Sessions {
			if uint32(b.PID) == conn.PgConn().PID() && b.Fingerprint != 0 {
				sessions++
			}
		}
		if sessions != 1 || len(snap.Queries) < 8 {
			t.Errorf("%d sessions, %d queries; want the planted ones among them", sessions, len(snap.Queries))
		}
		own := 0
		for key, q := range snap.Queries {
			if q.Tags["application"] == "pgvigil" {
				own++
			}
			if text, _ := json.Marshal(q); strings.Contains(string(text), "PLANTED") {
				t.Errorf("%+v holds %s", key, text)
			}
		}
		if text := fmt.Sprintf("%+v", *snap); strings.Contains(text, "PLANTED") {
			t.Errorf("the snapshot holds a planted secret near %.200s", text[strings.Index(text, "PLANTED")-100:])
		}
		if again := pass(t, c, target(t, dsn)); own == 0 && !ownMarked(again) {
			t.Error("none of our own statements is marked as ours")
		}
	})
}

func ownMarked(snap *pgvigil.Snapshot) bool {
	for _, q := range snap.Queries {
		if q.Tags["application"] == "pgvigil" {
			return true
		}
	}
	return false
}

// TestPartitionsShareAFingerprint: the map of partitions is read before the
// texts are described.
func TestPartitionsShareAFingerprint(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `CREATE EXTENSION pg_stat_statements;
			CREATE TABLE job (id int, part int) PARTITION BY LIST (part);
			CREATE TABLE job_a PARTITION OF job FOR VALUES IN (1);
			CREATE TABLE job_b PARTITION OF job FOR VALUES IN (2);`)
		conn := pgtest.Connect(t, dsn)
		for _, table := range []string{"job", "job_a", "job_b"} {
			if _, err := conn.Exec(context.Background(), "SELECT max(id) FROM "+table+" WHERE id > 17"); err != nil {
				t.Fatal(err)
			}
		}
		snap := pass(t, collector.New(collector.Options{}), target(t, dsn))
		prints := map[pgvigil.Fingerprint]int{}
		here := database(t, snap).OID
		for key, q := range snap.Queries {
			if key.DBID == here && strings.Contains(q.Text, "max(id)") {
				prints[q.Fingerprint]++
			}
		}
		if len(prints) != 1 {
			t.Errorf("fingerprints = %v; want one for the table and its partitions", prints)
		}
	})
}
