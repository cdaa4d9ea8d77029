package collector_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// filled is a server with so many statements of 1 KB text on 500 tables, each
// called twice.
func filled(b *testing.B, major, statements int) *pgserver.Server {
	b.Helper()
	s := pgtest.Own(b, major, pgserver.Options{Settings: map[string]string{
		"pg_stat_statements.max": strconv.Itoa(statements + 1000), "max_locks_per_transaction": "1000",
	}})
	pgtest.Exec(b, s.DSN("postgres"), `CREATE EXTENSION pg_stat_statements;
		DO $$ BEGIN FOR i IN 1..500 LOOP EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, a int, b text, c timestamptz)', i);
		EXECUTE format('CREATE INDEX ON t%s (a, c)', i); END LOOP; END $$;
		SELECT pg_stat_statements_reset();`)
	conn := pgtest.Connect(b, s.DSN("postgres"))
	padding := strings.Repeat("x", 950)
	for from := 0; from < 2*statements; from += 100 {
		var script strings.Builder
		for i := from; i < from+100; i++ {
			n := i % statements
			fmt.Fprintf(&script, "SELECT a%s FROM t%d /* %s */;", strings.Repeat(", a", n/500), 1+n%500, padding)
		}
		if _, err := conn.Exec(context.Background(), script.String(), pgx.QueryExecModeSimpleProtocol); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// BenchmarkPass measures a pass over 5,000 statements and 500 tables, all texts
// and definitions known.
func BenchmarkPass(b *testing.B) {
	s := filled(b, 15, 5000)
	tg := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(s.DSN("postgres"))}
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
}

// BenchmarkStatements measures on the server's side what one read of the
// statements costs, beside SELECT * of the view: CPU of the backend, bytes in
// both directions. The readers take turns, so that a slow moment of the machine
// hits them alike; figures are medians, shares are of SELECT *.
func BenchmarkStatements(b *testing.B) {
	for _, major := range []int{15, 18} {
		for _, statements := range []int{5_000, 50_000} {
			b.Run(fmt.Sprintf("pg%d/%d", major, statements), func(b *testing.B) { statementsCost(b, major, statements) })
		}
	}
}

func statementsCost(b *testing.B, major, statements int) {
	s := filled(b, major, statements)
	ctx := context.Background()
	conn, wire := counting(b, s.DSN("postgres"))
	e := collector.NewEntries(conn, map[int]string{15: "1.10", 18: "1.12"}[major])
	read := func(forget bool) {
		got, err := e.Read(ctx, forget)
		if err != nil || len(got.List) < statements {
			b.Fatalf("%d entries, %v; want %d", len(got.List), err, statements)
		}
	}
	readers := []struct {
		name string
		read func()
	}{
		{"view", func() { readAll(b, conn, "SELECT * FROM pg_stat_statements") }},
		{"full", func() { read(true) }},
		{"tenth", func() { e.Unsettle(10); read(false) }},
		{"none", func() { e.Unsettle(0); read(false) }},
	}
	cpu, bytes := make([][]float64, len(readers)), make([][]float64, len(readers))
	for _, r := range readers { // warm
		r.read()
	}
	for b.Loop() {
		for i, r := range readers {
			cpuBefore, bytesBefore := backendCPU(b, conn), wire.bytes
			r.read()
			cpu[i] = append(cpu[i], backendCPU(b, conn)-cpuBefore)
			bytes[i] = append(bytes[i], float64(wire.bytes-bytesBefore))
		}
	}
	for i, r := range readers {
		b.ReportMetric(median(cpu[i]), r.name+"-cpu-ms")
		b.ReportMetric(median(bytes[i])/1e6, r.name+"-MB")
		if i > 0 {
			b.ReportMetric(100*median(cpu[i])/median(cpu[0]), r.name+"-cpu-%")
			b.ReportMetric(100*median(bytes[i])/median(bytes[0]), r.name+"-bytes-%")
		}
	}
	noTempFiles(b, conn)
}

// noTempFiles fails if one of our reads made a temporary file: the server
// counts what it wrote to them.
func noTempFiles(b *testing.B, conn *pgx.Conn) {
	var blocks float64
	err := conn.QueryRow(context.Background(), `SELECT COALESCE(sum(temp_blks_written), 0)::float8
		FROM pg_stat_statements WHERE query LIKE '%FULL JOIN unnest%application=%'`).Scan(&blocks)
	if err != nil || blocks > 0 {
		b.Errorf("our reads wrote %v temporary blocks, %v; want none", blocks, err)
	}
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

func readAll(b *testing.B, conn *pgx.Conn, sql string) {
	rows, err := conn.Query(context.Background(), sql, pgx.QueryExecModeExec)
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
	}
	if rows.Err() != nil {
		b.Fatal(rows.Err())
	}
}

// wire counts the bytes of a connection in both directions.
type wire struct {
	net.Conn
	bytes int
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.bytes += n
	return n, err
}

func (w *wire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.bytes += n
	return n, err
}

// counting connects under the rule of passes, as far as it bears on cost.
func counting(b *testing.B, dsn string) (*pgx.Conn, *wire) {
	config, err := pgx.ParseConfig(dsn + " search_path=pg_catalog,public jit=off application_name=pgvigil")
	if err != nil {
		b.Fatal(err)
	}
	w := &wire{}
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		w.Conn = conn
		return w, err
	}
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may be gone by then
	return conn, w
}

// backendCPU is the time that a backend was on a processor, in ms.
func backendCPU(b *testing.B, conn *pgx.Conn) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", conn.PgConn().PID()))
	if err != nil {
		b.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), " ")
	ns, err := strconv.ParseFloat(first, 64)
	if err != nil {
		b.Fatal(err)
	}
	return ns / 1e6
}
