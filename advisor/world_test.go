package advisor_test

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

//go:embed testdata/ci.sql
var ciSQL string

//go:embed testdata/catalog_tables.sql
var catalogTables string

//go:embed testdata/catalog_columns.sql
var catalogColumns string

//go:embed testdata/catalog_indexes.sql
var catalogIndexes string

// readCatalog reads what the collector would, as far as the advisor needs it.
func readCatalog(t *testing.T, conn *pgx.Conn) pgvigil.DatabaseRead {
	t.Helper()
	ctx := context.Background()
	read := pgvigil.DatabaseRead{Name: "ci", Visited: true}
	at := map[pgvigil.OID]int{}
	rows, err := conn.Query(ctx, catalogTables)
	check(t, err)
	for rows.Next() {
		var x pgvigil.Table
		check(t, rows.Scan(&x.Key.RelID, &x.Schema, &x.Name, &x.Kind, &x.Parent, &x.PartitionKey, &x.PartitionBound,
			&x.Pages, &x.TotalBytes, &x.RelTuples, &x.Counters.Inserted, &x.Counters.Updated, &x.Counters.Deleted, &x.Counters.HotUpdated))
		at[x.Key.RelID] = len(read.Tables)
		read.Tables = append(read.Tables, x)
	}
	check(t, rows.Err())
	rows, err = conn.Query(ctx, catalogColumns)
	check(t, err)
	for rows.Next() {
		var id pgvigil.OID
		c := pgvigil.Column{NullFrac: math.NaN(), Distinct: math.NaN(), Correlation: math.NaN()}
		check(t, rows.Scan(&id, &c.Num, &c.Name, &c.Type, &c.NotNull, &c.AvgWidth, &c.NullFrac, &c.Distinct))
		read.Tables[at[id]].Columns = append(read.Tables[at[id]].Columns, c)
	}
	check(t, rows.Err())
	rows, err = conn.Query(ctx, catalogIndexes)
	check(t, err)
	for rows.Next() {
		var x pgvigil.Index
		check(t, rows.Scan(&x.Key.RelID, &x.TableID, &x.Schema, &x.Name, &x.Table, &x.Def, &x.Method, &x.Constraint, &x.Unique, &x.Primary, &x.Valid, &x.Parent, &x.Predicate))
		read.Indexes = append(read.Indexes, x)
	}
	check(t, rows.Err())
	return read
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a database with the CI schema and a judge over it.
type world struct {
	dsn   string
	conn  *pgx.Conn
	read  pgvigil.DatabaseRead
	judge whatif.Judge
}

func ciWorld(t *testing.T, s *pgserver.Server) world {
	t.Helper()
	w := world{dsn: copyOf(t, s)}
	w.conn = pgtest.Connect(t, w.dsn)
	w.read = readCatalog(t, w.conn)
	return w
}

var (
	templatesMu sync.Mutex
	templates   = map[*pgserver.Server]bool{}
	copies      atomic.Int64
)

// copyOf returns a copy of the CI schema, which is loaded once per server.
func copyOf(t *testing.T, s *pgserver.Server) string {
	t.Helper()
	templatesMu.Lock()
	defer templatesMu.Unlock()
	if !templates[s] {
		pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE ci_template")
		pgtest.Exec(t, s.DSN("ci_template"), ciSQL)
		templates[s] = true
	}
	name := fmt.Sprintf("ci_%d", copies.Add(1))
	pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE "+name+" TEMPLATE ci_template")
	t.Cleanup(func() { pgtest.Exec(t, s.DSN("postgres"), "DROP DATABASE "+name+" WITH (FORCE)") })
	return s.DSN(name)
}

// withHypoPG is the CI world on PostgreSQL 15, judged by HypoPG.
func withHypoPG(t *testing.T) world {
	t.Helper()
	w := ciWorld(t, pgtest.Server(t, 15))
	pgtest.Exec(t, w.dsn, "CREATE EXTENSION hypopg")
	house := pgtest.Connect(t, w.dsn+" options='-c search_path=pg_catalog -c default_transaction_read_only=on'")
	j, err := whatif.NewHypoPG(context.Background(), house, whatif.Options{})
	check(t, err)
	w.judge = j
	return w
}

// oneLine joins the steps for comparison.
func oneLine(steps []pgvigil.Step) string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s.SQL
	}
	return strings.Join(out, "; ")
}
