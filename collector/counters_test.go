package collector_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// TestCountersThatASettingSwitchesOn arrive: planning, statements inside
// functions, JIT, parallel workers, and the times of shared, local and temporary
// blocks.
func TestCountersThatASettingSwitchesOn(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{Settings: map[string]string{
			"pg_stat_statements.track": "all", "pg_stat_statements.track_planning": "on", "track_io_timing": "on",
			"shared_buffers": "1MB", "temp_buffers": "800kB", "wal_buffers": "32kB", "fsync": "on",
		}})
		pgtest.Exec(t, s.DSN("postgres"), `
			CREATE EXTENSION pg_stat_statements;
			CREATE TABLE big AS SELECT i, repeat('x', 200) AS t FROM generate_series(1, 20000) i; ANALYZE big;
			CREATE FUNCTION nested() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM big WHERE i < 10); END $$;`)
		conn := pgtest.Connect(t, s.DSN("postgres"))
		work := []string{
			"CREATE TEMP TABLE scratch AS SELECT * FROM big",
			"UPDATE scratch SET i = i + 1",
			"SELECT count(*) FROM scratch",
			"UPDATE big SET i = i",
			"SELECT nested()",
			"SET work_mem = '64kB'", "SELECT * FROM big ORDER BY t, i",
			"SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0",
			"SELECT sum(i * 3) FROM big WHERE i % 2 = 0",
			"SET jit = off; SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
			"SELECT count(*) FROM big WHERE t LIKE '%y%'",
		}
		for _, sql := range work {
			if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		var jit bool // says no where it is off
		pgtest.Exec(t, s.DSN("postgres"), "ALTER DATABASE postgres SET jit = on")
		conn = pgtest.Connect(t, s.DSN("postgres"))
		if err := conn.QueryRow(context.Background(), "SELECT pg_jit_available()").Scan(&jit); err != nil {
			t.Fatal(err)
		}
		snap := pass(t, eager(), target(t, s.DSN("postgres")))
		var sum pgvigil.Counters
		inner := 0.0
		for _, st := range snap.Statements.List {
			sum = sum.Add(st.Counters)
			if !st.Key.TopLevel && strings.Contains(snap.Queries[st.Key].Text, "FROM big WHERE i <") {
				inner = st.Counters[pgvigil.Calls]
			}
		}
		if inner != 1 {
			t.Errorf("the statement inside the function has %v calls, not at the top level; want 1", inner)
		}
		for m, there := range arriving(snap.Statements.Extension, jit) {
			if (sum[m] > 0) != there {
				t.Errorf("%s = %v; want more than zero: %v", m, sum[m], there)
			}
		}
	})
}

// arriving says which of the counters that depend on settings a version has.
func arriving(extension string, jit bool) map[pgvigil.Metric]bool {
	v10 := extension != "1.9" && extension != "1.8"
	v11 := v10 && extension != "1.10"
	return map[pgvigil.Metric]bool{
		pgvigil.Plans: true, pgvigil.PlanMS: true, pgvigil.WALBytes: true, pgvigil.WALRecords: true,
		pgvigil.SharedRead: true, pgvigil.SharedReadMS: true, pgvigil.SharedWritten: true, pgvigil.SharedWriteMS: true,
		pgvigil.LocalRead: true, pgvigil.LocalWritten: true, pgvigil.LocalReadMS: v11, pgvigil.LocalWriteMS: v11,
		pgvigil.TempRead: true, pgvigil.TempWritten: true, pgvigil.TempReadMS: v10, pgvigil.TempWriteMS: v10,
		pgvigil.JITFunctions: v10 && jit, pgvigil.JITGenerationMS: v10 && jit, pgvigil.JITInliningMS: v10 && jit,
		pgvigil.JITOptimizationMS: v10 && jit, pgvigil.JITEmissionMS: v10 && jit, pgvigil.JITDeformMS: v11 && jit,
		pgvigil.ParallelToLaunch: extension == "1.12", pgvigil.ParallelLaunched: extension == "1.12",
		pgvigil.WALBuffersFull: extension == "1.12",
	}
}
