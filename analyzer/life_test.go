package analyzer

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

// slow makes the victim's calls ten times as much work.
var slow = ofVictim(func(w *work) { w.ms *= 10; w.blocks *= 12 })

// goOn makes and judges n passes.
func (p *play) goOn(a *Analyzer, n int, bend func(pgvigil.Fingerprint, *work)) {
	for range n {
		p.observe(a, p.next(bend))
	}
}

func states(al pgvigil.Alert) []pgvigil.AlertState {
	var out []pgvigil.AlertState
	for _, s := range al.History {
		out = append(out, s.State)
	}
	return out
}

func TestAnAlertOpensOnceAndResolvesWithReasons(t *testing.T) {
	p := newPlay(t)
	a := New(p, Options{})
	p.goOn(a, 60, usual)
	p.goOn(a, 60, slow)
	if len(p.alerts) != 1 || p.alerts[0].State != pgvigil.Open {
		t.Fatalf("alerts = %+v; want one, open", p.alerts)
	}
	v := p.alerts[0].Verdict
	if v.Before.Blocks <= 0 || v.After.Blocks < 6*v.Before.Blocks || v.After.MS < 6*v.Before.MS || v.ExtraMSPerHour <= 0 || v.LoadShare <= 0 {
		t.Errorf("verdict = %+v; want profiles before and after, what it costs and its share", v)
	}
	p.goOn(a, 80, usual)
	if len(p.alerts) != 1 {
		t.Fatalf("%d alerts; want 1", len(p.alerts))
	}
	al := p.alerts[0]
	if al.State != pgvigil.Resolved || al.Closed.IsZero() {
		t.Errorf("alert is %s, closed %s; want resolved", al.State, al.Closed)
	}
	for _, s := range al.History {
		if s.Reason == "" || s.By != us || s.At.IsZero() {
			t.Errorf("step %+v lacks a reason, an author or a time", s)
		}
	}
}

func TestAlertsSurviveARestart(t *testing.T) {
	for name, at := range map[string]int{"while young": 10, "before the fault": 50, "while it is suspected": 66, "while it is open": 90, "after it recovered": 190} {
		t.Run(name, func(t *testing.T) {
			whole := restarted(t, math.MaxInt)
			got := restarted(t, at)
			if diff := cmp.Diff(summary(whole), summary(got)); diff != "" {
				t.Errorf("alerts differ by a restart (-without +with):\n%s", diff)
			}
		})
	}
}

// restarted plays a fault that heals and comes again, with a new analyzer from
// pass at on.
func restarted(t *testing.T, at int) *play {
	t.Helper()
	p := newPlay(t)
	a := New(p, Options{})
	for i := range 280 {
		bend := usual
		if i >= 60 && i < 110 || i >= 220 {
			bend = slow
		}
		rec := p.next(bend)
		if i == at {
			a = New(p, Options{})
		}
		p.observe(a, rec)
	}
	return p
}

type brief struct {
	States   []pgvigil.AlertState
	Onset    time.Time
	Detected time.Time
	Cause    pgvigil.Cause
}

func summary(p *play) []brief {
	var out []brief
	for _, a := range p.alerts {
		out = append(out, brief{states(a), a.Verdict.Onset, a.Verdict.Detected, a.Verdict.Cause})
	}
	return out
}

func TestWhatPeopleDoIsKept(t *testing.T) {
	tests := map[string]struct {
		do   pgvigil.AlertState
		want pgvigil.AlertState // after the series has recovered
	}{
		"acknowledged":         {pgvigil.Acknowledged, pgvigil.Resolved},
		"silenced":             {pgvigil.Silenced, pgvigil.Resolved},
		"resolved by a person": {pgvigil.Resolved, pgvigil.Resolved},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t)
			a := New(p, Options{})
			p.goOn(a, 60, usual)
			p.goOn(a, 25, slow)
			if len(p.alerts) != 1 {
				t.Fatalf("%d alerts; want 1", len(p.alerts))
			}
			al := &p.alerts[0]
			al.State = tt.do
			al.History = append(al.History, pgvigil.AlertStep{At: p.at, State: tt.do, Reason: "seen", By: "anna"})
			p.goOn(a, 30, slow)
			if p.alerts[0].State != tt.do {
				t.Errorf("state = %s while the shift lasts; want %s", p.alerts[0].State, tt.do)
			}
			p.goOn(a, 80, usual)
			if len(p.alerts) != 1 || p.alerts[0].State != tt.want {
				t.Errorf("%d alerts, the first %s; want 1, %s", len(p.alerts), p.alerts[0].State, tt.want)
			}
			if p.alerts[0].History[1].By != "anna" && p.alerts[0].History[2].By != "anna" {
				t.Errorf("history = %+v; want the person's step kept", p.alerts[0].History)
			}
		})
	}
}

func TestAnIncidentResolvesItself(t *testing.T) {
	p := newPlay(t)
	a := New(p, Options{})
	p.goOn(a, 40, usual)
	for i := range 30 {
		rec := p.next(usual)
		if i < 10 {
			scenes["a lock queue"].look(p, i)
		} else {
			p.session(pgvigil.Session{State: "idle"})
		}
		p.observe(a, rec)
	}
	if len(p.alerts) != 1 || p.alerts[0].State != pgvigil.Resolved {
		t.Fatalf("alerts = %+v; want one, resolved", p.alerts)
	}
	if got := p.alerts[0].Verdict.Queries; len(got) != 1 || got[0] != victim {
		t.Errorf("queries = %v; want the one that waits", got)
	}
}

func TestABadlyCoveredVerdictSaysSo(t *testing.T) {
	p := newPlay(t)
	a := New(p, Options{})
	p.goOn(a, 60, usual)
	for range 20 {
		p.coverage = pgvigil.Coverage{Time: 0.4, Blocks: 0.5, Calls: 0.5, CallsMin: 0.2, CallsMax: 0.9, Gap: 0.3, Evicted: 12}
		p.observe(a, p.next(slow))
	}
	if len(p.alerts) != 1 {
		t.Fatalf("%d alerts; want 1", len(p.alerts))
	}
	var codes []string
	for _, w := range p.alerts[0].Verdict.Warnings {
		codes = append(codes, w.Code)
	}
	if got := strings.Join(codes, " "); got != "evicted coverage gap" {
		t.Errorf("warnings = %q; want evicted, coverage and gap", got)
	}
}

func TestGarbageInThePointsIsLeftOut(t *testing.T) {
	p := newPlay(t)
	a := New(p, Options{})
	p.goOn(a, 40, usual)
	rec := p.next(usual)
	rec.Points[0].Counters[pgvigil.ExecMS] = math.Inf(1)
	rec.Points[1].Counters[pgvigil.Calls] = -5
	p.observe(a, rec)
	p.goOn(a, 5, usual)
	if len(p.alerts) != 0 {
		t.Errorf("alerts = %+v; want none", p.alerts)
	}
}

// TestASilenceEnds: an alert that was silenced for a while opens again, once,
// and one that was resolved meanwhile does not.
func TestASilenceEnds(t *testing.T) {
	p := newPlay(t)
	a := New(p, Options{Now: func() time.Time { return p.at }})
	p.goOn(a, 60, usual)
	p.goOn(a, 20, slow)
	if len(p.alerts) != 1 || p.alerts[0].State != pgvigil.Open {
		t.Fatalf("alerts = %+v; want one, open", p.alerts)
	}
	until := p.at.Add(5 * passes / 2)
	p.alerts[0].State, p.alerts[0].SilencedUntil = pgvigil.Silenced, until
	p.goOn(a, 2, slow)
	if got := p.alerts[0].State; got != pgvigil.Silenced {
		t.Fatalf("state = %s before the silence is over; want silenced", got)
	}
	p.goOn(a, 3, slow)
	al := p.alerts[0]
	last := al.History[len(al.History)-1]
	if al.State != pgvigil.Open || !al.SilencedUntil.IsZero() || !strings.Contains(last.Reason, "silence is over") {
		t.Errorf("state = %s until %v, last step %+v; want open, for the silence is over", al.State, al.SilencedUntil, last)
	}
	steps := len(al.History)
	p.goOn(a, 3, slow)
	if got := len(p.alerts[0].History); got != steps {
		t.Errorf("%d steps after the silence was over; want %d: it opens once", got, steps)
	}
}

func TestASilencedAlertThatResolvesStaysResolved(t *testing.T) {
	p := newPlay(t)
	a := New(p, Options{Now: func() time.Time { return p.at }})
	p.goOn(a, 60, usual)
	p.goOn(a, 60, slow)
	p.alerts[0].State, p.alerts[0].SilencedUntil = pgvigil.Silenced, p.at.Add(time.Hour)
	p.goOn(a, 80, usual)
	if al := p.alerts[0]; al.State != pgvigil.Resolved || !al.SilencedUntil.IsZero() {
		t.Errorf("state = %s until %v; want resolved, and no silence", al.State, al.SilencedUntil)
	}
}

// TestSuspectsAreShownBeforeTheyAreConvicted, also by an analyzer that replays
// the history first.
func TestSuspectsAreShownBeforeTheyAreConvicted(t *testing.T) {
	p := newPlay(t)
	a := New(p, Options{Now: func() time.Time { return p.at }})
	p.goOn(a, 60, usual)
	for range 40 {
		p.goOn(a, 1, ofVictim(func(w *work) { w.ms *= 1.4 }))
		got, err := a.Suspects(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			continue
		}
		if s := got[0]; s.State != pgvigil.Suspected || s.ID != 0 || s.Verdict.Series != p.key(victim) || s.Query.Fingerprint != victim {
			t.Errorf("suspect = %+v; want the slow query, with its text", s)
		}
		anew := New(p, Options{Now: func() time.Time { return p.at.Add(time.Second) }})
		if again, err := anew.Suspects(t.Context(), 1); err != nil || len(again) != len(got) {
			t.Errorf("after a restart: %d suspects, %v; want %d", len(again), err, len(got))
		}
		return
	}
	t.Error("no suspect was ever shown")
}
