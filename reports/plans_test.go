package reports

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
)

// withPlans is the story with the plans of the query that lost its index, and
// one that has none.
func withPlans() *memory {
	m := story()
	plan := func(first, last time.Time, hash pgvigil.PlanHash, text string) pgvigil.Plan {
		return pgvigil.Plan{
			Server: 1, DBID: ciDB, Fingerprint: byState, Source: pgvigil.ByExplain, First: first, Last: last, Hash: hash, Text: text, Role: "gitlab",
			Settings: []pgvigil.Setting{{Name: "work_mem", Value: "64MB"}},
		}
	}
	m.plans = []pgvigil.Plan{
		plan(monday, dropped.Add(-5*time.Hour), 1, "Limit  (cost=0.43..8.45 rows=1 width=16)\n  -> Index Scan using ci_builds_pick on public.ci_builds  (cost=0.43..8.45 rows=1 width=16)\n       Index Cond: (status = $1)"),
		plan(dropped.Add(20*time.Minute), sunday.Add(-time.Hour), 2, "Limit  (cost=0.00..912.10 rows=1 width=16)\n  -> Seq Scan on public.ci_builds  (cost=0.00..912.10 rows=1 width=16)  and 11 more partitions like this\n       Filter: (status = $1) <script>alert(1)</script>"),
		{
			Server: 1, DBID: ciDB, Fingerprint: pick, Source: pgvigil.ByExplain, First: monday, Last: sunday.Add(-time.Hour),
			Refused: pgvigil.Warning{Code: pgvigil.RefusedRights, Text: "the role may not read public.ci_builds", Remedy: "GRANT pg_read_all_data TO pgvigil"},
		},
	}
	return m
}

func TestPlansStandBesideWhatTheyExplain(t *testing.T) {
	report, err := Gather(t.Context(), withPlans(), storyRange())
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := Write(&page, report); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"The plan changed", "Index Scan using ci_builds_pick on public.ci_builds", "Seq Scan on public.ci_builds", "and 11 more partitions like this",
		"generic plan, asked for by pgvigil, as for role gitlab", "work_mem = 64MB", "Queries without plan", "the role may not read public.ci_builds",
		"GRANT pg_read_all_data TO pgvigil",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if strings.Contains(page.String(), "<script>alert(1)") {
		t.Error("a plan's text is not escaped")
	}
}

func TestThePlansAroundAnOnset(t *testing.T) {
	at := func(hour int) time.Time { return monday.Add(time.Duration(hour) * time.Hour) }
	plan := func(source pgvigil.PlanSource, from, to int, hash pgvigil.PlanHash) pgvigil.Plan {
		return pgvigil.Plan{Source: source, First: at(from), Last: at(to), Hash: hash}
	}
	tests := map[string]struct {
		plans         []pgvigil.Plan
		before, after pgvigil.PlanHash
	}{
		"none":                               {nil, 0, 0},
		"one on either side":                 {[]pgvigil.Plan{plan(pgvigil.ByExplain, 1, 4, 1), plan(pgvigil.ByExplain, 6, 8, 2)}, 1, 2},
		"one over the onset":                 {[]pgvigil.Plan{plan(pgvigil.ByExplain, 1, 8, 1)}, 1, 1},
		"only one from before":               {[]pgvigil.Plan{plan(pgvigil.ByExplain, 1, 4, 1)}, 1, 0},
		"only one since":                     {[]pgvigil.Plan{plan(pgvigil.ByExplain, 6, 8, 1)}, 0, 1},
		"refusals are no plans":              {[]pgvigil.Plan{plan(pgvigil.ByExplain, 1, 4, 0), plan(pgvigil.ByExplain, 6, 8, 1)}, 0, 1},
		"the log has both, EXPLAIN only one": {[]pgvigil.Plan{plan(pgvigil.ByExplain, 6, 8, 9), plan(pgvigil.ByAutoExplain, 1, 4, 1), plan(pgvigil.ByAutoExplain, 6, 8, 2)}, 1, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := plansAround(tt.plans, at(5))
			hash := func(p *pgvigil.Plan) pgvigil.PlanHash {
				if p == nil {
					return 0
				}
				return p.Hash
			}
			if hash(before) != tt.before || hash(after) != tt.after {
				t.Errorf("plans = %s and %s; want %s and %s", hash(before), hash(after), tt.before, tt.after)
			}
		})
	}
}
