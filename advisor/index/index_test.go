package index_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// jobs is a catalog of one table with some columns and indexes.
func jobs(rows float64, defs ...string) pgvigil.DatabaseRead {
	col := func(name, kind string, width int, distinct float64) pgvigil.Column {
		return pgvigil.Column{Name: name, Type: kind, AvgWidth: width, Distinct: distinct, NotNull: true}
	}
	read := pgvigil.DatabaseRead{Tables: []pgvigil.Table{{
		Key: pgvigil.RelationKey{RelID: 1}, Schema: "public", Name: "jobs", Kind: "r", RelTuples: rows,
		Columns: []pgvigil.Column{
			col("a", "bigint", 8, -1), col("b", "integer", 4, 500), col("c", "boolean", 1, 2),
			col("status", "character varying(20)", 8, 6), col("d", "text", 30, -0.5), col("tags", "integer[]", 32, -0.5),
		},
	}}}
	for i, def := range defs {
		read.Indexes = append(read.Indexes, pgvigil.Index{TableID: 1, Schema: "public", Name: fmt.Sprintf("i%d", i), Def: def, Valid: true})
	}
	return read
}

func TestAMaskedPredicateHoldsNoConstant(t *testing.T) {
	table := &jobs(1000).Tables[0]
	tests := map[string]struct {
		conds []index.Cond
		want  string
	}{
		"an integer":        {[]index.Cond{{Column: "b", Values: []string{"4711"}}}, "b = ?"},
		"a list of them":    {[]index.Cond{{Column: "b", Op: index.In, Values: []string{"4711", "4712"}}}, "b IN (?)"},
		"a text":            {[]index.Cond{{Column: "d", Op: index.Unlike, Values: []string{"4711"}}}, "d <> ?"},
		"a truth":           {[]index.Cond{{Column: "c", Values: []string{"false"}}}, "c = ?"},
		"none, and several": {[]index.Cond{{Column: "d", Op: index.Null}, {Column: "a", Values: []string{"-4711"}}}, "d IS NULL AND a = ?"},
		"not a number":      {[]index.Cond{{Column: "b", Values: []string{"4711; DROP"}}}, ""},
		"a range":           {[]index.Cond{{Column: "b", Op: index.Range, Values: []string{"4711"}}}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, ok := index.Masked(table, tt.conds); got != tt.want || ok != (tt.want != "") {
				t.Errorf("Masked = %q, %t; want %q", got, ok, tt.want)
			}
		})
	}
}

func TestAnExistingIndexServes(t *testing.T) {
	key := func(cols ...string) (out []whatif.Key) {
		for _, c := range cols {
			out = append(out, whatif.Key{Column: c})
		}
		return out
	}
	tests := map[string]struct {
		def  string
		want whatif.Index
		ok   bool
	}{
		"the same":                   {"(a, b)", whatif.Index{Keys: key("a", "b")}, true},
		"its prefix":                 {"(a, b)", whatif.Index{Keys: key("a")}, true},
		"not its tail":               {"(a, b)", whatif.Index{Keys: key("b")}, false},
		"not one that is longer":     {"(a)", whatif.Index{Keys: key("a", "b")}, false},
		"wholly reversed":            {"(a, b)", whatif.Index{Keys: []whatif.Key{{Column: "a", Desc: true}, {Column: "b", Desc: true}}}, true},
		"not half reversed":          {"(a, b)", whatif.Index{Keys: []whatif.Key{{Column: "a"}, {Column: "b", Desc: true}}}, false},
		"not with other nulls":       {"(a)", whatif.Index{Keys: []whatif.Key{{Column: "a", Desc: true, Nulls: "last"}}}, false},
		"not another method":         {"(a)", whatif.Index{Method: "gin", Keys: key("a")}, false},
		"payload in its keys":        {"(a, b)", whatif.Index{Keys: key("a"), Include: []string{"b"}}, true},
		"not payload that it lacks":  {"(a)", whatif.Index{Keys: key("a"), Include: []string{"b"}}, false},
		"the same predicate":         {"(a) WHERE (NOT c)", whatif.Index{Keys: key("a"), Predicate: "NOT c"}, true},
		"the same list":              {"(a) WHERE ((status)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))", whatif.Index{Keys: key("a"), Predicate: "status IN ('x', 'y')", Folded: `status::text = ANY ('{"x","y"}'::text[])`}, true},
		"not a partial one as whole": {"(a) WHERE (NOT c)", whatif.Index{Keys: key("a")}, false},
		"the same expression":        {"(lower(d))", whatif.Index{Keys: []whatif.Key{{Column: "d", Expr: "lower(d)"}}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := index.NewCatalog(jobs(1e6, "CREATE INDEX i ON public.jobs USING btree "+tt.def))
			if got := c.Served(c.Table("jobs"), tt.want) != ""; got != tt.ok {
				t.Errorf("served = %v; want %v", got, tt.ok)
			}
		})
	}
}

func TestSizeIsWithinAQuarterOfTheRealOne(t *testing.T) {
	tests := map[string]struct{ columns, kinds, values string }{
		"unique numbers":         {"a", "a bigint", "g"},
		"few numbers":            {"b", "b int", "g % 500"},
		"booleans":               {"c", "c boolean", "g % 2 = 0"},
		"short words":            {"s", "s varchar", "'state' || g % 6"},
		"long unique text":       {"d", "d text", "md5(g::text)"},
		"two columns":            {"b, a", "b int, a bigint", "g % 500, g"},
		"two columns, few pairs": {"b, s", "b int, s text", "g % 100, 'state' || g % 7"},
	}
	s := pgtest.Server(t, 18)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dsn := pgtest.Database(t, s)
			pgtest.Exec(t, dsn, fmt.Sprintf("CREATE TABLE t (%s); INSERT INTO t SELECT %s FROM generate_series(1, 100000) g; ANALYZE t; CREATE INDEX i ON t (%s)", tt.kinds, tt.values, tt.columns))
			conn := pgtest.Connect(t, dsn)
			table := pgvigil.Table{Key: pgvigil.RelationKey{RelID: 1}, Schema: "public", Name: "t", Kind: "r", RelTuples: 100000}
			rows, err := conn.Query(t.Context(), "SELECT attname::text, format_type(atttypid, -1), avg_width, n_distinct::float8 FROM pg_attribute JOIN pg_stats USING (attname) WHERE attrelid = 't'::regclass AND tablename = 't'")
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var col pgvigil.Column
				if err := rows.Scan(&col.Name, &col.Type, &col.AvgWidth, &col.Distinct); err != nil {
					t.Fatal(err)
				}
				table.Columns = append(table.Columns, col)
			}
			var real float64
			if err := conn.QueryRow(t.Context(), "SELECT pg_relation_size('i')").Scan(&real); err != nil {
				t.Fatal(err)
			}
			c := index.NewCatalog(pgvigil.DatabaseRead{Tables: []pgvigil.Table{table}})
			x := whatif.Index{Schema: "public", Table: "t"}
			for col := range strings.SplitSeq(tt.columns, ", ") {
				x.Keys = append(x.Keys, whatif.Key{Column: col})
			}
			if got := float64(c.Size(c.Table("t"), x, 1)); math.Abs(got/real-1) > 0.25 {
				t.Errorf("Size = %.0f; real %.0f, ratio %.2f", got, real, got/real)
			}
		})
	}
}

func TestThePriceOfWrites(t *testing.T) {
	tests := map[string]struct {
		columns  []string
		writes   index.Writes
		overhead float64
		lost     string
	}{
		"inserts only, beside one index": {[]string{"b"}, index.Writes{Inserts: 100}, 0.5, ""},
		"HOT updates of another column":  {[]string{"b"}, index.Writes{Updates: 100, HOTUpdates: 100, Sets: map[string]float64{"d": 1}}, 0, ""},
		"HOT updates of its own column":  {[]string{"b"}, index.Writes{Updates: 100, HOTUpdates: 100, Sets: map[string]float64{"b": 1}}, 2, "b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := index.NewCatalog(jobs(1e6, "CREATE INDEX i ON public.jobs USING btree (a)"))
			got, lost := c.Overhead(c.Table("jobs"), on(tt.columns...).Index, 1, tt.writes)
			if math.Abs(got-tt.overhead) > 1e-9 || strings.Join(lost, ",") != tt.lost {
				t.Errorf("Overhead = %v, %v; want %v, %q", got, lost, tt.overhead, tt.lost)
			}
		})
	}
}

func TestNamesFitAndAreFree(t *testing.T) {
	read := jobs(1, "CREATE INDEX idx_jobs_a ON public.jobs USING btree (a)")
	read.Indexes[0].Name = "idx_jobs_a"
	c := index.NewCatalog(read)
	tests := map[string]whatif.Index{
		"one that is taken": {Schema: "public", Table: "jobs", Keys: []whatif.Key{{Column: "a"}}},
		"a long one":        {Schema: "public", Table: strings.Repeat("ä long table ", 9), Keys: []whatif.Key{{Column: strings.Repeat("x", 63)}}},
		"a hostile one":     {Schema: "public", Table: `"; DROP TABLE x; --`, Keys: []whatif.Key{{Column: "\x00'"}}},
	}
	for name, x := range tests {
		t.Run(name, func(t *testing.T) {
			if got := c.Name(x); got == "idx_jobs_a" || len(got) > 63 || whatif.Quote(got) != got {
				t.Errorf("Name = %q", got)
			}
		})
	}
}

func TestPartitionedStepsRunOnEveryVersion(t *testing.T) {
	const schema = `CREATE TABLE public.jobs (a int, b int) PARTITION BY LIST (a);
		CREATE TABLE jobs_1 PARTITION OF jobs FOR VALUES IN (1);
		CREATE TABLE jobs_2 PARTITION OF jobs FOR VALUES IN (2) PARTITION BY RANGE (b);
		CREATE TABLE jobs_2_low PARTITION OF jobs_2 FOR VALUES FROM (0) TO (10);`
	table := func(id, parent pgvigil.OID, name, kind string) pgvigil.Table {
		return pgvigil.Table{Key: pgvigil.RelationKey{RelID: id}, Schema: "public", Name: name, Kind: kind, Parent: parent}
	}
	c := index.NewCatalog(pgvigil.DatabaseRead{Tables: []pgvigil.Table{
		table(1, 0, "jobs", "p"), table(2, 1, "jobs_1", "r"), table(3, 1, "jobs_2", "p"), table(4, 3, "jobs_2_low", "r"),
	}})
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, schema)
		conn := pgtest.Connect(t, dsn)
		steps, undo := c.Steps(whatif.Index{Name: "jobs_b", Schema: "public", Table: "jobs", Keys: []whatif.Key{{Column: "b", Desc: true}}})
		for _, st := range steps {
			if _, err := conn.Exec(t.Context(), st.SQL); err != nil {
				t.Fatalf("%s: %v", st.SQL, err)
			}
		}
		var valid int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indisvalid AND relnamespace = 'public'::regnamespace").Scan(&valid); err != nil || valid != 4 {
			t.Errorf("%d valid indexes, %v; want 4", valid, err)
		}
		if _, err := conn.Exec(t.Context(), undo[0].SQL); err != nil {
			t.Errorf("undo: %v", err)
		}
	})
}

func BenchmarkGenerate(b *testing.B) {
	c := index.NewCatalog(jobs(1e6, "CREATE INDEX i ON public.jobs USING btree (a)"))
	d := index.Demand{Table: c.Table("jobs"), Limited: true, Order: []whatif.Key{{Column: "a"}}, Conds: []index.Cond{
		{Column: "b", Op: index.Equal},
		{Column: "status", Op: index.In, Values: []string{"pending", "running"}},
		{Column: "c", Op: index.Equal, Values: []string{"false"}},
		{Column: "d", Op: index.Range},
	}}
	b.ReportAllocs()
	for b.Loop() {
		if len(c.Generate(d)) == 0 {
			b.Fatal("no candidate")
		}
	}
}

func BenchmarkNewCatalog(b *testing.B) {
	read := jobs(1e6, strings.Split(strings.Repeat("CREATE INDEX i ON public.jobs USING btree (a, b DESC) WHERE (c = 1)|", 1500), "|")...)
	b.ReportAllocs()
	for b.Loop() {
		index.NewCatalog(read)
	}
}
