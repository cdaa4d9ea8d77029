package collector_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// traps is a schema in which an ordinary role, mallory, has planted immutable
// functions wherever planning may run them: reads reads a secret, sets switches
// a setting off, kills ends the session of pid 0 (put in by the test). What
// runs shows in pg_stat_user_functions, whatever becomes of the transaction.
const traps = `
CREATE TABLE secret (password text);
INSERT INTO secret VALUES ('hunter2');
GRANT CREATE, USAGE ON SCHEMA public TO mallory;
CREATE TABLE jobs (id int PRIMARY KEY, name varchar, data jsonb);
INSERT INTO jobs SELECT g, 'n' || g FROM generate_series(1, 1000) g;
GRANT ALL ON jobs TO mallory;
SET ROLE mallory;
CREATE FUNCTION reads() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE t text; BEGIN SELECT password INTO t FROM public.secret; PERFORM set_config('loot.password', t, false); RETURN 1; EXCEPTION WHEN insufficient_privilege THEN RETURN 0; END $$;
CREATE FUNCTION sets() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('statement_timeout', '0', false); RETURN 1; END $$;
CREATE FUNCTION kills() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(:pid); RETURN 1; END $$;
CREATE FUNCTION stable_one() RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.reads(); END $$;
CREATE FUNCTION of_int(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.reads(); RETURN $1; END $$;
CREATE FUNCTION of_job(jobs) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.reads(); RETURN 'x'; END $$;
CREATE FUNCTION of_job_and_more(jobs, int DEFAULT 1) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.reads(); RETURN 'x'; END $$;
CREATE FUNCTION of_all(anyelement) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.reads(); RETURN 'x'; END $$;
CREATE FUNCTION same(varchar, varchar) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.reads(); RETURN true; END $$;
CREATE OPERATOR @@@ (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same);
CREATE FUNCTION É() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.reads(); END $$;
CREATE FUNCTION a123456789012345678901234567890123456789012345678901234567890123() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.reads(); END $$;
CREATE TYPE colour AS ENUM ('red');
CREATE FUNCTION tinted(colour) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.reads(); END $$;
CREATE CAST (colour AS int) WITH FUNCTION tinted(colour) AS IMPLICIT;
CREATE DOMAIN odd AS int CHECK (of_int(VALUE) > 0);
CREATE TABLE painted (id int, c colour);
CREATE TABLE many_colours (id int, c colour[]);
CREATE TABLE with_odd (id odd);
CREATE TABLE checked (id int, CHECK (id = of_int(3)));
CREATE TABLE indexed (id int);
CREATE INDEX ON indexed (of_int(id));
CREATE INDEX ON indexed (id) WHERE id = of_int(3);
CREATE TABLE counted (id int, a int);
CREATE STATISTICS of_counted ON of_int(id), a FROM counted;
CREATE TABLE parted (id int) PARTITION BY RANGE (of_int(id));
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE guarded (id int);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (id = reads());
CREATE TABLE computed (id int, twice int GENERATED ALWAYS AS (of_int(id)) STORED);
CREATE VIEW seen AS SELECT id FROM jobs WHERE id = reads();
CREATE VIEW seen_through AS SELECT * FROM seen;
RESET ROLE;
CREATE FUNCTION trusting() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT reads()';
CREATE FUNCTION indirect() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT public.reads()'; RETURN trusting(); END $$;
CREATE FUNCTION atomic_one() RETURNS int IMMUTABLE LANGUAGE sql RETURN reads();
CREATE FUNCTION harmless() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN abs(-1); END $$;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;
ANALYZE`

// trapTexts are texts whose planning would run one of the functions.
var trapTexts = map[string]string{
	"a function that reads a secret":      "SELECT * FROM jobs WHERE id = reads()",
	"one that switches a setting off":     "SELECT * FROM jobs WHERE id = sets()",
	"one that ends a session":             "SELECT * FROM jobs WHERE id = kills()",
	"a stable one, run for selectivity":   "SELECT * FROM jobs WHERE id < stable_one()",
	"with its schema":                     "SELECT * FROM jobs WHERE id = public . reads ()",
	"in quotes":                           `SELECT * FROM jobs WHERE id = "reads"()`,
	"with Unicode escapes":                `SELECT * FROM jobs WHERE id = U&"\0072eads"()`,
	"in capitals":                         "SELECT * FROM jobs WHERE id = READS()",
	"a letter that only Unicode folds":    "SELECT * FROM jobs WHERE id = É()",
	"a name that the server cuts":         "SELECT * FROM jobs WHERE id = a1234567890123456789012345678901234567890123456789012345678901234567890()",
	"a function written as a column":      "SELECT jobs.of_job FROM jobs",
	"the same with a default":             "SELECT jobs.of_job_and_more FROM jobs",
	"the same of any type":                "SELECT jobs.of_all FROM jobs",
	"an operator":                         "SELECT * FROM jobs WHERE name @@@ name",
	"a cast":                              "SELECT * FROM painted WHERE c::int = id",
	"a cast that is not written":          "SELECT * FROM painted WHERE c + id = 3",
	"a cast of an array's elements":       "SELECT * FROM many_colours WHERE c::int[] = ARRAY[id]",
	"a domain":                            "SELECT * FROM with_odd WHERE id = 3",
	"a check constraint":                  "SELECT * FROM checked WHERE id = 1",
	"an index expression":                 "SELECT * FROM indexed WHERE id = 1",
	"extended statistics":                 "SELECT * FROM counted WHERE id = 1 AND a = 2",
	"a partition key":                     "SELECT * FROM parted WHERE id = 1",
	"a partition of it":                   "SELECT * FROM parted_1 WHERE id = 1",
	"a row security policy":               "SELECT * FROM guarded",
	"a generated column":                  "SELECT * FROM computed",
	"a view":                              "SELECT * FROM seen",
	"a view over a view":                  "SELECT * FROM seen_through",
	"a trusted SQL function that calls":   "SELECT * FROM jobs WHERE id = trusting()",
	"a trusted one that builds its query": "SELECT * FROM jobs WHERE id = indirect()",
	"a trusted one in the standard form":  "SELECT * FROM jobs WHERE id = atomic_one()",
}

// trapped returns the functions that have run, read by a session of its own.
func trapped(t testing.TB, dsn string) (ran []string) {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	rows, err := conn.Query(t.Context(), "SELECT funcname::text FROM pg_stat_user_functions WHERE funcname <> 'harmless' ORDER BY 1", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	if ran, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	return ran
}

func TestNothingForeignRunsWhilePlansAreMade(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		reader := fmt.Sprintf("lookout%d", s.Port)
		for _, role := range []string{"mallory", reader} {
			pgtest.Exec(t, s.DSN("postgres"), "DROP ROLE IF EXISTS "+role+"; CREATE ROLE "+role+" LOGIN")
		}
		pgtest.Exec(t, s.DSN("postgres"), "GRANT pg_monitor, pg_read_all_data, pg_signal_backend TO "+reader)
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		victim := pgtest.Connect(t, as(dsn, "mallory"))
		pgtest.Exec(t, dsn, strings.Replace(traps, ":pid", fmt.Sprint(victim.PgConn().PID()), 1))
		pgtest.Exec(t, s.DSN("postgres"), "ALTER DATABASE "+config.Database+" SET track_functions = 'all'")

		const harmless = "SELECT * FROM jobs WHERE id = harmless() AND name = lower('X')"
		texts := append(slices.Collect(maps.Values(trapTexts)), harmless)
		for _, user := range []string{reader, "postgres"} {
			got := newWishing(texts...).plans(t, as(dsn, user))
			for name, text := range trapTexts {
				if p := got[text]; p.Refused.Code != pgvigil.RefusedUntrusted || p.Hash != 0 {
					t.Errorf("%s, as %s: plan %s, refused %v; want it untrusted", name, user, p.Hash, p.Refused)
				}
			}
			if p := got[harmless]; p.Hash == 0 {
				t.Errorf("as %s: a superuser's function is refused: %v", user, p.Refused)
			}
		}
		if ran := trapped(t, dsn); len(ran) > 0 {
			t.Errorf("functions ran: %v", ran)
		}
		if err := victim.Ping(t.Context()); err != nil {
			t.Errorf("the victim's session is gone: %v", err)
		}
		// The traps do work: without the check they spring.
		pgtest.Exec(t, as(dsn, reader), "BEGIN READ ONLY; EXPLAIN SELECT * FROM jobs WHERE id = kills(); EXPLAIN SELECT * FROM jobs WHERE id = reads()")
		// Up to 14 counts come late, and not in order.
		waitFor(t, dsn, "SELECT count(*) = 2 FROM pg_stat_user_functions WHERE funcname IN ('kills', 'reads') AND calls > 0")
		if err := victim.Ping(t.Context()); err == nil {
			t.Error("the trap does not work: the victim lives")
		}
	})
}
