package change

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pgvigil/pgvigil"
)

// story draws a world with one bent series, and returns its passes.
func story(t *rapid.T) []Pass {
	w := newWorld(rapid.Uint64Range(0, 1000).Draw(t, "seed"), 7, 10*time.Minute)
	w.start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	from := rapid.IntRange(40, 120).Draw(t, "from")
	factor := rapid.Float64Range(1, 8).Draw(t, "factor")
	blocks := rapid.Bool().Draw(t, "blocks")
	w.bend = func(p, i int, c *call) {
		if p >= from && i == 0 {
			c.ms *= factor
			if blocks {
				c.blocks *= factor
			}
		}
	}
	var out []Pass
	for p := range 180 {
		out = append(out, w.pass(p))
	}
	return out
}

// judge runs passes through a detector of their own.
func judge(t *rapid.T, d *Detector, list []Pass) []Verdict {
	var out []Verdict
	for _, p := range list {
		v, err := d.Observe(p)
		if err != nil {
			t.Fatalf("Observe failed: %v", err)
		}
		out = append(out, v...)
	}
	return out
}

// told is what of a verdict does not depend on units of time.
type told struct {
	Kind   pgvigil.VerdictKind
	Step   Step
	Series pgvigil.Fingerprint
	At     time.Time
	Onset  time.Time
	Cause  pgvigil.Cause
}

func tell(list []Verdict) []told {
	out := []told{}
	for _, v := range list {
		out = append(out, told{v.Kind, v.Step, v.Series.Fingerprint, v.At, v.Onset, v.Cause})
	}
	return out
}

func TestScalingTimeChangesNoVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := story(t)
		// Powers of two leave the digits of a float as they are.
		by := math.Ldexp(1, rapid.IntRange(-2, 6).Draw(t, "power"))
		var scaled []Pass
		for _, p := range list {
			q := p
			q.Samples = slices.Clone(p.Samples)
			for i := range q.Samples {
				q.Samples[i].MS *= by
				q.Samples[i].SD *= by
			}
			scaled = append(scaled, q)
		}
		want, got := convictions(judge(t, New(NewFleet()), list)), convictions(judge(t, New(NewFleet()), scaled))
		if diff := cmp.Diff(tell(want), tell(got)); diff != "" {
			t.Errorf("verdicts after scaling time by %g differ (-usual +scaled):\n%s", by, diff)
		}
	})
}

func TestTrafficAloneNeverConvicts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.Uint64Range(0, 1000).Draw(t, "seed"), 7, 10*time.Minute)
		from := rapid.IntRange(30, 120).Draw(t, "from")
		factor := math.Exp(rapid.Float64Range(-4, 4).Draw(t, "ln factor"))
		ramp := rapid.Bool().Draw(t, "ramp")
		for i := range w.series { // quiet series: what is left is the traffic
			w.series[i].tau, w.series[i].cv = 0.02, 0.3
		}
		w.bend = func(p, i int, c *call) {
			if p < 3 {
				c.ms, c.miss = c.ms/3, 0.02
			}
			if p >= from && i%2 == 0 {
				f := factor
				if ramp {
					f = math.Pow(factor, math.Min(1, float64(p-from)/50))
				}
				c.rate *= f
			}
		}
		var list []Pass
		for p := range 180 {
			list = append(list, w.pass(p))
		}
		for _, v := range convictions(judge(t, New(NewFleet()), list)) {
			t.Errorf("traffic times %.2f convicted %s: %s", factor, v.Series.Fingerprint, v.Rule)
		}
	})
}

func TestWhatIsSaidRestsOnThePastAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := story(t)
		cut := rapid.IntRange(1, len(list)).Draw(t, "cut")
		all := judge(t, New(NewFleet()), list)
		var want []Verdict
		for _, v := range all {
			if !v.At.After(list[cut-1].At) {
				want = append(want, v)
			}
		}
		if diff := cmp.Diff(tell(want), tell(judge(t, New(NewFleet()), list[:cut]))); diff != "" {
			t.Errorf("verdicts up to pass %d differ when the rest is cut (-whole +cut):\n%s", cut, diff)
		}
	})
}

func TestLateAndDuplicatePassesAreHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := story(t)
		want := judge(t, New(NewFleet()), list)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "again"), 1))
		var twice []Pass
		for i, p := range list {
			twice = append(twice, p)
			if rng.IntN(4) == 0 {
				twice = append(twice, list[rng.IntN(i+1)])
			}
		}
		if diff := cmp.Diff(tell(want), tell(judge(t, New(NewFleet()), twice))); diff != "" {
			t.Errorf("verdicts with repeated passes differ (-once +repeated):\n%s", diff)
		}
	})
}

func TestGarbageIsRefusedByName(t *testing.T) {
	good := Sample{
		Key: pgvigil.SeriesKey{Server: 1, Fingerprint: 7}, Calls: 10, MS: 5, SD: 1, Rows: 3, Hit: 4,
		Start: time.Unix(0, 0), End: time.Unix(600, 0),
	}
	tests := map[string]struct {
		spoil func(s *Sample)
		want  string
	}{
		"time is not a number":     {func(s *Sample) { s.MS = math.NaN() }, "ms is NaN"},
		"calls are infinite":       {func(s *Sample) { s.Calls = math.Inf(1) }, "calls is +Inf"},
		"rows are negative":        {func(s *Sample) { s.Rows = -1 }, "rows is negative"},
		"blocks are huge":          {func(s *Sample) { s.Hit = 1e300 }, "blocks hit is huge"},
		"time without calls":       {func(s *Sample) { s.Calls = 0 }, "no calls"},
		"an interval of no length": {func(s *Sample) { s.End = s.Start }, "ends at"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bad := good
			tt.spoil(&bad)
			_, err := New(NewFleet()).Observe(Pass{At: time.Unix(600, 0), Samples: []Sample{bad}})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), good.Key.Fingerprint.String()) {
				t.Errorf("Observe = %v; want an error with %q and the series", err, tt.want)
			}
		})
	}
	if _, err := New(NewFleet()).Observe(Pass{At: time.Unix(600, 0), Samples: []Sample{good}}); err != nil {
		t.Errorf("Observe of a good sample failed: %v", err)
	}
}

func TestGarbageNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New(NewFleet())
		number := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 100), rapid.SampledFrom([]float64{0, 1, math.NaN(), math.Inf(-1), 1e15, 1e-300}))
		for p := range 60 {
			at := time.Unix(int64(p*2), 0)
			n := func(name string) float64 { return number.Draw(t, name) }
			_, _ = d.Observe(Pass{At: at, Samples: []Sample{{
				Key: pgvigil.SeriesKey{Fingerprint: 1}, Start: at.Add(-2 * time.Second), End: at, Calls: n("calls"), MS: n("ms"), SD: n("sd"),
				Rows: n("rows"), Hit: n("hit"), Read: n("read"), Temp: n("temp"), PlanMS: n("plan"), WAL: n("wal"),
			}}})
		}
	})
}
