package change

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

// steps returns what became of one series, without suspicions.
func steps(list []Verdict, f pgvigil.Fingerprint) []Step {
	out := []Step{}
	for _, v := range list {
		if v.Kind == pgvigil.KindRegression && v.Series.Fingerprint == f {
			out = append(out, v.Step)
		}
	}
	return out
}

func TestTheLifeOfAShift(t *testing.T) {
	tests := map[string]struct {
		factor func(p int) float64 // of ms and blocks, from pass 400 on
		passes int
		want   []Step
	}{
		"it recovers":                   {func(p int) float64 { return until(p, 700, 4) }, 900, []Step{Convicted, Resolved}},
		"it comes again":                {func(p int) float64 { return until(p, 700, 4) * from(p, 1000, 4) }, 1100, []Step{Convicted, Resolved, Convicted}},
		"it doubles":                    {func(p int) float64 { return 3 * from(p, 600, 5) }, 700, []Step{Convicted, Escalated}},
		"it stays and becomes normal":   {func(int) float64 { return 3 }, 1600, []Step{Convicted, NewNormal}},
		"it is a stall and ends itself": {func(p int) float64 { return until(p, 409, 4) }, 700, []Step{}},
		"it wobbles around half":        {func(p int) float64 { return 3 + math.Mod(float64(p), 2)*2 }, 1000, []Step{Convicted}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(4, 20, 10*time.Minute)
			w.series[0] = shape{rate: 5, ms: 2, cv: 1, tau: 0.08, blocks: 10, rows: 1}
			w.bend = func(p, i int, c *call) {
				if p >= 400 && i == 0 {
					c.ms *= tt.factor(p)
					c.blocks *= tt.factor(p)
				}
			}
			got := steps(run(t, w, tt.passes), 1)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("steps differ (-want +got):\n%s", diff)
			}
		})
	}
}

func until(p, end int, f float64) float64 {
	if p < end {
		return f
	}
	return 1
}

func from(p, start int, f float64) float64 {
	if p >= start {
		return f
	}
	return 1
}

func TestASeasonIsNoRegression(t *testing.T) {
	for seed := range uint64(2) {
		w := newWorld(seed, 10, 10*time.Minute)
		w.bend = func(p, i int, c *call) {
			hour := float64(p%144) / 6
			c.rate *= 1 + 0.8*math.Sin(hour/24*2*math.Pi)
			c.ms *= 1 + 0.3*math.Sin((hour-float64(i))/24*2*math.Pi)
			if day := p / 144 % 7; day >= 5 { // the first day is a Monday
				c.ms *= 0.8
			}
		}
		for _, v := range convictions(run(t, w, 17*144)) {
			if w.passOf(v.At) > 7*144 {
				t.Errorf("seed %d, pass %d: convicted series %d: %s", seed, w.passOf(v.At), v.Series.Fingerprint, v.Rule)
			}
		}
	}
}

func TestABaselineSaysWhatIsNormal(t *testing.T) {
	w := newWorld(4, 8, 10*time.Minute)
	w.series[0] = shape{rate: 5, ms: 2, cv: 0.5, tau: 0.05, blocks: 10, rows: 1}
	d := New(NewFleet())
	for p := range 10 {
		observe(t, d, w.pass(p))
	}
	if b, ok := d.Baseline(w.key(0)); !ok || !math.IsNaN(b.Smallest) || b.Samples != 10 {
		t.Errorf("Baseline of 10 samples = %+v, %t; want no smallest change yet", b, ok)
	}
	for p := 10; p < 500; p++ {
		observe(t, d, w.pass(p))
	}
	b, _ := d.Baseline(w.key(0))
	if b.MS.Level < 1.8 || b.MS.Level > 2.2 || b.MS.Low > b.MS.Level || b.MS.High < b.MS.Level {
		t.Errorf("band of ms = %+v; want one around 2", b.MS)
	}
	if b.Blocks.Level < 9 || b.Blocks.Level > 11 || b.CallsPerHour < 16000 || b.CallsPerHour > 20000 {
		t.Errorf("baseline = %+v; want 10 blocks a call, 18000 calls an hour", b)
	}
	if b.Smallest < 1.13 || b.Smallest > 2 {
		t.Errorf("smallest change = %.2f; want one between 1.13 and 2", b.Smallest)
	}
	if _, ok := d.Baseline(pgvigil.SeriesKey{Server: 9}); ok {
		t.Error("Baseline of a series never seen = true; want false")
	}
}

func TestTheFleetLearnsHowLongStallsLast(t *testing.T) {
	tests := map[string]struct {
		lengths  []int
		from, to float64
	}{
		"nothing seen":         {nil, 12, 12},
		"stalls of up to 6":    {[]int{3, 4, 4, 5, 5, 6, 6, 6}, 7, 10},
		"stalls of up to 15":   {[]int{5, 8, 10, 12, 13, 14, 15, 15}, 15, 20},
		"most end, some go on": {[]int{3, 4, 5, 6, 7, 8, 96, 96}, 7, 12},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := NewFleet()
			for range 20 {
				for _, n := range tt.lengths {
					f.excursionEnded(n)
				}
			}
			if got := f.StallLength(12); got < tt.from || got > tt.to {
				t.Errorf("StallLength = %.1f; want %.0f to %.0f", got, tt.from, tt.to)
			}
		})
	}
}

func BenchmarkPassOf5000Series(b *testing.B) {
	w := newWorld(1, 5000, 10*time.Minute)
	w.start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for i := range w.series {
		w.series[i].rate /= 50
	}
	d := New(NewFleet())
	for p := range 200 {
		if _, err := d.Observe(w.pass(p)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	p := 200
	for b.Loop() {
		b.StopTimer()
		pass := w.pass(p)
		p++
		b.StartTimer()
		if _, err := d.Observe(pass); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5000, "ns/series")
}
