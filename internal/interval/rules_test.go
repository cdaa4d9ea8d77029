package interval

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

// seen is what a test says of one statement's interval.
type seen struct {
	Calls float64
	Flags pgvigil.IntervalFlag
	Start time.Duration // after the last snapshot
	Len   time.Duration
}

func TestRulesOfStatements(t *testing.T) {
	tests := map[string]struct {
		between func(w *world) // after the first snapshot, in which statement 1 has 10 calls
		read    func(s *pgvigil.Snapshot)
		failed  int
		want    map[int64]seen
	}{
		"what was done in between is counted": {
			between: func(w *world) { w.work(1, 4, 1) },
			want:    map[int64]seen{1: {Calls: 4, Len: 61 * time.Second}},
		},
		"no calls, no interval": {between: func(*world) {}},
		"a key that was not there did all of its work since": {
			between: func(w *world) { w.work(2, 3, 1) },
			want:    map[int64]seen{2: {Calls: 3, Flags: pgvigil.FirstSight, Len: 61 * time.Second}},
		},
		"an entry that shrank counts from zero": {
			between: func(w *world) { w.drop(1); w.work(1, 6, 1) },
			want:    map[int64]seen{1: {Calls: 6, Flags: pgvigil.AfterReset, Len: 61 * time.Second}},
		},
		"stats_since tells a reset that the counters hide": {
			between: func(w *world) {
				w.entries[0].Since = w.now
				w.drop(1)
				w.since = true
				w.work(1, 60, 1)
			},
			read: func(s *pgvigil.Snapshot) {},
			want: map[int64]seen{1: {Calls: 50, Len: 61 * time.Second}}, // the first read knew no stats_since
		},
		"after stats_reset all count from zero, from then on": {
			between: func(w *world) { w.work(1, 5, 1); w.resetAll(); w.work(1, 30, 1) },
			want:    map[int64]seen{1: {Calls: 30, Flags: pgvigil.AfterReset, Start: 2 * time.Second, Len: 61 * time.Second}},
		},
		"a clean restart keeps the counters": {
			between: func(w *world) { w.restart(); w.work(1, 5, 1) },
			want:    map[int64]seen{1: {Calls: 5, Len: 62 * time.Second}},
		},
		"a kill wipes them": {
			between: func(w *world) { w.restart(); w.resetAll(); w.work(1, 50, 1) },
			want:    map[int64]seen{1: {Calls: 50, Flags: pgvigil.AfterReset, Start: 2 * time.Second, Len: 61 * time.Second}},
		},
		"a SIGKILL of a backend wipes them without a restart of the postmaster": {
			between: func(w *world) { w.resetAll(); w.work(1, 50, 1) },
			want:    map[int64]seen{1: {Calls: 50, Flags: pgvigil.AfterReset, Start: time.Second, Len: 61 * time.Second}},
		},
		"another postmaster's counters are its own": {
			between: func(w *world) {
				w.server.PostmasterStart, w.reset = began.Add(-24*time.Hour), began.Add(-24*time.Hour)
				w.work(1, 1e6, 1)
				w.work(7, 1e6, 1)
			},
		},
		"another postmaster that has just started": {
			between: func(w *world) {
				w.restart()
				w.reset = began.Add(-24 * time.Hour)
				w.work(1, 1e6, 1)
				w.work(7, 1e6, 1)
			},
		},
		"another cluster": {
			between: func(w *world) { w.server.SystemID = 2; w.work(1, 1e6, 1) },
		},
		"a failed pass in between is a gap": {
			between: func(w *world) { w.work(1, 4, 1) }, failed: 1,
			want: map[int64]seen{1: {Calls: 4, Flags: pgvigil.SpansGap, Len: 61 * time.Second}},
		},
		"a jump of the server's clock is flagged": {
			between: func(w *world) { w.work(1, 4, 1) },
			read:    func(s *pgvigil.Snapshot) { s.At = s.At.Add(time.Hour) },
			want:    map[int64]seen{1: {Calls: 4, Flags: pgvigil.ClockJump, Len: time.Hour + 61*time.Second}},
		},
		"a server's clock that ran back gives way to ours": {
			between: func(w *world) { w.work(1, 4, 1) },
			read:    func(s *pgvigil.Snapshot) { s.At = s.At.Add(-time.Hour) },
			want:    map[int64]seen{1: {Calls: 4, Flags: pgvigil.ClockJump, Start: -time.Hour, Len: 61 * time.Second}},
		},
		"clocks that differ, but agree about the distance": {
			between: func(w *world) { w.work(1, 4, 1) },
			read:    func(s *pgvigil.Snapshot) { s.Clock = s.Clock.Add(time.Second) },
			want:    map[int64]seen{1: {Calls: 4, Len: 61 * time.Second}},
		},
		"an entry that was hidden for want of rights has older counters": {
			between: func(w *world) { w.since = true; w.work(2, 5000, 1) },
			read:    func(s *pgvigil.Snapshot) { s.Statements.List[1].Since = began.Add(-time.Hour) },
		},
		"a statement that was only planned counts": {
			between: func(w *world) { w.entries[0].Counters[pgvigil.Plans]++ },
			want:    map[int64]seen{1: {Calls: 0, Len: 60 * time.Second}},
		},
		"an unread pg_stat_statements gives nothing": {
			between: func(w *world) { w.work(1, 4, 1) },
			read:    func(s *pgvigil.Snapshot) { s.Statements = pgvigil.StatementsRead{} },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, h := newWorld(), history{}
			w.work(1, 10, 1)
			first := w.snapshot(time.Minute)
			if step := h.see(first, 0); len(step.Statements)+len(step.Events) > 0 || !step.Previous.IsZero() {
				t.Fatalf("the first snapshot gave %+v; want nothing", step)
			}
			tt.between(w)
			s := w.snapshot(time.Minute)
			if tt.read != nil {
				tt.read(s)
			}
			got := map[int64]seen{}
			for _, iv := range h.see(s, tt.failed).Statements {
				got[iv.Key.QueryID] = seen{iv.Counters[pgvigil.Calls], iv.Flags, iv.Start.Sub(first.At), iv.End.Sub(iv.Start)}
			}
			if tt.want == nil {
				tt.want = map[int64]seen{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("intervals (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnEntryIsEvictedAndComesBack over a pass that does not see it.
func TestAnEntryIsEvictedAndComesBack(t *testing.T) {
	w, h := newWorld(), history{}
	w.work(1, 100, 1)
	h.see(w.snapshot(time.Minute), 0)
	w.drop(1)
	w.dealloc++
	if step := h.see(w.snapshot(time.Minute), 0); len(step.Statements) != 0 || step.Coverage.Evicted != 250 {
		t.Errorf("after the eviction: %d intervals, %d evicted; want 0 and 5 %% of 5000", len(step.Statements), step.Coverage.Evicted)
	}
	w.work(1, 7, 1)
	w.dealloc++
	step := h.see(w.snapshot(time.Minute), 0)
	iv, _ := one(step, 1)
	if iv.Counters[pgvigil.Calls] != 7 || iv.Flags != pgvigil.FirstSight || step.Coverage.FirstSights != 1 {
		t.Errorf("after its return: %v calls, flags %b, %d first sights; want 7, FirstSight, 1",
			iv.Counters[pgvigil.Calls], iv.Flags, step.Coverage.FirstSights)
	}
}

func TestARestartedEntryBeginsAtItsStatsSince(t *testing.T) {
	w, h := newWorld(), history{}
	w.since = true
	w.work(1, 10, 1)
	first := w.snapshot(time.Minute)
	h.see(first, 0)
	w.drop(1)
	w.work(1, 90, 1)
	iv, _ := one(h.see(w.snapshot(time.Minute), 0), 1)
	if iv.Counters[pgvigil.Calls] != 90 || iv.Flags != pgvigil.AfterReset || iv.Start.Sub(first.At) != time.Second {
		t.Errorf("interval %+v; want 90 calls after a reset, from a second after the last snapshot", iv)
	}
}

func TestARightGrantedIsNoWork(t *testing.T) {
	w, h := newWorld(), history{}
	w.work(1, 10, 1)
	s := w.snapshot(time.Minute)
	s.Warnings = []pgvigil.Warning{{Code: "no-stats-rights"}}
	h.see(s, 0)
	w.work(1, 1, 1)
	w.work(2, 5000, 1)
	if step := h.see(w.snapshot(time.Minute), 0); len(step.Statements) != 1 {
		t.Errorf("%d intervals; want that of statement 1 alone", len(step.Statements))
	}
	w.work(2, 1, 1)
	if iv, ok := one(h.see(w.snapshot(time.Minute), 0), 2); !ok || iv.Counters[pgvigil.Calls] != 1 {
		t.Errorf("then %+v; want 1 call", iv)
	}
}

func TestAPauseNobodyRecordedIsAGap(t *testing.T) {
	w, h := newWorld(), history{}
	for range 5 {
		w.work(1, 1, 1)
		h.see(w.snapshot(time.Minute), 0)
	}
	w.work(1, 1, 1)
	step := h.see(w.snapshot(10*time.Minute), 0)
	iv, _ := one(step, 1)
	if iv.Flags != pgvigil.SpansGap || step.Coverage.Missed != 9 {
		t.Errorf("flags %b, %d missed; want SpansGap and 9", iv.Flags, step.Coverage.Missed)
	}
	w.work(1, 1, 1)
	if step = h.see(w.snapshot(time.Minute), 0); step.Coverage.Missed != 0 {
		t.Errorf("one pass later %d missed; want 0", step.Coverage.Missed)
	}
}

func TestAnUnreadPassInBetweenIsAGapForStatements(t *testing.T) {
	w, h := newWorld(), history{}
	w.work(1, 1, 1)
	first := w.snapshot(time.Minute)
	h.see(first, 0)
	w.work(1, 2, 1)
	unread := w.snapshot(time.Minute)
	unread.Statements = pgvigil.StatementsRead{}
	h.see(unread, 0)
	w.work(1, 3, 1)
	iv, _ := one(h.see(w.snapshot(time.Minute), 0), 1)
	if iv.Counters[pgvigil.Calls] != 5 || iv.Flags != pgvigil.SpansGap || !iv.Start.Equal(first.At) {
		t.Errorf("interval %+v; want 5 calls since the first snapshot, over a gap", iv)
	}
}

func TestAMetricThatTheExtensionLacksStaysUnknown(t *testing.T) {
	w, h := newWorld(), history{}
	w.work(1, 1, 1)
	h.see(w.snapshot(time.Minute), 0)
	w.work(1, 1, 1)
	w.entries[0].Counters[pgvigil.WALBuffersFull] = 12 // the extension was updated
	s := w.snapshot(time.Minute)
	iv, _ := one(h.see(s, 0), 1)
	if !math.IsNaN(iv.Counters[pgvigil.WALBuffersFull]) {
		t.Errorf("first count of a new metric = %v; want NaN", iv.Counters[pgvigil.WALBuffersFull])
	}
	w.work(1, 1, 1)
	w.entries[0].Counters[pgvigil.WALBuffersFull] = 15
	if iv, _ = one(h.see(w.snapshot(time.Minute), 0), 1); iv.Counters[pgvigil.WALBuffersFull] != 3 {
		t.Errorf("second count = %v; want 3", iv.Counters[pgvigil.WALBuffersFull])
	}
}

func TestPointsAddUpStatementsOfOneSeries(t *testing.T) {
	interval := func(user pgvigil.OID, id int64, calls float64) pgvigil.Interval {
		iv := pgvigil.Interval{Key: pgvigil.StatementKey{UserID: user, DBID: 5, QueryID: id}, Start: began, End: began.Add(time.Minute)}
		iv.Counters[pgvigil.Calls], iv.Counters[pgvigil.WALBuffersFull] = calls, math.NaN()
		return iv
	}
	late := interval(11, 1, 3)
	late.Start, late.Flags = began.Add(time.Second), pgvigil.AfterReset
	points := Points([]pgvigil.Interval{interval(10, 1, 2), late, interval(10, 2, 5)}, func(k pgvigil.StatementKey) pgvigil.Fingerprint {
		return pgvigil.Fingerprint(k.QueryID)
	})
	if len(points) != 2 || points[0].Counters[pgvigil.Calls] != 5 || !points[0].Start.Equal(began) || points[0].Flags != pgvigil.AfterReset {
		t.Errorf("points %+v; want two, the first with 5 calls from the start, flagged", points)
	}
	if !math.IsNaN(points[0].Counters[pgvigil.WALBuffersFull]) {
		t.Errorf("an unknown metric added up to %v", points[0].Counters[pgvigil.WALBuffersFull])
	}
}
