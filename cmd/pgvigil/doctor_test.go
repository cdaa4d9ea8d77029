package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// ward is a server with a database that pgvigil has never seen: statistics of a
// table, and a role of each power.
func ward(t *testing.T, s *pgserver.Server) (dsn string, roles map[string]string) {
	t.Helper()
	dsn = pgtest.Database(t, s)
	pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE builds AS SELECT i AS id FROM generate_series(1, 1000) i; CREATE SEQUENCE numbers")
	pgtest.Exec(t, dsn, "ANALYZE builds")
	waitsFor(t, dsn, "SELECT analyze_count = 1 FROM pg_stat_user_tables WHERE relname = 'builds'")
	roles = map[string]string{"superuser": "postgres"}
	for name, grant := range map[string]string{"nothing": "", "monitor": "pg_monitor", "data": "pg_monitor, pg_read_all_data"} {
		role := fmt.Sprintf("doctor %d %s", s.Port, name)
		roles[name] = "'" + role + "'"
		pgtest.Exec(t, s.DSN("postgres"), "DROP ROLE IF EXISTS "+quoted(role)+"; CREATE ROLE "+quoted(role)+" LOGIN")
		if grant != "" {
			pgtest.Exec(t, s.DSN("postgres"), "GRANT "+grant+" TO "+quoted(role))
		}
	}
	return dsn, roles
}

// diagnosed examines one database as a role.
func diagnosed(t *testing.T, dsn, role string) (*patient, []finding) {
	t.Helper()
	_, name, _ := strings.Cut(dsn, "dbname=")
	target := pgvigil.Target{
		Name: "ci", DSN: pgvigil.Secret(strings.Replace(dsn, "user=postgres", "user="+role, 1)), Databases: []string{strings.Trim(name, "'")},
	}
	c := collector.New(collector.Options{Log: quietLog(), Bloat: unmeasured})
	p, err := examine(t.Context(), c, target)
	if err != nil {
		t.Fatalf("examine: %v (%s)", err, pgvigil.Advice(err))
	}
	p.scratch = true // or HypoPG would be missing where no package has it
	return p, p.findings()
}

// missing are the codes of what is missing, sorted.
func missing(list []finding) []string {
	codes := map[string]bool{}
	for _, f := range list {
		if !f.Note {
			codes[f.Code] = true
		}
	}
	return slices.Sorted(maps.Keys(codes))
}

// TestWhatIsMissingByRole on every version, and that the script mends it.
func TestWhatIsMissingByRole(t *testing.T) {
	tests := map[string][]string{
		"nothing":   {"no-read-right", "no-statistics-rights", "no-stats-rights", "pgstattuple-missing", "sequences-hidden"},
		"monitor":   {"no-read-right", "no-statistics-rights", "pgstattuple-missing", "sequences-hidden"},
		"data":      {"pgstattuple-missing"},
		"superuser": {"pgstattuple-missing"},
	}
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn, roles := ward(t, s)
		for role, want := range tests {
			p, list := diagnosed(t, dsn, roles[role])
			if got := missing(list); !slices.Equal(got, want) {
				t.Errorf("%s lacks %v; want %v", role, got, want)
			}
			var out bytes.Buffer
			printFindings(&ui{out: &out}, p, list)
			for _, code := range want {
				if !strings.Contains(out.String(), code) {
					t.Errorf("%s: the text lacks %s:\n%s", role, code, out.String())
				}
			}
			if powerful := strings.Contains(out.String(), "more than pgvigil needs"); powerful != (role == "superuser") {
				t.Errorf("%s: named as a superuser: %v", role, powerful)
			}
		}
		p, list := diagnosed(t, dsn, roles["nothing"])
		var script bytes.Buffer
		printScript(&ui{out: &script}, p, list)
		runScript(t, s, dsn, script.String())
		if _, after := diagnosed(t, dsn, roles["nothing"]); len(missing(after)) != 0 {
			t.Errorf("after the script, %v is missing; the script:\n%s", missing(after), script.String())
		}
	})
}

// runScript runs what --print-fix printed as psql would.
func runScript(t *testing.T, s *pgserver.Server, dsn, script string) {
	t.Helper()
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if place, ok := strings.CutPrefix(line, `\connect `); ok {
			dsn = s.DSN(strings.Trim(place, `"`))
		} else if line != "" && !strings.HasPrefix(line, "--") {
			pgtest.Exec(t, dsn, line)
		}
	}
}

// sick is a patient whose pass and examination are made up.
func sick(change func(*patient)) *patient {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	p := &patient{
		target: pgvigil.Target{Name: "ci"}, scratch: true,
		snap: &pgvigil.Snapshot{
			At: at, Server: pgvigil.Server{Version: 180004},
			Statements: pgvigil.StatementsRead{OK: true, Max: 5000, Reset: at.Add(-24 * time.Hour)},
			Settings: []pgvigil.Setting{
				{Name: "track_io_timing", Value: "on"}, {Name: "track_activity_query_size", Value: "4096"}, {Name: "max_connections", Value: "100"},
			},
		},
		exam: &collector.Examination{User: "pgvigil", Home: "postgres", Preload: "pg_stat_statements", Member: []string{"pg_monitor", "pg_read_all_stats", "pg_read_all_settings"}},
	}
	change(p)
	return p
}

func set(p *patient, name, value string) {
	p.snap.Settings = append([]pgvigil.Setting{{Name: name, Value: value}}, p.snap.Settings...)
}

// TestAdviceSaysWhatAndWhy: each case is a target with one thing about it, and
// what the text says of it.
func TestAdviceSaysWhatAndWhy(t *testing.T) {
	tests := map[string]struct {
		change func(*patient)
		says   []string
		found  bool // it counts as missing
	}{
		"all is well":   {func(*patient) {}, []string{"nothing is missing"}, false},
		"few evictions": {func(p *patient) { p.snap.Statements.Dealloc = 48 }, []string{"2 times an hour", "500 new entries an hour", "pg_stat_statements.max = 17000;", "restart"}, true},
		"endless churn": {func(p *patient) { p.snap.Statements.Dealloc = 480 }, []string{"pg_stat_statements.max = 20000;", "no size holds so many"}, true},
		"one eviction ago": {func(p *patient) {
			p.snap.Statements.Dealloc, p.snap.Statements.Reset = 1, p.snap.At.Add(-240*time.Hour)
		}, nil, false},
		"no timing":   {func(p *patient) { set(p, "track_io_timing", "off") }, []string{"track_io_timing = on;", "slow disk", "pg_reload_conf"}, true},
		"short texts": {func(p *patient) { set(p, "track_activity_query_size", "1024") }, []string{"track_activity_query_size = 4096;", "300 kB", "restart"}, true},
		"no ids": {func(p *patient) {
			p.snap.Warnings = []pgvigil.Warning{{Code: "query-ids-off", Text: "compute_query_id is off", Remedy: "ALTER SYSTEM SET compute_query_id = auto"}}
		}, []string{"compute_query_id = auto;"}, true},
		"not preloaded": {func(p *patient) {
			p.exam.Preload, p.snap.Warnings = "auto_explain", []pgvigil.Warning{{Code: "pgss-not-preloaded", Text: "not loaded"}}
		}, []string{"shared_preload_libraries = 'auto_explain', 'pg_stat_statements';", "no regressions"}, true},
		"what is preloaded is hidden": {func(p *patient) {
			p.exam.Preload, p.exam.PreloadHidden, p.snap.Warnings = "", true, []pgvigil.Warning{{Code: "pgss-not-preloaded", Text: "not loaded"}}
		}, []string{"-- add 'pg_stat_statements' to shared_preload_libraries"}, true},
		"no plans of writes": {func(p *patient) { p.scratch = false }, []string{"never asks for the right to write", "auto_explain", "you may:"}, false},
		"may write": {func(p *patient) {
			p.exam.Databases = []collector.DatabaseRights{{Name: "ci", Writable: 3}}
		}, []string{"may write 3 tables", "read-only"}, false},
		"a pooler":  {func(p *patient) { p.exam.Pooled = true }, []string{"connection pooler", "address of Postgres itself"}, true},
		"a standby": {func(p *patient) { p.snap.Server.InRecovery = true; set(p, "hot_standby_feedback", "on") }, []string{"a standby", "on the primary", "hot_standby_feedback is on"}, false},
		"RDS":       {func(p *patient) { p.exam.Platform = collector.RDS }, []string{"Amazon RDS", "parameter group", "rds_superuser"}, false},
		"Aurora":    {func(p *patient) { p.exam.Platform = collector.Aurora }, []string{"reader endpoint"}, false},
		"Cloud SQL": {func(p *patient) { p.exam.Platform = collector.CloudSQL }, []string{"database flags", "Auth Proxy"}, false},
		"Azure":     {func(p *patient) { p.exam.Platform = collector.Azure }, []string{"azure.extensions", "6432"}, false},
		"old extension": {func(p *patient) {
			p.exam.Databases = []collector.DatabaseRights{{Name: "ci"}}
			p.snap.Databases = []pgvigil.DatabaseRead{{Name: "ci", Extensions: []pgvigil.Extension{{Name: "pg_stat_statements", Version: "1.8", Available: "1.12"}}}}
		}, []string{"version 1.8", "ALTER EXTENSION pg_stat_statements UPDATE;"}, true},
	}
	for name, tt := range tests {
		p := sick(tt.change)
		list := p.findings()
		if got := lacking(list); got != tt.found {
			t.Errorf("%s: something is missing: %v; want %v: %v", name, got, tt.found, missing(list))
		}
		var out bytes.Buffer
		printFindings(&ui{out: &out}, p, list)
		for _, part := range tt.says {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%s: the text lacks %q:\n%s", name, part, out.String())
			}
		}
	}
}

// TestAScriptForAManagedServiceSetsNothing: its settings are elsewhere, and what
// is optional is a comment.
func TestAScriptForAManagedServiceSetsNothing(t *testing.T) {
	for platform := range catches {
		p := sick(func(p *patient) {
			p.exam.Platform, p.scratch = platform, false
			p.exam.User = "pg\nvigil"
			p.snap.Statements.Dealloc = 48
			set(p, "track_io_timing", "off")
			p.exam.Databases = []collector.DatabaseRights{{Name: "ci", Tables: 2, Hidden: 1, Offered: []string{"pgstattuple"}}}
		})
		var out bytes.Buffer
		printScript(&ui{out: &out}, p, p.findings())
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSpace(line)
			ours := line == "" || strings.HasPrefix(line, "-- ") || line == `\connect "ci"` || line == "CREATE EXTENSION pgstattuple;" || strings.HasPrefix(line, "GRANT pg_read_all_data TO ")
			if !ours {
				t.Errorf("%s: the script has the line %q", platform, line)
			}
		}
		if !strings.Contains(out.String(), "track_io_timing = on") || !strings.Contains(out.String(), catches[platform].settings) {
			t.Errorf("%s: the script does not say where to set what:\n%s", platform, out.String())
		}
	}
}

// TestPlatformsAreToldByTheirMarks, planted on a real server.
func TestPlatformsAreToldByTheirMarks(t *testing.T) {
	s := pgtest.Server(t, 15)
	dsn := pgtest.Database(t, s)
	look := func() collector.Platform {
		e, err := collector.New(collector.Options{Log: quietLog()}).Examine(t.Context(), pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(dsn)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e.Platform
	}
	if got := look(); got != "" {
		t.Errorf("a plain server is %q", got)
	}
	for _, tt := range []struct {
		plant, remove string
		want          collector.Platform
	}{
		{"CREATE ROLE rds_superuser", "DROP ROLE rds_superuser", collector.RDS},
		{"CREATE ROLE cloudsqlsuperuser", "DROP ROLE cloudsqlsuperuser", collector.CloudSQL},
		{"CREATE ROLE azure_pg_admin", "DROP ROLE azure_pg_admin", collector.Azure},
		{"ALTER ROLE postgres SET rds.extensions = 'x'", "ALTER ROLE postgres RESET rds.extensions", collector.RDS},
		{"CREATE FUNCTION pg_catalog.aurora_version() RETURNS text LANGUAGE sql AS 'SELECT NULL'", "DROP FUNCTION pg_catalog.aurora_version()", collector.Aurora},
	} {
		pgtest.Exec(t, dsn, tt.plant)
		got := look()
		pgtest.Exec(t, dsn, tt.remove)
		if got != tt.want {
			t.Errorf("after %s: %q; want %q", tt.plant, got, tt.want)
		}
	}
}

func TestDoctorTellsTheCatchesOfAPooler(t *testing.T) {
	err := withCatches(&pgvigil.Hint{Err: errors.New("connect to ci: a connection pooler between refuses the session's settings"), Advice: "give the address of Postgres itself"})
	if advice := pgvigil.Advice(err); !strings.Contains(advice, "address of Postgres itself") || !strings.Contains(advice, "cancel") {
		t.Errorf("advice = %q; want the way out and the catches", advice)
	}
	if other := errors.New("nothing listens there"); !errors.Is(withCatches(other), other) || pgvigil.Advice(withCatches(other)) != "" {
		t.Error("another refusal got catches of a pooler")
	}
}
