package collector_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// unseen is a target over which our own passes are not counted.
func unseen(t testing.TB, s *pgserver.Server) pgvigil.Target {
	t.Helper()
	return target(t, s.DSN("postgres")+" options='-c pg_stat_statements.track=none'")
}

// byKey orders entries.
func byKey(list []pgvigil.Statement) []pgvigil.Statement {
	return slices.SortedFunc(slices.Values(list), func(a, b pgvigil.Statement) int {
		return cmp.Or(cmp.Compare(a.Key.QueryID, b.Key.QueryID), cmp.Compare(a.Key.UserID, b.Key.UserID),
			cmp.Compare(a.Key.DBID, b.Key.DBID), cmp.Compare(fmt.Sprint(a.Key.TopLevel), fmt.Sprint(b.Key.TopLevel)))
	})
}

// TestReadingWhatChangedGivesAllEntries: a collector that reads what changed
// hands on what one that reads all does, whatever happened to the entries.
func TestReadingWhatChangedGivesAllEntries(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{Settings: map[string]string{
			"pg_stat_statements.track_planning": "on", "pg_stat_statements.max": "100",
		}})
		pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE TABLE x (id int, v int)")
		pgtest.Exec(t, s.DSN("template1"), "SELECT 1") // what a reset of the other database leaves
		conn, tg := pgtest.Connect(t, s.DSN("postgres")), unseen(t, s)
		c := newCollector(time.Now)
		run := func(sql string) {
			if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		for i := range 40 {
			run("SELECT id" + columns(i) + " FROM x")
		}
		pass(t, c, tg)
		const idOf = "(SELECT queryid FROM pg_stat_statements WHERE query = 'SELECT id, v FROM x')"
		steps := []struct{ name, sql string }{
			{"nothing", ""},
			{"calls", "SELECT id, v FROM x; SELECT id, v, v FROM x"},
			{"a new entry", "SELECT v FROM x"},
			{"planned and not executed", "EXPLAIN SELECT id, v FROM x"},
			{"one entry reset", "SELECT pg_stat_statements_reset(0, 0, " + idOf + ")"},
			{"back after a pass without it", "SELECT id, v FROM x"},
			{"reset and back with the same calls", "SELECT pg_stat_statements_reset(0, 0, " + idOf + "); SELECT id, v FROM x"},
			{"one database reset", "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = 'postgres'), 0)"},
			{"work after that", "SELECT id, v FROM x; SELECT v FROM x"},
			{"all reset", "SELECT pg_stat_statements_reset(); SELECT id, v FROM x"},
			{"a pass in full", ""},
			{"evictions", ""},
		}
		inFull := []string{"all reset", "a pass in full"}
		for _, step := range steps {
			if step.sql != "" {
				run(step.sql)
			}
			if step.name == "evictions" {
				for i := range 150 {
					run("SELECT v" + columns(i) + " FROM x")
				}
			}
			part := pass(t, c, tg).Statements
			whole := pass(t, newCollector(time.Now), tg).Statements
			if diff := gocmp.Diff(byKey(whole.List), byKey(part.List), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("after %s (-whole +what changed):\n%s", step.name, diff)
			}
			if full := collector.ReadsSinceFull(c, tg.Name) == 0; full != slices.Contains(inFull, step.name) {
				t.Errorf("after %s: read in full: %v", step.name, full)
			}
		}
	})
}

// columns is a select list of its own for each i.
func columns(i int) string {
	list := ""
	for range i {
		list += ", v"
	}
	return list
}

// TestAPassThatDiesHalfWay leaves no trace: the next one hands on all entries.
func TestAPassThatDiesHalfWay(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{TCP: true})
		pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE TABLE x (id int, v int)")
		for i := range 60 {
			pgtest.Exec(t, s.DSN("postgres"), "SELECT id"+columns(i)+" FROM x")
		}
		through := startCut(t, fmt.Sprintf("127.0.0.1:%d", s.Port))
		tg := unseen(t, s)
		tg.DSN = pgvigil.Secret(fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable options='-c pg_stat_statements.track=none'", through.port))
		c := newCollector(time.Now)
		pass(t, c, tg)
		for _, after := range []int64{3_000, 6_000, 9_000, 12_000} {
			pgtest.Exec(t, s.DSN("postgres"), fmt.Sprintf("SELECT v FROM x; SELECT pg_stat_statements_reset(0, 0, (SELECT queryid FROM pg_stat_statements WHERE query = 'SELECT id%s FROM x'))", columns(int(after/3000))))
			for i := range 40 {
				pgtest.Exec(t, s.DSN("postgres"), "SELECT v"+columns(i)+" FROM x")
			}
			through.cutAfter(after)
			if snap, err := c.Pass(context.Background(), tg); err == nil && snap.Statements.OK {
				t.Errorf("cut after %d bytes: the pass gave %d entries; want none", after, len(snap.Statements.List))
			}
			through.cutAfter(-1)
			part := pass(t, c, tg).Statements
			whole := pass(t, newCollector(time.Now), tg).Statements
			if diff := gocmp.Diff(byKey(whole.List), byKey(part.List), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("after a pass cut after %d bytes (-whole +what changed):\n%s", after, diff)
			}
		}
	})
}

// TestStatesStayOutOfTheServersLog: where the server logs the parameters of
// quick statements, all entries are read instead.
func TestStatesStayOutOfTheServersLog(t *testing.T) {
	s := pgtest.Own(t, 15, pgserver.Options{})
	pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE TABLE x (v int)")
	for i := range 30 { // most of them are to stay as they are
		pgtest.Exec(t, s.DSN("postgres"), "SELECT v"+columns(i)+" FROM x")
	}
	c, tg := newCollector(time.Now), unseen(t, s)
	tests := []struct {
		setting, value string
		full           bool
	}{
		{"log_min_duration_statement", "'1s'", false},
		{"log_min_duration_statement", "0", true},
		{"log_parameter_max_length", "0", false},
		{"log_parameter_max_length", "DEFAULT", true},
		{"log_min_duration_statement", "DEFAULT", false},
		{"log_statement", "'all'", true},
		{"log_statement", "'ddl'", false},
	}
	pass(t, c, tg)
	for _, tt := range tests {
		pgtest.Exec(t, s.DSN("postgres"), "ALTER SYSTEM SET "+tt.setting+" = "+tt.value)
		pgtest.Exec(t, s.DSN("postgres"), "SELECT pg_reload_conf()")
		shown := map[string]string{"'1s'": "1s", "0": "0", "'all'": "all", "'ddl'": "ddl", "DEFAULT": "-1"}[tt.value]
		waitFor(t, s.DSN("postgres"), "SELECT current_setting('"+tt.setting+"') = '"+shown+"'")
		pass(t, c, tg)
		if full := collector.ReadsSinceFull(c, tg.Name) == 0; full != tt.full {
			t.Errorf("with %s = %s: read in full: %v; want %v", tt.setting, tt.value, full, tt.full)
		}
	}
}
