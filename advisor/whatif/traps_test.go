package whatif_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// plans returns the plan of one statement with some indexes.
func plan(t *testing.T, j whatif.Judge, st whatif.Statement, x ...whatif.Index) whatif.Plan {
	t.Helper()
	res, err := j.Cost(t.Context(), []whatif.Statement{st}, x)
	if err != nil {
		t.Fatal(err)
	}
	if p := res.Plans[0]; p.Refused != nil {
		t.Fatalf("refused: %v", p.Refused)
	}
	return res.Plans[0]
}

func TestAPartialIndexNeedsTheConstantThatAGenericPlanHides(t *testing.T) {
	j := hypopg(t, schema)
	x := whatif.Index{Schema: "public", Table: "jobs", Keys: []whatif.Key{{Column: "id"}}, Predicate: "status = 'pending'"}
	st := whatif.Statement{Text: "SELECT id FROM jobs WHERE status = $1 AND runner_id = $2"}
	if p := plan(t, j, st, x); len(p.Used) != 0 {
		t.Errorf("the generic plan uses a partial index:\n%s", p.Text)
	}
	st.Bound = map[int]string{1: "pending"}
	if p := plan(t, j, st, x); len(p.Used) != 1 {
		t.Errorf("with the constant it does not:\n%s", p.Text)
	}
}

func TestNormalizedTextsCanBePlanned(t *testing.T) {
	tests := map[string]string{
		"an interval":                  "SELECT * FROM jobs WHERE now() - interval $1 > now()",
		"a field of extract":           "SELECT extract($1 from now()) FROM jobs",
		"a list that 18 merged":        "SELECT * FROM jobs WHERE id IN ($1 /*, ... */)",
		"a limit":                      "SELECT * FROM jobs LIMIT $1 OFFSET $2",
		"a parameter of no known type": "SELECT $1, id FROM jobs",
		"a parameter used twice":       "SELECT * FROM jobs WHERE id = $1 OR runner_id = $1",
		"a gap in the numbers":         "SELECT * FROM jobs WHERE id = $3",
		"an update with returning":     "UPDATE jobs SET status = $1 WHERE id = $2 RETURNING id",
		"a lock":                       "SELECT * FROM jobs WHERE id = $1 FOR UPDATE SKIP LOCKED",
		"a common table expression":    "WITH x AS MATERIALIZED (SELECT id FROM jobs WHERE id < $1) SELECT * FROM x JOIN jobs USING (id)",
	}
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, schema)
		j := scratch(t, dsn)
		for name, sql := range tests {
			t.Run(name, func(t *testing.T) {
				if p := plan(t, j, whatif.Statement{Text: sql, Tables: []string{"jobs"}}); p.Cost <= 0 {
					t.Errorf("cost = %v", p.Cost)
				}
			})
		}
	})
}

func scratch(t *testing.T, dsn string) *whatif.Scratch {
	t.Helper()
	j, err := whatif.NewScratch(t.Context(), pgvigil.Secret(dsn), nil, whatif.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return j
}

func TestManyHypotheticalIndexesInOneSession(t *testing.T) {
	j := hypopg(t, schema)
	st := []whatif.Statement{{Text: "SELECT * FROM jobs WHERE project_id = $1"}}
	x := make([]whatif.Index, 300)
	for i := range x {
		x[i] = whatif.Index{Schema: "public", Table: "jobs", Keys: []whatif.Key{{Column: "project_id", Desc: i%2 == 0}}}
	}
	for range 9 {
		res, err := j.Cost(t.Context(), st, x)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Unproven {
			if e != nil {
				t.Fatal(e)
			}
		}
	}
}

func TestHypoPGSaysWhatItCannotHold(t *testing.T) {
	j := hypopg(t, schema+"CREATE TABLE runners (tags int[])")
	res, err := j.Cost(t.Context(), nil, []whatif.Index{
		{Schema: "public", Table: "runners", Method: "gin", Keys: []whatif.Key{{Column: "tags"}}},
		{Schema: "public", Table: "jobs", Keys: []whatif.Key{{Column: "id"}}},
	})
	if err != nil || res.Unproven[0] == nil || res.Unproven[1] != nil {
		t.Errorf("Unproven = %v, %v; want the GIN index only", res.Unproven, err)
	}
}

func TestScratchProvesWithRealIndexes(t *testing.T) {
	tests := map[string]struct {
		sql   string
		index whatif.Index
	}{
		"a B-tree": {
			"SELECT * FROM jobs WHERE project_id = $1",
			whatif.Index{Table: "jobs", Keys: []whatif.Key{{Column: "project_id"}}},
		},
		"an expression": {
			"SELECT * FROM jobs WHERE lower(status) = $1",
			whatif.Index{Table: "jobs", Keys: []whatif.Key{{Column: "status", Expr: "lower(status)"}}},
		},
		"GIN over an array": {
			"SELECT * FROM runners WHERE tags @> $1",
			whatif.Index{Table: "runners", Method: "gin", Keys: []whatif.Key{{Column: "tags"}}},
		},
		"trigrams": {
			"SELECT * FROM runners WHERE name LIKE '%abc%'",
			whatif.Index{Table: "runners", Method: "gin", Keys: []whatif.Key{{Column: "name", Class: "gin_trgm_ops"}}},
		},
		"a partitioned table": {
			"SELECT * FROM parts WHERE b = $1",
			whatif.Index{Table: "parts", Keys: []whatif.Key{{Column: "b"}}},
		},
	}
	const more = `CREATE TABLE runners (tags int[], name text);
		INSERT INTO runners SELECT ARRAY[g % 977, g % 31], md5(g::text) FROM generate_series(1, 20000) g;
		CREATE TABLE parts (a int, b int) PARTITION BY LIST (a);
		CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
		INSERT INTO parts SELECT 1 + g % 2, g FROM generate_series(1, 20000) g;
		CREATE SCHEMA ext; CREATE EXTENSION pg_trgm SCHEMA ext; ANALYZE;`
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, schema+more)
		j := scratch(t, dsn)
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				tt.index.Schema = "public"
				st := whatif.Statement{Text: tt.sql, Tables: []string{tt.index.Table}}
				before := plan(t, j, st)
				res, err := j.Cost(t.Context(), []whatif.Statement{st}, []whatif.Index{tt.index})
				if err != nil || res.Unproven[0] != nil {
					t.Fatal(err, res.Unproven)
				}
				after := res.Plans[0]
				if after.Cost > before.Cost*0.8 || len(after.Used) != 1 || res.Sizes[0] == 0 {
					t.Errorf("cost %v -> %v, used %v, size %d\n%s", before.Cost, after.Cost, after.Used, res.Sizes[0], after.Text)
				}
				if again := plan(t, j, st); again.Cost != before.Cost {
					t.Errorf("the index was not hidden: cost %v, before %v", again.Cost, before.Cost)
				}
			})
		}
	})
}

func TestTheScratchDatabaseIsNeverTheWatchedOne(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		_, err := whatif.NewScratch(t.Context(), pgvigil.Secret(dsn), pgtest.Connect(t, dsn), whatif.Options{})
		if pgvigil.Advice(err) == "" {
			t.Errorf("NewScratch on the watched database = %v; want a refusal", err)
		}
		j, err := whatif.NewScratch(t.Context(), pgvigil.Secret(pgtest.Database(t, s)), pgtest.Connect(t, dsn), whatif.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestALockOnTheScratchDatabaseHoldsNobodyUp(t *testing.T) {
	dsn := pgtest.Database(t, pgtest.Server(t, pgtest.Majors[1]))
	pgtest.Exec(t, dsn, "CREATE TABLE held (a bigint)")
	j, err := whatif.NewScratch(t.Context(), pgvigil.Secret(dsn), nil, whatif.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close(context.WithoutCancel(t.Context())) }() // the lock is held to the end
	if _, err := pgtest.Connect(t, dsn).Exec(t.Context(), "BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	res, err := j.Cost(t.Context(), nil, []whatif.Index{{Schema: "public", Table: "held", Keys: []whatif.Key{{Column: "a"}}}})
	if err == nil {
		err = res.Unproven[0]
	}
	if err == nil || !strings.Contains(err.Error(), "lock timeout") {
		t.Errorf("Cost = %v; want a lock timeout", err)
	}
}

func TestQuoteKnowsEveryKeyword(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		conn := pgtest.Connect(t, s.DSN("postgres"))
		rows, err := conn.Query(t.Context(), "SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var w string
			if err := rows.Scan(&w); err != nil {
				t.Fatal(err)
			}
			if whatif.Quote(w) == w {
				t.Errorf("%s is not quoted", w)
			}
		}
	})
}
