package analyzer

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

func TestALongTransactionIsNamedWithItsSession(t *testing.T) {
	sc := scenes["a queue that bloats under a long transaction"]
	sc.look = func(p *play, age int) {
		p.table(pgvigil.TableCounters{LiveTuples: 1000, DeadTuples: float64(max(0, age)) * 500, IndexScans: 10})
		p.session(pgvigil.Session{
			PID: 4711, Application: "ci-export", User: "etl", State: "idle in transaction", Query: "SELECT * FROM jobs WHERE id > $1",
			XactStart: p.at.Add(-time.Duration(max(0, age)) * passes),
		})
	}
	p := sc.run(t, "")
	if len(p.alerts) != 1 {
		t.Fatalf("%d alerts; want 1", len(p.alerts))
	}
	got := strings.Join(p.alerts[0].Verdict.Causes[0].For, "; ")
	for _, want := range []string{"process 4711 (application ci-export, user etl, idle in transaction) has had a transaction open for ", "SELECT * FROM jobs WHERE id > $1"} {
		if !strings.Contains(got, want) {
			t.Errorf("the evidence is %q; want %q in it", got, want)
		}
	}
}

func TestAnUnknownCauseSaysWhatWasRuledOut(t *testing.T) {
	p := scenes["more time, and nobody knows why"].run(t, "")
	if len(p.alerts) != 1 || len(p.alerts[0].Verdict.Causes) != 1 {
		t.Fatalf("alerts = %+v; want one with one cause", p.alerts)
	}
	got := strings.Join(p.alerts[0].Verdict.Causes[0].Against, "; ")
	for _, want := range []string{"another plan, or bloat: blocks per call 1.", "rows per call 1.", "no temporary blocks", "waits: not known", "no index, setting"} {
		if !strings.Contains(got, want) {
			t.Errorf("ruled out: %q; want %q in it", got, want)
		}
	}
}

// TestAnalyzeAloneMakesNoStatisticsStale guards that an automatic analyze near
// the onset, which busy tables have all day, is no cause.
func TestAnalyzeAloneMakesNoStatisticsStale(t *testing.T) {
	sc := scenes["more work, and nobody knows why"]
	sc.event = func(p *play) pgvigil.Event {
		return pgvigil.Event{Server: 1, DBID: 5, At: p.at, Kind: pgvigil.EventAnalyzed, Object: "public.jobs_7", Table: "jobs_7"}
	}
	p := sc.run(t, "")
	if len(p.alerts) != 1 || p.alerts[0].Verdict.Cause != pgvigil.CausePlan || p.alerts[0].Verdict.CauseDetail != "" {
		t.Errorf("alerts = %+v; want one of cause plan and no detail", p.alerts)
	}
}

func TestConfidenceFollowsTheEvidence(t *testing.T) {
	incident := func(shift float64, slower, asked int) float64 {
		return confidence(change.Verdict{Kind: pgvigil.KindIncident, Numbers: change.Numbers{Shift: shift, Scale: 0.05, Slower: slower, Asked: asked}})
	}
	surge := func(factor float64) float64 {
		return confidence(change.Verdict{Kind: pgvigil.KindTraffic, Factor: factor, Numbers: change.Numbers{Shift: math.Log(factor), Scale: 0.25, Observed: 13}})
	}
	news := func(share float64) float64 {
		return confidence(change.Verdict{Kind: pgvigil.KindNew, LoadShare: share, Numbers: change.Numbers{Observed: 5}})
	}
	tests := map[string]struct{ less, more float64 }{
		"an incident further outside":               {incident(0.2, 6, 10), incident(0.6, 6, 10)},
		"an incident of more queries":               {incident(0.2, 5, 10), incident(0.2, 9, 10)},
		"more calls":                                {surge(2), surge(8)},
		"a new query that costs more":               {news(0.03), news(0.4)},
		"a symptom further beyond its limit":        {symptom{beyond: []float64{1}}.confidence(2), symptom{beyond: []float64{8}}.confidence(2)},
		"a symptom with more kinds of evidence":     {symptom{beyond: []float64{1}}.confidence(2), symptom{beyond: []float64{1, 1}}.confidence(2)},
		"a symptom seen more often":                 {symptom{beyond: []float64{1}}.confidence(2), symptom{beyond: []float64{1}}.confidence(5)},
		"a symptom with something that supports it": {symptom{}.confidence(2), symptom{related: []string{"x"}}.confidence(2)},
		"a share that fell over more updates":       {fellBy(0.9, 30, 0.4, 30), fellBy(0.9, 3000, 0.4, 3000)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if !(tt.less < tt.more) || !(tt.less > 0) || !(tt.more < 1) {
				t.Errorf("confidence %.4f, then %.4f; want it to grow within (0, 1)", tt.less, tt.more)
			}
		})
	}
}

func TestSeverityWeighsSizeAndWork(t *testing.T) {
	work := func(factor, blocks, share float64) pgvigil.Severity {
		return severity(change.Verdict{
			Kind: pgvigil.KindRegression, Factor: factor, LoadShare: share,
			Numbers: change.Numbers{Shift: math.Log(factor), Blocks: math.Log(blocks)},
		})
	}
	tests := map[string]struct{ got, want pgvigil.Severity }{
		"a tenth of the server's time":         {work(4, 1, 0.2), pgvigil.Page},
		"one percent of it":                    {work(3, 1, 0.015), pgvigil.Ticket},
		"less, by time alone":                  {work(3, 1, 0.006), pgvigil.ReportOnly},
		"as little, and a call does six times": {work(2.5, 6, 0.0075), pgvigil.Ticket},
		"as little, and somewhat more work":    {work(2.2, 1.8, 0.003), pgvigil.ReportOnly},
		"hardly any, whatever the work":        {work(10, 60, 0.0005), pgvigil.ReportOnly},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("severity = %s; want %s", tt.got, tt.want)
			}
		})
	}
}

// TestLostHeapOnlyUpdatesAreATicket: also where the update itself was noticed
// first, for the report only.
func TestLostHeapOnlyUpdatesAreATicket(t *testing.T) {
	sc := scenes["an index that costs HOT updates"]
	for name, ms := range map[string]float64{"not slower yet": 1, "a little slower": 1.9} {
		t.Run(name, func(t *testing.T) {
			sc.work = victimDoes(func(w *work) { w.ms *= ms; w.wal *= 4; w.blocks *= 2.5 * ms / 1.9 })
			p := sc.run(t, "")
			if len(p.alerts) != 1 || p.alerts[0].Severity == pgvigil.ReportOnly || p.alerts[0].Verdict.CauseDetail != pgvigil.DetailHOTLost {
				t.Errorf("alerts = %+v; want one ticket of lost heap-only updates", p.alerts)
			}
		})
	}
}

// TestANeighbourThatShowsLaterIsNamed guards that an incident told by its
// numbers gets the finer cause when sessions next door are seen.
func TestANeighbourThatShowsLaterIsNamed(t *testing.T) {
	sc := scenes["a neighbour of many short statements"]
	look := sc.look
	sc.look = func(p *play, age int) { look(p, age-6) }
	sc.within = 16
	p := sc.run(t, "")
	if len(p.alerts) != 1 || p.alerts[0].Verdict.CauseDetail != pgvigil.DetailNeighbour || len(p.alerts[0].History) != 2 {
		t.Errorf("alerts = %+v; want one incident that became a noisy neighbour", p.alerts)
	}
}

func TestABusyNeighbourAsEverIsNoCause(t *testing.T) {
	sc := scenes["a neighbour of many short statements"]
	sc.look = func(p *play, _ int) {
		p.session(pgvigil.Session{Query: "SELECT $1", QueryStart: p.at})
		p.sessions[len(p.sessions)-1].Sessions[0].DBID = 77
	}
	p := sc.run(t, "")
	if len(p.alerts) != 1 || p.alerts[0].Verdict.CauseDetail != "" {
		t.Errorf("alerts = %+v; want one incident that blames no neighbour", p.alerts)
	}
}

// TestANeighbourThatStaysIsNotOverEarly: the numbers alone may look calm before
// the sessions next door are.
func TestANeighbourThatStaysIsNotOverEarly(t *testing.T) {
	sc := scenes["a neighbour of many short statements"]
	sc.work = func(age int, _ pgvigil.Fingerprint, w *work) {
		if age < 8 {
			w.ms *= 2
		}
	}
	sc.within = 30
	p := sc.run(t, "")
	if len(p.alerts) != 1 || p.alerts[0].State != pgvigil.Open {
		t.Errorf("alerts = %+v; want one, still open", p.alerts)
	}
}
