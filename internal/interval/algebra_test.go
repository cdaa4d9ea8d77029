package interval

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pgvigil/pgvigil"
)

// TestACutSpanAddsUp: reading in between changes nothing of the sum.
func TestACutSpanAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		var whole, cut history
		for id := range int64(4) {
			w.work(id, 3, 1)
		}
		first := w.snapshot(time.Minute)
		whole.see(first, 0)
		cut.see(first, 0)
		for range rapid.IntRange(1, 8).Draw(t, "cuts") {
			for range rapid.IntRange(0, 5).Draw(t, "works") {
				w.work(rapid.Int64Range(0, 6).Draw(t, "id"), float64(rapid.IntRange(1, 9).Draw(t, "calls")), rapid.Float64Range(0, 50).Draw(t, "ms"))
			}
			cut.see(w.snapshot(time.Minute), 0)
		}
		whole.see(w.snapshot(0), 0)
		for id := range int64(7) {
			near(t, cut.sums[key(id)], whole.sums[key(id)])
		}
		if cut.scans != whole.scans {
			t.Fatalf("scans of the table: cut %v, whole %v", cut.scans, whole.scans)
		}
	})
}

// TestNeverNegativeNeverTwice: whatever happens to the counters, the intervals
// are a lower bound of what was done.
func TestNeverNegativeNeverTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := newWorld(), history{}
		w.since = rapid.Bool().Draw(t, "17 or later")
		for range rapid.IntRange(0, 20).Draw(t, "earlier life") {
			happen(t, w)
		}
		h.see(w.snapshot(time.Minute), 0)
		w.forgetTruth()
		for range rapid.IntRange(1, 12).Draw(t, "passes") {
			for range rapid.IntRange(0, 8).Draw(t, "happenings") {
				happen(t, w)
			}
			s := w.snapshot(time.Duration(rapid.IntRange(1, 300).Draw(t, "seconds")) * time.Second)
			s.Statements.OK = rapid.IntRange(0, 9).Draw(t, "read fails") > 0
			s.Databases[0].Visited = rapid.IntRange(0, 4).Draw(t, "not visited") > 0
			notNegative(t, h.see(s, rapid.IntRange(0, 1).Draw(t, "failed")))
		}
		for k, sum := range h.sums {
			atMost(t, k, sum, w.truth[k])
		}
		if h.scans > w.scans {
			t.Fatalf("scans of the table: %v, but there were %v", h.scans, w.scans)
		}
	})
}

// TestUndisturbedNothingIsLost: without resets and evictions all is counted.
func TestUndisturbedNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := newWorld(), history{}
		w.work(1, 5, 1)
		h.see(w.snapshot(time.Minute), 0)
		w.forgetTruth()
		for range rapid.IntRange(1, 10).Draw(t, "passes") {
			for range rapid.IntRange(0, 8).Draw(t, "works") {
				w.work(rapid.Int64Range(0, 9).Draw(t, "id"), 2, rapid.Float64Range(0, 9).Draw(t, "ms"))
			}
			h.see(w.snapshot(time.Minute), 0)
		}
		for k, done := range w.truth {
			near(t, h.sums[k], done)
		}
	})
}

// happen lets something happen to the server.
func happen(t *rapid.T, w *world) {
	id := rapid.Int64Range(0, 5).Draw(t, "id")
	switch rapid.IntRange(0, 13).Draw(t, "what") {
	case 0: // evicted
		w.drop(id)
		w.dealloc++
	case 1: // one entry reset
		w.drop(id)
	case 2:
		w.resetAll()
	case 3: // clean restart: everything is kept
		w.restart()
	case 4: // immediate stop: table counters are lost
		w.restart()
		w.resetTables()
	case 5: // killed: everything is lost
		w.restart()
		w.resetTables()
		w.resetAll()
	case 6:
		w.resetTables()
		w.stats.Reset = w.now
	default:
		w.work(id, float64(rapid.IntRange(1, 40).Draw(t, "calls")), rapid.Float64Range(0, 100).Draw(t, "ms"))
	}
}

func notNegative(t *rapid.T, step Step) {
	for _, iv := range step.Statements {
		for m, v := range iv.Counters {
			if v < 0 || math.IsInf(v, 0) {
				t.Fatalf("%s of %d is %v", pgvigil.Metric(m), iv.Key.QueryID, v)
			}
		}
		if !iv.Start.Before(iv.End) {
			t.Fatalf("interval of %d is from %s to %s", iv.Key.QueryID, iv.Start, iv.End)
		}
	}
	for _, iv := range step.Relations {
		for _, m := range TableMetrics {
			if *m.Of(&iv.Table) < 0 {
				t.Fatalf("%s of a relation is %v", m.Name, *m.Of(&iv.Table))
			}
		}
	}
	if c := step.Coverage; c.SeenBlocks > c.TrueBlocks {
		t.Fatalf("coverage: %v of %v blocks", c.SeenBlocks, c.TrueBlocks)
	}
}

func near(t *rapid.T, got, want pgvigil.Counters) {
	for m := range got {
		if math.Abs(got[m]-want[m]) > 1e-6*(1+math.Abs(want[m])) {
			t.Fatalf("%s = %v; want %v", pgvigil.Metric(m), got[m], want[m])
		}
	}
}

func atMost(t *rapid.T, k pgvigil.StatementKey, got, truth pgvigil.Counters) {
	for m := range got {
		if got[m] > truth[m]*(1+1e-9)+1e-6 {
			t.Fatalf("%s of %d: %v, but there were %v", pgvigil.Metric(m), k.QueryID, got[m], truth[m])
		}
	}
}

// TestAnAddressThatWanders between a primary and its standby counts nothing
// of one as work of the other.
func TestAnAddressThatWanders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h history
		worlds := []*world{newWorld(), newWorld()}
		worlds[1].now = began.Add(time.Microsecond) // no two postmasters start in the same one
		worlds[1].server.PostmasterStart = began.Add(-2 * time.Hour)
		worlds[1].reset = began.Add(-2 * time.Hour)
		worlds[1].server.InRecovery = true
		for i := range rapid.IntRange(2, 15).Draw(t, "passes") {
			for range rapid.IntRange(0, 8).Draw(t, "happenings") {
				happen(t, worlds[rapid.IntRange(0, 1).Draw(t, "where")])
			}
			for worlds[0].now.Before(worlds[1].now) {
				worlds[0].now = worlds[0].now.Add(time.Second)
			}
			worlds[1].now = worlds[0].now.Add(time.Microsecond)
			worlds[0].now, worlds[1].now = worlds[0].now.Add(time.Minute), worlds[1].now.Add(time.Minute)
			s := worlds[rapid.IntRange(0, 1).Draw(t, "led to")].snapshot(0)
			notNegative(t, h.see(s, 0))
			if i == 0 {
				worlds[0].forgetTruth()
				worlds[1].forgetTruth()
			}
		}
		for k, sum := range h.sums {
			atMost(t, k, sum, worlds[0].truth[k].Add(worlds[1].truth[k]))
		}
	})
}
