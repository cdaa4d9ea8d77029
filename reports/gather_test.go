package reports

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

func TestUnknownTargetSaysWhatToDo(t *testing.T) {
	_, err := Gather(t.Context(), story(), Range{Target: "nowhere", Now: sunday})
	if err == nil || pgvigil.Advice(err) == "" {
		t.Errorf("Gather = %v, advice %q; want an error with advice", err, pgvigil.Advice(err))
	}
}

// broken is a history that fails on one call.
type broken struct{ *memory }

func (broken) Coverage(context.Context, pgvigil.ServerID, pgvigil.Window) (pgvigil.Coverage, error) {
	return pgvigil.Coverage{}, errors.New("disk is gone")
}

func TestErrorsOfTheHistoryName(t *testing.T) {
	_, err := Gather(t.Context(), broken{story()}, storyRange())
	if want := "gather report of ci-main: read coverage: disk is gone"; err == nil || err.Error() != want {
		t.Errorf("Gather = %v; want %q", err, want)
	}
}

func TestRangeWithoutBoundsIsTheLastWeek(t *testing.T) {
	got := Range{Now: sunday, Target: "x"}.settle()
	if want := (pgvigil.Window{From: monday, To: sunday}); got.Window != want || got.Title != "Postgres report of x" {
		t.Errorf("settle = %+v", got)
	}
}

func TestAlertsGoWhereTheyBelong(t *testing.T) {
	m := story()
	suspected, old := m.alerts[3], m.alerts[0]
	suspected.ID, suspected.State = 20, pgvigil.Suspected
	old.ID, old.Opened, old.Verdict.Onset = 21, monday.Add(-12*day), monday.Add(-12*day)
	future := m.alerts[3]
	future.ID, future.Opened = 22, sunday.Add(time.Hour)
	m.alerts = append(m.alerts, suspected, old, future)
	r, err := Gather(t.Context(), m, storyRange())
	if err != nil {
		t.Fatal(err)
	}
	ids := func(list []pgvigil.Alert) (ids []int64) {
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		return ids
	}
	s := r.Servers[0]
	var slower []int64
	for _, a := range s.Slower {
		slower = append(slower, a.ID)
	}
	got := map[string][]int64{"slower": slower, "noticed": ids(s.Noticed), "incidents": ids(s.Incidents)}
	want := map[string][]int64{"slower": {12, 15, 21}, "noticed": {20, 13}, "incidents": {14}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestChartReachesBackBeforeTheOnset(t *testing.T) {
	g := gatherer{window: pgvigil.Window{From: monday, To: sunday}, server: Server{Info: pgvigil.ServerInfo{FirstSeen: monday.Add(-20 * day)}}}
	tests := map[string]struct{ onset, want time.Time }{
		"in the middle":            {monday.Add(4 * day), monday},
		"at the start":             {monday.Add(time.Hour), monday.Add(2*time.Hour - 7*day)},
		"before the first sight":   {monday.Add(-15 * day), monday.Add(-20 * day)},
		"unknown is in the window": {time.Time{}, monday},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := g.around(test.onset).From; !got.Equal(test.want) {
				t.Errorf("from %s; want %s", got, test.want)
			}
		})
	}
}

func TestMarksNeedSomethingToCompareWith(t *testing.T) {
	calls := func(n, ms float64) (c pgvigil.Counters) {
		c[pgvigil.Calls], c[pgvigil.ExecMS] = n, n*ms
		return c
	}
	tests := map[string]struct {
		before, now pgvigil.Counters
		want        Mark
	}{
		"not there before":  {calls(0, 0), calls(100, 1), MarkNew},
		"twice as slow":     {calls(100, 1), calls(100, 2), MarkSlower},
		"half the time":     {calls(100, 2), calls(100, 1), MarkFaster},
		"a little slower":   {calls(100, 1), calls(100, 1.2), MarkNone},
		"too few to say so": {calls(3, 1), calls(100, 9), MarkNone},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := markOf(test.before, test.now); got != test.want {
				t.Errorf("mark = %q; want %q", got, test.want)
			}
		})
	}
	young := story()
	young.servers[0].FirstSeen = monday
	r, err := Gather(t.Context(), young, storyRange())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range r.Servers[0].Loads {
		if l.Mark != MarkNone {
			t.Errorf("a history of one window marks %s as %q", l.Series.Fingerprint, l.Mark)
		}
	}
}

func TestTrendKeepsEveryCall(t *testing.T) {
	s := seriesOf(shapes()[0])
	w := pgvigil.Window{From: monday, To: sunday}
	trend := trendOf(s.Points, w, trendSteps)
	want, got := 0.0, 0.0
	for _, p := range s.Points {
		if p.End.After(w.From) && !p.End.After(w.To) {
			want += p.Counters[pgvigil.Calls]
		}
	}
	for _, p := range trend.Points {
		got += p.Counters[pgvigil.Calls]
	}
	if math.Abs(got-want) > 1e-6*want || len(trend.Points) > trendSteps || trend.Step != time.Hour {
		t.Errorf("%v calls in %d steps of %s; want %v in steps of an hour", got, len(trend.Points), trend.Step, want)
	}
	if values := trend.values(msPerCall); !math.IsNaN(values[48].V) || math.IsNaN(values[40].V) {
		t.Errorf("Wednesday 0:30 is %v and Tuesday 16:30 %v; want a gap and a value", values[48], values[40])
	}
}

func TestIrregularPassesLeaveNoGapInAChart(t *testing.T) {
	var points []pgvigil.Point
	at := monday
	for i := range 100 {
		p := pgvigil.Point{Start: at, End: at.Add(2*time.Second + time.Duration(i%5)*300*time.Millisecond)}
		p.Counters[pgvigil.Calls], p.Counters[pgvigil.ExecMS] = 10, 50
		points, at = append(points, p), p.End
	}
	trend := trendOf(points, pgvigil.Window{From: monday, To: at}, trendSteps)
	for _, s := range trend.values(msPerCall) {
		if math.Abs(s.V-5) > 1e-9 {
			t.Fatalf("at %s a call took %v ms; want 5", s.At, s.V)
		}
	}
	if trend.Intervals != 100 {
		t.Errorf("%d intervals; want 100", trend.Intervals)
	}
}

func TestGrowthRollsUpToTheParent(t *testing.T) {
	catalog, sizes := storyTables()
	grown := growth(sized{catalog: catalog, relations: sizes, events: storyEvents(), span: span{monday, sunday}, page: 8192})
	byName := make(map[string]Growth)
	for _, g := range grown {
		byName[g.Name] = g
	}
	const mib = 1 << 20
	jobs := byName["p_ci_builds"]
	// All but the new partition, which is counted from its creation on.
	start := pgvigil.Bytes((410000 + 780000 + 91000 + 12000) * 8192)
	if jobs.Start != start || jobs.Partitions != 3 || jobs.TOAST != 12600*8192 || jobs.Indexes != 94800*8192 {
		t.Errorf("p_ci_builds = %+v; want a start of %d", jobs, start)
	}
	if got := byName["p_ci_job_artifacts"]; got.End-got.Start != -5500*8192 || math.Abs(got.PerDay+5500*8192/7.0) > mib {
		t.Errorf("p_ci_job_artifacts = %+v", got)
	}
	if _, ok := byName["ci_builds_103"]; ok {
		t.Error("a partition has a row of its own")
	}
}

func TestSizesThatDidNotChangeCountToo(t *testing.T) {
	key := func(n pgvigil.OID) pgvigil.RelationKey { return pgvigil.RelationKey{DBID: 1, RelID: n} }
	catalog := []pgvigil.DatabaseRead{{OID: 1, Tables: []pgvigil.Table{
		{Key: key(10), Schema: "s", Name: "parent", Kind: "p"},
		{Key: key(11), Schema: "s", Name: "still", Kind: "r", Parent: 10, Pages: 100},
		{Key: key(12), Schema: "s", Name: "grows", Kind: "r", Parent: 10, Pages: 30},
	}}}
	sizes := []pgvigil.RelationSeries{{Key: key(12), Schema: "s", Name: "grows", Sizes: []pgvigil.SizePoint{
		{At: monday.Add(-time.Hour), Pages: 10}, {At: monday.Add(2 * day), Pages: 30},
	}}}
	got := growth(sized{catalog: catalog, relations: sizes, span: span{monday, sunday}, page: 8192})
	if len(got) != 1 || got[0].Start != 110*8192 || got[0].End != 130*8192 {
		t.Errorf("growth = %+v; want 110 to 130 pages of one table", got)
	}
}

func TestSeveralServersAreToldApart(t *testing.T) {
	m := story()
	second := m.servers[0]
	second.ID, second.Server.Target = 2, "ci-replica"
	m.servers = append(m.servers, second)
	rng := storyRange()
	rng.Target = ""
	r, err := Gather(t.Context(), m, rng)
	if err != nil {
		t.Fatal(err)
	}
	doc := render(t, r, "")
	if diff := cmp.Diff([]string{"ci-main", "ci-replica"}, texts(doc, "section#loads h3")); diff != "" {
		t.Error(diff)
	}
	if got := len(find(doc, "section#trust table.coverage")); got != 2 {
		t.Errorf("%d tables of coverage; want 2", got)
	}
}
