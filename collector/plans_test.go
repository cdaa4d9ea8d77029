package collector_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/query"
)

// wishing is a collector that wants the plans of some texts in every pass, as
// run by some roles. Its clock is moved by an hour before each pass, its wishes
// are never satisfied.
type wishing struct {
	texts []string
	users []pgvigil.OID
	dbid  pgvigil.OID
	log   string
	snap  *pgvigil.Snapshot // of the last pass
	now   time.Time
	notes map[string][]byte
	*collector.Collector
}

func newWishing(texts ...string) *wishing {
	w := &wishing{texts: texts, now: time.Now(), notes: map[string][]byte{}}
	w.Collector = collector.New(collector.Options{
		Log: slog.New(slog.DiscardHandler), TextEvery: time.Hour, Now: func() time.Time { return w.now },
		Plans: func(context.Context, pgvigil.Server) (list []collector.PlanWish, err error) {
			for _, text := range w.texts {
				list = append(list, collector.PlanWish{DBID: w.dbid, Query: query.Describe(text, query.Options{}), Users: w.users, Since: w.now})
			}
			return list, nil
		},
		Note: func(_ context.Context, _ pgvigil.Server, name string) ([]byte, error) { return w.notes[name], nil },
	})
	return w
}

// plans makes a pass over the one database of a DSN and returns the plans by text.
func (w *wishing) plans(t testing.TB, dsn string) map[string]pgvigil.Plan {
	t.Helper()
	w.now = w.now.Add(25 * time.Hour)
	if err := pgtest.Connect(t, dsn).QueryRow(t.Context(), "SELECT oid FROM pg_database WHERE datname = current_database()").Scan(&w.dbid); err != nil {
		t.Fatal(err)
	}
	tg := target(t, dsn)
	tg.Log = w.log
	snap := pass(t, w.Collector, tg)
	w.snap = snap
	maps.Copy(w.notes, snap.Notes)
	for _, warning := range snap.Warnings {
		if strings.HasPrefix(warning.Code, "plans-") {
			t.Errorf("warning: %v", warning)
		}
	}
	out := map[string]pgvigil.Plan{}
	for _, p := range snap.Plans {
		for _, text := range w.texts {
			if query.Describe(text, query.Options{}).Fingerprint == p.Fingerprint {
				out[text] = p
			}
		}
	}
	return out
}

const planned = `
	CREATE TABLE jobs (id int PRIMARY KEY, project_id int, status text, created_at timestamptz DEFAULT now());
	INSERT INTO jobs SELECT g, g % 500, 'done', now() FROM generate_series(1, 20000) g;
	CREATE INDEX jobs_project ON jobs (project_id);
	CREATE TABLE events (id int, at int, kind text) PARTITION BY RANGE (at);
	CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (1000);
	CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (1000) TO (2000);
	CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM (2000) TO (3000);
	CREATE INDEX events_at ON events (at);
	INSERT INTO events SELECT g, g % 3000, 'x' FROM generate_series(1, 9000) g;
	VACUUM ANALYZE;`

func exec(t testing.TB, dsn string, script string) {
	t.Helper()
	for part := range strings.SplitSeq(script, ";\n") {
		pgtest.Exec(t, dsn, part)
	}
}

func TestPlansAreGenericAndTellWhenTheyChange(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		exec(t, dsn, planned)
		const byProject = "SELECT * FROM jobs WHERE project_id = 17 AND status = 'secret'"
		const byTime = "SELECT kind FROM events WHERE at = 12 ORDER BY id LIMIT 5"
		const untyped = "SELECT * FROM jobs WHERE 'x' IS NULL OR created_at > now() - interval '1 day'"
		w := newWishing(byProject, byTime, untyped)
		before := w.plans(t, dsn)
		for text, want := range map[string]string{
			byProject: "Bitmap Index Scan on jobs_project",
			byTime:    "events_at",
			untyped:   "on public.jobs",
		} {
			p := before[text]
			if p.Hash == 0 || !strings.Contains(strings.Join(p.Steps, "; ")+p.Text, want) || p.Cost <= 0 {
				t.Errorf("%s: plan %+v; want %q in it", text, p, want)
			}
			if strings.Contains(p.Text, "secret") {
				t.Errorf("%s: the plan shows a constant:\n%s", text, p.Text)
			}
		}
		if got := strings.Count(before[byTime].Text, "events_at"); got != 1 || strings.Contains(before[byTime].Text, "events_2") {
			t.Errorf("partitions are not one node:\n%s", before[byTime].Text)
		}

		pgtest.Exec(t, dsn, "DROP INDEX jobs_project; CREATE TABLE events_4 PARTITION OF events FOR VALUES FROM (3000) TO (4000)")
		after := w.plans(t, dsn)
		if p := after[byProject]; p.Hash == before[byProject].Hash || !strings.Contains(p.Text, "Seq Scan on public.jobs") {
			t.Errorf("without the index the plan is the same:\n%s", p.Text)
		}
		if after[byTime].Hash != before[byTime].Hash {
			t.Errorf("one partition more is another plan:\n%s\n%s", before[byTime].Text, after[byTime].Text)
		}
	})
}

func TestStatementsWithoutPlanSayWhy(t *testing.T) {
	tests := map[string]struct{ text, code string }{
		"an update":                      {"UPDATE jobs SET status = 'x' WHERE id = 1", pgvigil.RefusedWrite},
		"a write in a CTE":               {"WITH x AS (DELETE FROM jobs RETURNING id) SELECT * FROM x", pgvigil.RefusedWrite},
		"a lock":                         {"SELECT * FROM jobs WHERE id = 1 FOR UPDATE SKIP LOCKED", pgvigil.RefusedWrite},
		"a table that is not there":      {"SELECT * FROM gone WHERE id = 1", pgvigil.RefusedUnknown},
		"a name that means two tables":   {"SELECT * FROM twice WHERE id = 1", pgvigil.RefusedUnknown},
		"one of them by its schema":      {"SELECT * FROM a.twice WHERE id = 1", ""},
		"a table with row security":      {"SELECT * FROM mine WHERE id = 1", pgvigil.RefusedUnknown},
		"parameters without types":       {"SELECT 1 + 2", pgvigil.RefusedTypes},
		"what has no plan":               {"CREATE TABLE x (id int)", pgvigil.RefusedText},
		"a statistics view":              {"SELECT * FROM pg_stat_activity WHERE pid = 1", ""},
		"a foreign table":                {"SELECT * FROM afar", pgvigil.RefusedUntrusted},
		"a view over the foreign table":  {"SELECT * FROM spyglass", pgvigil.RefusedUntrusted},
		"a subquery, a union, a set":     {"(SELECT id FROM jobs WHERE id IN (1, 2, 3)) UNION ALL SELECT count(*) FROM jobs", ""},
		"a name in mixed case":           {`SELECT * FROM "MixedCase" WHERE "Id" = 1`, ""},
		"a function that does not exist": {"SELECT nothing_like_it(id) FROM jobs", pgvigil.RefusedTypes},
	}
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		exec(t, dsn, planned)
		pgtest.Exec(t, dsn, `CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.twice (id int); CREATE TABLE b.twice (id int);
			CREATE TABLE mine (id int); ALTER TABLE mine ENABLE ROW LEVEL SECURITY; CREATE TABLE "MixedCase" ("Id" int);
			CREATE EXTENSION file_fdw; CREATE SERVER afar FOREIGN DATA WRAPPER file_fdw;
			CREATE FOREIGN TABLE afar (line text) SERVER afar OPTIONS (filename '/etc/hostname'); CREATE VIEW spyglass AS SELECT * FROM afar`)
		w := newWishing()
		for _, tt := range tests {
			w.texts = append(w.texts, tt.text)
		}
		got := w.plans(t, dsn)
		for name, tt := range tests {
			p, ok := got[tt.text]
			if !ok || p.Refused.Code != tt.code || (p.Hash == 0) != (tt.code != "") {
				t.Errorf("%s: plan %v, refused %v; want %q", name, p.Hash, p.Refused, tt.code)
			}
		}
	})
}

func TestPlansNeedTheRightToReadAndNoMore(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		exec(t, dsn, planned)
		name := func(role string) string { return fmt.Sprintf("p%d_%s", s.Port, role) }
		for _, role := range []string{"monitor", "reader", "writer", "both"} {
			pgtest.Exec(t, s.DSN("postgres"), "DROP ROLE IF EXISTS "+name(role)+"; CREATE ROLE "+name(role)+" LOGIN; GRANT pg_monitor TO "+name(role))
		}
		pgtest.Exec(t, s.DSN("postgres"), fmt.Sprintf("GRANT pg_read_all_data TO %s, %s", name("reader"), name("both")))
		pgtest.Exec(t, dsn, fmt.Sprintf("GRANT SELECT, UPDATE ON jobs TO %s, %s; GRANT USAGE ON SCHEMA public TO PUBLIC", name("writer"), name("both")))
		const text = "SELECT * FROM jobs WHERE id = 1"
		for role, code := range map[string]string{
			name("monitor"): pgvigil.RefusedRights, name("reader"): "", name("writer"): pgvigil.RefusedRights, name("both"): "", "postgres": "",
		} {
			p := newWishing(text).plans(t, as(dsn, role))[text]
			if p.Refused.Code != code || code != "" && !strings.HasPrefix(p.Refused.Remedy, "GRANT pg_read_all_data TO ") {
				t.Errorf("%s: plan %v, refused %v; want %q with the GRANT", role, p.Hash, p.Refused, code)
			}
		}
		pgtest.Exec(t, s.DSN("postgres"), "DROP OWNED BY "+name("reader"))
	})
}
