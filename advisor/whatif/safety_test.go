package whatif_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// hostile is a schema in which an ordinary role set traps: whatever runs one
// of its functions leaves a trace in the sequence.
const hostile = `
CREATE ROLE mallory;
GRANT CREATE, USAGE ON SCHEMA public TO mallory;
CREATE SEQUENCE trace; GRANT ALL ON SEQUENCE trace TO mallory;
CREATE TABLE jobs (id int PRIMARY KEY, name varchar, data jsonb);
INSERT INTO jobs SELECT g, 'n' || g FROM generate_series(1, 1000) g;
CREATE TABLE other (id int);
SET ROLE mallory;
CREATE FUNCTION evil(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('trace'); RETURN $1; END $$;
CREATE FUNCTION to_hex(oid) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('trace'); RETURN 'x'; END $$;
CREATE FUNCTION same(varchar, varchar) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('trace'); RETURN true; END $$;
CREATE OPERATOR @@@ (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same);
CREATE TABLE theirs (id int, CHECK (id = evil(3)));
CREATE VIEW seen AS SELECT id, evil(7) AS e FROM other;
CREATE FUNCTION shown(jobs) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('trace'); RETURN 'x'; END $$;
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;
ANALYZE;`

func TestForeignTextIsPlannedOnlyIfNothingForeignRuns(t *testing.T) {
	tests := map[string]struct{ sql, want string }{
		"a function of an ordinary role":        {"SELECT * FROM jobs WHERE id = evil(1)", "mallory"},
		"the same, qualified":                   {"SELECT * FROM jobs WHERE id = public . evil (1)", "mallory"},
		"the same, quoted":                      {`SELECT * FROM jobs WHERE id = "evil"(1)`, "mallory"},
		"a function that looks like a system's": {"SELECT to_hex(1::oid)", "mallory"},
		"an operator of an ordinary role":       {"SELECT * FROM jobs WHERE name @@@ 'a'", "mallory"},
		"a view over such a function":           {"SELECT * FROM seen", "mallory"},
		"a check constraint with such a call":   {"SELECT * FROM theirs WHERE id = 1", "mallory"},
		"a function written as a column":        {"SELECT jobs.shown FROM jobs", "mallory"},
		"two statements":                        {"SELECT 1; SELECT nextval('trace')", "more than one"},
		"two statements behind a comment":       {"SELECT 1 /* ' */ ; SELECT 2 /* ' */", "more than one"},
		"DDL":                                   {"CREATE TABLE x (a int)", "only SELECT"},
		"EXPLAIN ANALYZE":                       {"EXPLAIN ANALYZE SELECT 1", "only SELECT"},
		"DO":                                    {"DO $$ BEGIN END $$", "only SELECT"},
		"nothing":                               {"-- just this", "no statement"},
		"a table that is not there":             {"SELECT * FROM nowhere", "does not exist"},
		"a system function":                     {"SELECT lower(name) FROM jobs WHERE id = abs($1)", ""},
		"a semicolon in a string":               {"SELECT * FROM jobs WHERE name = 'a; b'", ""},
		"a call that would wait if it ran":      {"SELECT pg_sleep(3600)", ""},
	}
	dsn := hostileDatabase(t, "mallory")
	j, err := whatif.NewHypoPG(t.Context(), house(t, dsn), whatif.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, err := j.Cost(t.Context(), []whatif.Statement{{Text: tt.sql}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			refused := res.Plans[0].Refused
			if tt.want == "" && refused != nil || tt.want != "" && (refused == nil || !strings.Contains(refused.Error(), tt.want)) {
				t.Errorf("refused = %v; want %q", refused, tt.want)
			}
		})
	}
	var called bool
	if err := pgtest.Connect(t, dsn).QueryRow(t.Context(), "SELECT is_called FROM trace").Scan(&called); err != nil || called {
		t.Errorf("a foreign function ran: %v, %v", called, err)
	}
}

// hostileDatabase is a database in which a role of that name set its traps.
func hostileDatabase(t *testing.T, role string) string {
	t.Helper()
	dsn := pgtest.Database(t, pgtest.Server(t, 15))
	pgtest.Exec(t, dsn, "CREATE EXTENSION hypopg;"+strings.ReplaceAll(hostile, "mallory", role))
	return dsn
}

// house connects by the house rule.
func house(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	if _, err := conn.Exec(context.Background(), "SET search_path = pg_catalog; SET default_transaction_read_only = on; SET statement_timeout = '5s'"); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestATrustedRolesFunctionsMayRun(t *testing.T) {
	dsn := hostileDatabase(t, "gardener")
	j, err := whatif.NewHypoPG(t.Context(), house(t, dsn), whatif.Options{TrustedRoles: []string{"gardener"}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := j.Cost(t.Context(), []whatif.Statement{{Text: "SELECT same('a'::varchar, 'b'::varchar) FROM other"}}, nil)
	if err != nil || res.Plans[0].Refused == nil {
		// nextval fails in a read-only transaction: the function did run.
		t.Errorf("Cost = %+v, %v; want a refusal by the server", res, err)
	}
}

func TestMissingRightsComeWithTheGrant(t *testing.T) {
	dsn := pgtest.Database(t, pgtest.Server(t, 15))
	pgtest.Exec(t, dsn, "CREATE EXTENSION hypopg; CREATE TABLE jobs (id int); CREATE ROLE watcher LOGIN; GRANT pg_read_all_data TO watcher")
	conn := pgtest.Connect(t, strings.Replace(dsn, "user=postgres", "user=watcher", 1))
	j, err := whatif.NewHypoPG(t.Context(), conn, whatif.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := j.Cost(t.Context(), []whatif.Statement{{Text: "SELECT * FROM jobs"}, {Text: "UPDATE jobs SET id = 1"}, {Text: "SELECT * FROM jobs"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Plans[0].Refused != nil || res.Plans[2].Refused != nil {
		t.Errorf("SELECT was refused: %v, %v", res.Plans[0].Refused, res.Plans[2].Refused)
	}
	if got := pgvigil.Advice(res.Plans[1].Refused); !strings.Contains(got, "GRANT") {
		t.Errorf("advice = %q; want the GRANT", got)
	}
}

func TestATableNameThatMeansTwoHasNoPlan(t *testing.T) {
	j := hypopg(t, "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.x (id int); CREATE TABLE b.x (id int); CREATE TABLE b.y (id int)")
	res, err := j.Cost(t.Context(), []whatif.Statement{
		{Text: "SELECT * FROM x", Tables: []string{"x"}}, {Text: "SELECT * FROM a.x", Tables: []string{"a.x"}}, {Text: "SELECT * FROM y", Tables: []string{"y"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Plans[0].Refused; got == nil || !strings.Contains(got.Error(), "plan unknown") {
		t.Errorf("x: %v; want plan unknown", got)
	}
	if res.Plans[1].Refused != nil || res.Plans[2].Refused != nil {
		t.Errorf("a.x: %v, y: %v; want plans", res.Plans[1].Refused, res.Plans[2].Refused)
	}
}

func TestWithoutHypoPGTheRemedyIsNamed(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		_, err := whatif.NewHypoPG(t.Context(), pgtest.Connect(t, pgtest.Database(t, s)), whatif.Options{})
		if got := pgvigil.Advice(err); !strings.Contains(got, "CREATE EXTENSION hypopg") {
			t.Errorf("NewHypoPG = %v, advice %q", err, got)
		}
	})
}

func TestTheConnectionIsLeftClean(t *testing.T) {
	j := hypopg(t, schema)
	ctx, cancel := context.WithCancel(t.Context())
	x := []whatif.Index{{Schema: "public", Table: "jobs", Keys: []whatif.Key{{Column: "project_id"}}}}
	st := []whatif.Statement{{Text: "SELECT * FROM jobs WHERE project_id = $1"}}
	for range 3 {
		if _, err := j.Cost(ctx, st, x); err != nil {
			t.Fatal(err)
		}
	}
	without, err := j.Cost(ctx, st, nil)
	if err != nil || strings.Contains(without.Plans[0].Text, "Index") {
		t.Errorf("a hypothetical index stayed: %v\n%s", err, without.Plans[0].Text)
	}
	cancel()
	if _, err := j.Cost(ctx, st, x); err == nil {
		t.Error("Cost of a cancelled context succeeded")
	}
}
