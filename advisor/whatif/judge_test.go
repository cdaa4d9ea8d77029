package whatif_test

import (
	"context"
	"testing"

	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const schema = `
CREATE TABLE jobs (id bigint PRIMARY KEY, project_id int, status varchar, processed bool, runner_id int);
INSERT INTO jobs SELECT g, g % 997, CASE WHEN g % 500 = 0 THEN 'pending' ELSE 'success' END, g % 700 <> 0, g % 31
FROM generate_series(1, 60000) g;
ANALYZE jobs;`

// hypopg returns a judge over a fresh database with schema.
func hypopg(t *testing.T, script string) *whatif.HypoPG {
	t.Helper()
	s := pgtest.Server(t, 15)
	dsn := pgtest.Database(t, s)
	pgtest.Exec(t, dsn, "CREATE SCHEMA ext; CREATE EXTENSION hypopg SCHEMA ext;"+script)
	conn := pgtest.Connect(t, dsn)
	if _, err := conn.Exec(context.Background(), "SET search_path = pg_catalog; SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	j, err := whatif.NewHypoPG(context.Background(), conn, whatif.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestAHypotheticalIndexLowersTheCost(t *testing.T) {
	tests := map[string]struct {
		sql   string
		index whatif.Index
	}{
		"an equality on a parameter": {
			"SELECT * FROM jobs WHERE project_id = $1",
			whatif.Index{Keys: []whatif.Key{{Column: "project_id"}}},
		},
		"a boolean predicate in its folded form": {
			"SELECT * FROM jobs WHERE processed = false",
			whatif.Index{Keys: []whatif.Key{{Column: "id"}}, Predicate: "processed = false", Folded: "NOT processed"},
		},
		"a list of text against varchar in its folded form": {
			"SELECT * FROM jobs WHERE status IN ('pending', 'running') AND runner_id = $1",
			whatif.Index{
				Keys: []whatif.Key{{Column: "runner_id"}}, Predicate: "status IN ('pending', 'running')",
				Folded: "status::text = ANY ('{pending,running}'::text[])",
			},
		},
		"an update": {
			"UPDATE jobs SET processed = true WHERE project_id = $1",
			whatif.Index{Keys: []whatif.Key{{Column: "project_id"}}},
		},
	}
	j := hypopg(t, schema)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			st := []whatif.Statement{{Text: tt.sql, Tables: []string{"jobs"}}}
			tt.index.Schema, tt.index.Table = "public", "jobs"
			before, err := j.Cost(t.Context(), st, nil)
			if err != nil {
				t.Fatal(err)
			}
			after, err := j.Cost(t.Context(), st, []whatif.Index{tt.index})
			if err != nil {
				t.Fatal(err)
			}
			b, a := before.Plans[0], after.Plans[0]
			if b.Refused != nil || a.Refused != nil {
				t.Fatalf("refused: %v, %v", b.Refused, a.Refused)
			}
			if a.Cost > b.Cost/2 || len(a.Used) != 1 {
				t.Errorf("cost %v -> %v, used %v\n%s", b.Cost, a.Cost, a.Used, a.Text)
			}
		})
	}
}
