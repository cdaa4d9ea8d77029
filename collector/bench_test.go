package collector_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// filled is a server with 5,000 statements of 1 KB text and 500 tables.
func filled(b *testing.B) *pgserver.Server {
	b.Helper()
	s := pgtest.Own(b, 15, pgserver.Options{Settings: map[string]string{"pg_stat_statements.max": "6000", "max_locks_per_transaction": "1000"}})
	pgtest.Exec(b, s.DSN("postgres"), `CREATE EXTENSION pg_stat_statements;
		DO $$ BEGIN FOR i IN 1..500 LOOP EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, a int, b text, c timestamptz)', i);
		EXECUTE format('CREATE INDEX ON t%s (a, c)', i); END LOOP; END $$;
		SELECT pg_stat_statements_reset();`)
	conn := pgtest.Connect(b, s.DSN("postgres"))
	ctx := context.Background()
	padding := strings.Repeat("x", 950)
	for from := 0; from < 5000; from += 100 {
		var script strings.Builder
		for i := from; i < from+100; i++ {
			fmt.Fprintf(&script, "SELECT a%s FROM t%d /* %s */;", strings.Repeat(", a", i/500), 1+i%500, padding)
		}
		if _, err := conn.Exec(ctx, script.String(), pgx.QueryExecModeSimpleProtocol); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// BenchmarkPass measures a pass over 5,000 statements and 500 tables, all texts
// and definitions known, beside what SELECT * of the view costs the server.
func BenchmarkPass(b *testing.B) {
	s := filled(b)
	dsn := s.DSN("postgres")
	tg := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(dsn)}
	b.Run("pass", func(b *testing.B) {
		c := collector.New(collector.Options{})
		if first := pass(b, c, tg); len(first.Statements.List) < 5000 || len(first.Queries) < 5000 {
			b.Fatalf("%d statements, %d texts; want 5,000", len(first.Statements.List), len(first.Queries))
		}
		b.ReportAllocs()
		for b.Loop() {
			if snap := pass(b, c, tg); len(snap.Queries) != 0 {
				b.Fatal("texts were read again")
			}
		}
	})
	for name, sql := range map[string]string{
		"server/all columns and texts": "SELECT * FROM pg_stat_statements",
		"server/ours":                  collector.StatementsSQL("public", "1.10"),
	} {
		b.Run(name, func(b *testing.B) { backendCost(b, dsn, sql) })
	}
}

// backendCost reports the CPU time of the backend and the bytes of values.
func backendCost(b *testing.B, dsn, sql string) {
	conn := pgtest.Connect(b, dsn)
	ctx := context.Background()
	before, bytes := cpuTicks(b, conn.PgConn().PID()), 0
	for b.Loop() {
		rows, err := conn.Query(ctx, sql, pgx.QueryExecModeExec)
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			for _, v := range rows.RawValues() {
				bytes += len(v) + 4
			}
		}
		if rows.Err() != nil {
			b.Fatal(rows.Err())
		}
	}
	n := float64(b.N)
	b.ReportMetric(10*float64(cpuTicks(b, conn.PgConn().PID())-before)/n, "cpu-ms/op")
	b.ReportMetric(float64(bytes)/n/1e6, "wire-MB/op")
}

// cpuTicks is user and system time of a process in hundredths of a second.
func cpuTicks(b *testing.B, pid uint32) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')'):]))
	user, err1 := strconv.Atoi(fields[12])
	system, err2 := strconv.Atoi(fields[13])
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	return user + system
}
