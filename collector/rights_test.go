package collector_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// as returns the DSN of another user.
func as(dsn, user string) string { return strings.Replace(dsn, "user=postgres", "user="+user, 1) }

func TestWhatEachRoleSees(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		name := func(role string) string { return fmt.Sprintf("v%d_%s", s.Port, role) }
		for _, role := range []string{"nothing", "monitor", "stats", "data"} {
			pgtest.Exec(t, s.DSN("postgres"), "DROP ROLE IF EXISTS "+name(role)+"; CREATE ROLE "+name(role)+" LOGIN")
		}
		pgtest.Exec(t, dsn, fmt.Sprintf(`
			CREATE EXTENSION pg_stat_statements;
			GRANT pg_monitor TO %s; GRANT pg_read_all_stats TO %s; GRANT pg_read_all_stats, pg_read_all_data TO %s;
			CREATE TABLE wide AS SELECT i, repeat('x', 100) AS t FROM generate_series(1, 5000) i;
			ANALYZE wide;`, name("monitor"), name("stats"), name("data")))
		settled(t, dsn, "wide", "analyze_count = 1")
		tests := map[string]struct {
			warnings []string
			all      bool // sees the statements of others
			bloat    bool
		}{
			name("nothing"): {[]string{"no-statistics-rights", "no-stats-rights"}, false, false},
			name("monitor"): {[]string{"no-statistics-rights"}, true, false},
			name("stats"):   {[]string{"no-statistics-rights"}, true, false},
			name("data"):    {nil, true, true},
			"postgres":      {nil, true, true},
		}
		for role, tt := range tests {
			c := eager()
			snap := pass(t, c, target(t, as(dsn, role)))
			if !slices.Equal(codes(snap.Warnings), tt.warnings) {
				t.Errorf("%s: warnings = %v; want %v", role, snap.Warnings, tt.warnings)
			}
			for _, w := range snap.Warnings {
				if !strings.HasPrefix(w.Remedy, "GRANT ") || !strings.Contains(w.Remedy, role) {
					t.Errorf("%s: remedy of %s = %q; want a GRANT to the role", role, w.Code, w.Remedy)
				}
			}
			db := database(t, snap)
			_, n := counted(snap, snap.Queries, db.OID, "CREATE TABLE wide")
			if (n == 1) != tt.all || !snap.Statements.OK {
				t.Errorf("%s: sees the statement of another %d times; want %v", role, n, tt.all)
			}
			wide := table(t, db, "wide")
			if (wide.Bloat != nil) != tt.bloat || wide.Pages == 0 || len(wide.Columns) != 2 {
				t.Errorf("%s: bloat = %v, pages %d, columns %v; want bloat known: %v", role, wide.Bloat, wide.Pages, wide.Columns, tt.bloat)
			}
			if snap.Server.SystemID == 0 || snap.Server.Timeline != 1 {
				t.Errorf("%s: server = %+v", role, snap.Server)
			}
		}
	})
}

func TestAServerThatHidesItsIdentity(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		role := fmt.Sprintf("shut%d", s.Port)
		pgtest.Exec(t, dsn, "DROP ROLE IF EXISTS "+role+"; CREATE ROLE "+role+" LOGIN; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public")
		tg := target(t, as(dsn, role))
		one, two := pass(t, eager(), tg), pass(t, eager(), tg)
		if !slices.Contains(codes(one.Warnings), "system-id-unknown") || one.Server.SystemID == 0 || one.Server.SystemID != two.Server.SystemID {
			t.Errorf("system id = %v, then %v, warnings %v; want a stable substitute and a warning", one.Server.SystemID, two.Server.SystemID, codes(one.Warnings))
		}
	})
}

// TestShadowsInPublicAreNotCalled lets an ordinary role define functions,
// operators and views that would catch unqualified names of ours.
func TestShadowsInPublicAreNotCalled(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		role := fmt.Sprintf("mallory%d", s.Port)
		pgtest.Exec(t, dsn, "DROP ROLE IF EXISTS "+role+"; CREATE ROLE "+role+" LOGIN; GRANT CREATE ON SCHEMA public TO "+role+
			"; CREATE EXTENSION pg_stat_statements; CREATE TABLE caught (what text); GRANT INSERT ON caught TO public")
		trap := func(head, returns string) string {
			return fmt.Sprintf("CREATE FUNCTION public.%s RETURNS %s LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped in %%', $x$%s$x$; END $$;\n", head, returns, head)
		}
		pgtest.Exec(t, as(dsn, role), trap("clock_timestamp()", "timestamptz")+trap("age(xid)", "int")+
			trap("pg_relation_size(oid)", "bigint")+trap("pg_get_indexdef(oid)", "text")+trap("pg_blocking_pids(bigint)", "int[]")+
			trap("left(text, bigint)", "text")+trap("length(text)", "int")+trap("unnest(bigint[])", "setof bigint")+
			trap("current_setting(varchar)", "text")+trap("pg_is_in_recovery()", "bool")+
			trap("chareq(\"char\", text)", "bool")+trap("power(float8, int)", "float8")+`
			CREATE OPERATOR public.= (leftarg = "char", rightarg = text, function = public.chareq);
			CREATE OPERATOR public.^ (leftarg = float8, rightarg = int, function = public.power);
			CREATE VIEW public.pg_stat_activity AS SELECT 1/0 AS pid;
			CREATE VIEW public.pg_class AS SELECT 1/0 AS oid;
			CREATE VIEW public.pg_settings AS SELECT 1/0 AS name;
			CREATE TABLE public.mine (id int PRIMARY KEY);
			CREATE FUNCTION public.spy(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
				IF current_setting('application_name') = 'pgvigil' THEN RAISE EXCEPTION 'trapped in an index expression'; END IF; RETURN $1; END $$;
			CREATE INDEX mine_spied ON public.mine (spy(id)) WHERE spy(id) > 0;
			ALTER ROLE `+role+` SET search_path = public, pg_catalog;`)
		pgtest.Exec(t, dsn, "ALTER DATABASE "+target(t, dsn).Databases[0]+" SET search_path = public, pg_catalog")
		for _, user := range []string{"postgres", role} {
			snap := pass(t, eager(), target(t, as(dsn, user)))
			for _, w := range snap.Warnings {
				if strings.Contains(w.Text, "trap") || strings.Contains(w.Code, "unread") {
					t.Errorf("%s was trapped: %v", user, w)
				}
			}
			if x := index(t, database(t, snap), "mine_spied"); !slices.Equal(x.Keys, []string{"public.spy(id)"}) {
				t.Errorf("keys = %v", x.Keys)
			}
		}
	})
}

// TestNobodyWaitsForAPass holds an ACCESS EXCLUSIVE lock on a table, and then
// has another session wait for one.
func TestNobodyWaitsForAPass(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `
			CREATE EXTENSION pg_stat_statements;
			CREATE TABLE locked (id int PRIMARY KEY, v int CHECK (v > 0)); CREATE INDEX locked_v ON locked ((v + 1)) WHERE v > 5;
			CREATE TABLE free (id int PRIMARY KEY);
			INSERT INTO locked SELECT i, i FROM generate_series(1, 10000) i; INSERT INTO free SELECT generate_series(1, 10000);
			ANALYZE;`)
		ctx := context.Background()
		conn := pgtest.Connect(t, dsn)
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		c, tg := eager(), target(t, dsn)
		before := pass(t, c, tg)
		if _, err := tx.Exec(ctx, "LOCK TABLE locked IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		snap := pass(t, c, tg)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the pass took %v beside a lock", took)
		}
		db := database(t, snap)
		if got, want := index(t, db, "locked_v"), index(t, database(t, before), "locked_v"); got.Def != want.Def || !slices.Equal(got.Keys, want.Keys) || want.Def == "" {
			t.Errorf("locked_v = %q %q; want what was known of it, %q", got.Def, got.Keys, want.Def)
		}
		if tb := table(t, db, "locked"); tb.Pages != table(t, database(t, before), "locked").Pages || len(tb.Columns) != 2 {
			t.Errorf("locked = %+v; want pages of the last analyze", tb)
		}
		if tb := table(t, database(t, pass(t, eager(), tg)), "locked"); tb.Pages == 0 || len(tb.Columns) != 2 {
			t.Errorf("locked seen for the first time = %+v; want pages and columns", tb)
		}
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		var waited time.Duration
		for range 3 { // a loaded machine stops anybody now and then, a lock each time
			if waited = alterDuringPasses(t, dsn, func() { pass(t, c, tg) }); waited < 500*time.Millisecond {
				return
			}
		}
		t.Errorf("an ALTER TABLE took %v during passes", waited)
	})
}

// alterDuringPasses runs ALTER TABLE in one session while passes go on in this
// one, and returns how long the slowest took.
func alterDuringPasses(t *testing.T, dsn string, pass func()) time.Duration {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	ctx, cancel := context.WithCancel(context.Background())
	worst := make(chan time.Duration)
	go func() {
		var longest time.Duration
		for ctx.Err() == nil {
			began := time.Now()
			if _, err := conn.Exec(context.Background(), "ALTER TABLE locked ALTER v SET DEFAULT 10"); err != nil {
				t.Errorf("alter: %v", err)
			}
			longest = max(longest, time.Since(began))
		}
		worst <- longest
	}()
	for range 5 {
		pass()
	}
	cancel()
	return <-worst
}

// TestALockedCatalogKeepsTheCounters: whatever ends the read of definitions,
// the counters before it stand.
func TestALockedCatalogKeepsTheCounters(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE x (id int) PARTITION BY HASH (id)")
		conn := pgtest.Connect(t, dsn)
		ctx := context.Background()
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "LOCK TABLE pg_catalog.pg_partitioned_table IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		snap := pass(t, eager(), target(t, dsn))
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		if !snap.Statements.OK || !slices.Equal(codes(snap.Warnings), []string{"catalog-stale"}) {
			t.Errorf("statements OK = %v, warnings %v; want catalog-stale alone", snap.Statements.OK, snap.Warnings)
		}
		if x := table(t, database(t, snap), "x"); len(x.Columns) != 1 {
			t.Errorf("columns of x = %v; want what needs no lock", x.Columns)
		}
	})
}

func TestHostileNames(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		odd := fmt.Sprintf("Odd \"db'; -- %d", s.Port)
		quoted := pgx.Identifier{odd}.Sanitize()
		pgtest.Exec(t, s.DSN("postgres"), "DROP DATABASE IF EXISTS "+quoted)
		pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE "+quoted)
		defer pgtest.Exec(t, s.DSN("postgres"), "DROP DATABASE "+quoted)
		table1, index1 := `<script>"x";--`, "Ünï'cöde\n\x01"
		pgtest.Exec(t, s.DSN(odd), fmt.Sprintf(`CREATE SCHEMA "Ext Schema"; CREATE EXTENSION pg_stat_statements SCHEMA "Ext Schema";
			CREATE SCHEMA "S.x"; CREATE TABLE "S.x".%s ("a b" int, "select" text); CREATE INDEX %s ON "S.x".%[1]s ("select")`,
			pgx.Identifier{table1}.Sanitize(), pgx.Identifier{index1}.Sanitize()))
		tg := target(t, s.DSN("postgres"))
		tg.Databases = []string{"Odd *"}
		snap := pass(t, eager(), tg)
		if !snap.Statements.OK {
			t.Errorf("statements not found in another database and schema: %v", snap.Warnings)
		}
		db := database(t, snap)
		tb, x := table(t, db, table1), index(t, db, index1)
		if db.Name != odd || tb.Schema != "S.x" || tb.Columns[0].Name != "a b" || !slices.Equal(x.Keys, []string{"select"}) {
			t.Errorf("read %q %+v %+v", db.Name, tb, x)
		}
	})
}

func TestPatternsChooseDatabases(t *testing.T) {
	s := pgtest.Server(t, 15)
	for _, name := range []string{"ci_main", "ci_old", "other"} {
		pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE "+name)
		defer pgtest.Exec(t, s.DSN("postgres"), "DROP DATABASE "+name)
	}
	tg := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(s.DSN("postgres")), Databases: []string{"ci_*"}, ExcludeDatabases: []string{"*_old"}}
	snap := pass(t, eager(), tg)
	visited := map[string]bool{}
	for _, db := range snap.Databases {
		visited[db.Name] = db.Visited
	}
	for name, want := range map[string]bool{"ci_main": true, "ci_old": false, "other": false, "postgres": false} {
		if got, listed := visited[name]; got != want || !listed {
			t.Errorf("%s: visited %v, listed %v; want visited %v and listed", name, got, listed, want)
		}
	}
}

// TestAPatternThatSelectsNothingIsSaid: a typing error must not read as a quiet
// database. One whose databases are all excluded is no error.
func TestAPatternThatSelectsNothingIsSaid(t *testing.T) {
	s := pgtest.Server(t, 15)
	tests := map[string]struct {
		include, exclude []string
		want             string // the pattern warned of, "" for none
	}{
		"all":                  {nil, nil, ""},
		"one that is there":    {[]string{"postgr*"}, nil, ""},
		"one that is not":      {[]string{"postgres", "gitlabhq_*"}, nil, `"gitlabhq_*"`},
		"one that is left out": {[]string{"postgres"}, []string{"post*"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tg := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(s.DSN("postgres")), Databases: tt.include, ExcludeDatabases: tt.exclude}
			snap := pass(t, eager(), tg)
			at := slices.IndexFunc(snap.Warnings, func(w pgvigil.Warning) bool { return w.Code == "no-database-matches" })
			if (at >= 0) != (tt.want != "") {
				t.Fatalf("warnings = %v; want one of a pattern: %v", snap.Warnings, tt.want != "")
			}
			if at >= 0 && (!strings.Contains(snap.Warnings[at].Text, tt.want) || !strings.Contains(snap.Warnings[at].Remedy, "postgres")) {
				t.Errorf("warning = %+v; want pattern %s, and the databases that there are", snap.Warnings[at], tt.want)
			}
		})
	}
}

// TestWithoutTheSchemaTheRemedyMends: the grant that is advised lets the next
// pass read.
func TestWithoutTheSchemaTheRemedyMends(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `
			DROP ROLE IF EXISTS outside; CREATE ROLE outside LOGIN; GRANT pg_monitor TO outside;
			CREATE SCHEMA "Own tools"; CREATE EXTENSION pg_stat_statements SCHEMA "Own tools"`)
		tg := target(t, strings.Replace(dsn, "user=postgres", "user=outside", 1))
		snap := pass(t, eager(), tg)
		at := slices.IndexFunc(snap.Warnings, func(w pgvigil.Warning) bool { return w.Code == "statements-unread" })
		if at < 0 || snap.Statements.OK || !strings.Contains(snap.Warnings[at].Remedy, `GRANT USAGE ON SCHEMA "Own tools" TO "outside"`) {
			t.Fatalf("statements OK = %v, warnings %v; want the grant of the schema", snap.Statements.OK, snap.Warnings)
		}
		pgtest.Exec(t, dsn, snap.Warnings[at].Remedy)
		if snap := pass(t, eager(), tg); !snap.Statements.OK {
			t.Errorf("after the remedy: %v; want the statements", snap.Warnings)
		}
		pgtest.Exec(t, dsn, "DROP OWNED BY outside")
	})
}

func TestADatabaseDroppedDuringThePass(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE doomed")
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements")
		tg := target(t, dsn)
		tg.Databases = append(tg.Databases, "doomed")
		c := eagerKnowing(func() { pgtest.Exec(t, s.DSN("postgres"), "DROP DATABASE IF EXISTS doomed") })
		snap := pass(t, c, tg)
		if !slices.Contains(codes(snap.Warnings), "database-gone") || !snap.Statements.OK {
			t.Errorf("warnings = %v; want that a database is gone, and the statements", snap.Warnings)
		}
		for _, db := range snap.Databases {
			if db.Name == "doomed" {
				t.Errorf("the snapshot still has %+v", db)
			}
		}
	})
}

func TestNotPreloaded(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{Settings: map[string]string{"shared_preload_libraries": ""}})
		pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE TABLE x (id int)")
		snap := pass(t, eager(), target(t, s.DSN("postgres")))
		if snap.Statements.OK || !slices.Equal(codes(snap.Warnings), []string{"pgss-not-preloaded"}) {
			t.Errorf("statements OK = %v, warnings %v; want pgss-not-preloaded alone", snap.Statements.OK, snap.Warnings)
		}
		table(t, database(t, snap), "x")
	})
}
