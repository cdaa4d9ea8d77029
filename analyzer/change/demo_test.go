package change

import (
	"math"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
)

const (
	warmUp   = 35 // passes before a fault
	watchFor = 40 // passes after it
)

// busiest returns the series with most calls.
func (w *world) busiest(n int) map[int]bool {
	out := map[int]bool{}
	for range n {
		best := -1
		for i, s := range w.series {
			if !out[i] && (best < 0 || s.rate > w.series[best].rate) {
				best = i
			}
		}
		out[best] = true
	}
	return out
}

func TestFaultsAreConvictedWithinAMinuteOfTwoSecondPasses(t *testing.T) {
	tests := map[string]struct {
		bend   func(c *call, age int)
		within int
		cause  pgvigil.Cause // "" where it takes more than these numbers
	}{
		"an index is lost":             {func(c *call, _ int) { c.ms *= 12; c.blocks *= 40 }, 20, pgvigil.CausePlan},
		"a worse plan":                 {func(c *call, _ int) { c.ms *= 3; c.blocks *= 4 }, 20, pgvigil.CausePlan},
		"a sort spills":                {func(c *call, _ int) { c.ms *= 2.5; c.temp = 60 }, 8, pgvigil.CauseSpill},
		"a sort spills to a fast disk": {func(c *call, _ int) { c.ms *= 1.05; c.temp = 60 }, 14, pgvigil.CauseSpill},
		"a row is fought for":          {func(c *call, _ int) { c.ms *= 6 }, 30, pgvigil.CauseContention},
		"a list grows":                 {func(c *call, _ int) { c.ms *= 4; c.blocks *= 5; c.rows *= 5 }, 30, pgvigil.CauseRows},
		"dead rows pile up in a queue": {func(c *call, a int) { f := 1 + float64(a)/4; c.ms *= f; c.blocks *= f }, 30, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			missed := 0
			const seeds = 20
			for seed := range uint64(seeds) {
				w := newWorld(seed, 45, 2*time.Second)
				victims := w.busiest(3)
				w.bend = func(p, i int, c *call) {
					if p >= warmUp && victims[i] {
						tt.bend(c, p-warmUp)
					}
				}
				blamed := map[int]bool{}
				for _, v := range convictions(run(t, w, warmUp+tt.within)) {
					i := int(v.Series.Fingerprint) - 1
					if !victims[i] {
						t.Errorf("seed %d: convicted innocent series %d: %s", seed, i, v.Rule)
					}
					if tt.cause != "" && v.Cause != tt.cause {
						t.Errorf("seed %d: cause = %s; want %s", seed, v.Cause, tt.cause)
					}
					blamed[i] = true
				}
				if len(blamed) == 0 {
					missed++
				}
			}
			if missed > 0 {
				t.Errorf("%d of %d runs convicted none of three victims within %d passes", missed, seeds, tt.within)
			}
		})
	}
}

func TestNoFaultConvictsNobody(t *testing.T) {
	tests := map[string]func(p, i int, c *call){
		"steady": func(int, int, *call) {},
		"queues fill": func(p, i int, c *call) {
			f := 1 + float64(p)/60
			if i%5 == 0 {
				c.ms *= f
				c.blocks *= f
			}
		},
		"traffic rises": func(p, i int, c *call) {
			if p >= warmUp {
				c.rate *= 5
			}
		},
		"a neighbour burns CPU": func(p, i int, c *call) {
			if p >= warmUp {
				c.ms *= 1.2 + 1.8*math.Mod(float64(i)*0.618, 1)
			}
		},
		"a neighbour burns CPU by fits": func(p, i int, c *call) {
			if p >= warmUp && p%7 < 4 {
				c.ms *= 1.5 + math.Mod(float64(i)*0.618, 1)
			}
		},
		"a neighbour delays what takes long": func(p, i int, c *call) {
			if p >= warmUp {
				c.ms *= 1 + 1.5*c.ms/(c.ms+1)
			}
		},
		"a sort that spills now and then": func(p, i int, c *call) {
			if i%9 == 0 && p%5 == 0 {
				c.temp = 60
			}
		},
		"a sort that spilled all along": func(p, i int, c *call) {
			if i%9 == 0 {
				c.temp = 60
			}
		},
		"one short stall": func(p, i int, c *call) {
			if p >= warmUp && p < warmUp+8 && i%9 == 0 {
				c.ms *= 5
			}
		},
	}
	for name, bend := range tests {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				w := newWorld(seed, 45, 2*time.Second)
				w.bend = bend
				for _, v := range convictions(run(t, w, warmUp+watchFor)) {
					t.Errorf("seed %d, pass %d: convicted series %d: %s", seed, w.passOf(v.At), v.Series.Fingerprint, v.Rule)
				}
			}
		})
	}
}

func TestASlowServerIsOneIncident(t *testing.T) {
	for seed := range uint64(10) {
		w := newWorld(seed, 45, 2*time.Second)
		w.bend = func(p, i int, c *call) {
			if p >= warmUp && p < warmUp+20 {
				c.ms *= 2
			}
		}
		opened, ended := 0, 0
		for _, v := range run(t, w, warmUp+50) {
			if v.Kind == pgvigil.KindIncident && v.Step == Convicted {
				opened++
				if late := w.passOf(v.At) - warmUp; late > 4 {
					t.Errorf("seed %d: incident after %d passes; want at most 4", seed, late)
				}
			}
			if v.Kind == pgvigil.KindIncident && v.Step == Resolved {
				ended++
			}
		}
		if opened != 1 || ended != 1 {
			t.Errorf("seed %d: %d incidents opened, %d ended; want 1 and 1", seed, opened, ended)
		}
	}
}

// TestAServerWhoseLongQueriesWaitIsOneIncident: who takes the processors delays
// what runs longer than a slice of time, and the median query is none of that.
func TestAServerWhoseLongQueriesWaitIsOneIncident(t *testing.T) {
	missed, ended := 0, 0
	for seed := range uint64(10) {
		w := newWorld(seed, 45, 2*time.Second)
		w.bend = func(p, i int, c *call) {
			if p >= warmUp && p < warmUp+20 && c.ms > 0.7 {
				c.ms *= 2.5
			}
		}
		opened := 0
		for _, v := range run(t, w, warmUp+50) {
			switch {
			case v.Kind == pgvigil.KindIncident && v.Step == Convicted:
				opened++
				if v.Numbers.Slower < 3 || v.Factor < 1.15 {
					t.Errorf("seed %d: factor %.2f of %d queries; want a slowdown of several", seed, v.Factor, v.Numbers.Slower)
				}
			case v.Kind == pgvigil.KindIncident && v.Step == Resolved:
				ended++
			case v.Kind == pgvigil.KindRegression && v.Step == Convicted:
				t.Errorf("seed %d: convicted series %d: %s", seed, v.Series.Fingerprint, v.Rule)
			}
		}
		if opened == 0 {
			missed++
		}
	}
	if missed > 1 || ended < 9 {
		t.Errorf("%d of 10 missed, %d ended; want at most one missed, and all over", missed, ended)
	}
}

// TestOneSlowQueryIsNoIncident guards that a server is not said to suffer from
// the time of a single query.
func TestOneSlowQueryIsNoIncident(t *testing.T) {
	for seed := range uint64(10) {
		w := newWorld(seed, 45, 2*time.Second)
		victims := w.busiest(1)
		w.bend = func(p, i int, c *call) {
			if p >= warmUp && victims[i] {
				c.ms *= 8
			}
		}
		for _, v := range run(t, w, warmUp+watchFor) {
			if v.Kind == pgvigil.KindIncident && v.Step == Convicted {
				t.Errorf("seed %d: incident: %s", seed, v.Rule)
			}
		}
	}
}
