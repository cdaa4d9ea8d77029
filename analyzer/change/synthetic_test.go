package change

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
)

// world makes passes over a server of n series with shapes of our own.
type world struct {
	rng    *rand.Rand
	period time.Duration
	start  time.Time
	series []shape
	// bend changes what one series does in a pass.
	bend func(pass, series int, c *call)
}

// shape is the usual behaviour of one series.
type shape struct {
	rate   float64 // calls a second
	ms     float64
	cv     float64 // of one call
	tau    float64 // process noise of ln ms
	blocks float64
	rows   float64
	wander float64 // state of slow noise
	memory float64 // how much of it stays from pass to pass
}

// call is what one call costs in one pass, and how often it is made.
type call struct{ rate, ms, blocks, rows, temp, miss float64 }

func newWorld(seed uint64, n int, period time.Duration) *world {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 7)), period: period,
		start: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), bend: func(int, int, *call) {},
	}
	for range n {
		w.series = append(w.series, shape{
			rate: math.Exp(w.rng.Float64()*6 - 1.5), ms: math.Exp(w.rng.NormFloat64()*1.5 - 1),
			cv: 0.3 + w.rng.Float64()*1.2, tau: 0.05 + 0.15*w.rng.Float64(),
			blocks: math.Exp(w.rng.NormFloat64() + 2), rows: math.Exp(w.rng.NormFloat64()), memory: 0.5 * w.rng.Float64(),
		})
	}
	return w
}

func (w *world) key(i int) pgvigil.SeriesKey {
	return pgvigil.SeriesKey{Server: 1, DBID: 5, Fingerprint: pgvigil.Fingerprint(i + 1)}
}

// pass makes the p-th pass, from 0.
func (w *world) pass(p int) Pass {
	start := w.start.Add(time.Duration(p) * w.period)
	end := start.Add(w.period)
	out := Pass{At: end}
	common := 0.05 * w.rng.NormFloat64()
	for i := range w.series {
		s := &w.series[i]
		s.wander = s.memory*s.wander + s.tau*w.rng.NormFloat64()
		c := call{rate: s.rate, ms: s.ms * math.Exp(s.wander+common), blocks: s.blocks, rows: s.rows, miss: 0.02}
		if p < 3 {
			c.ms, c.miss = c.ms*3, 0.5
		}
		w.bend(p, i, &c)
		if n := w.poisson(c.rate * w.period.Seconds()); n > 0 {
			out.Samples = append(out.Samples, w.sample(w.key(i), n, c, s.cv, start, end))
		}
	}
	return out
}

func (w *world) sample(key pgvigil.SeriesKey, n float64, c call, cv float64, start, end time.Time) Sample {
	noise := func(cv float64) float64 { return math.Exp(cv/math.Sqrt(n)*w.rng.NormFloat64() - cv*cv/n/2) }
	blocks := c.blocks * n * noise(0.3)
	s := Sample{
		Key: key, Start: start, End: end, Calls: n, MS: c.ms * n * noise(cv), Rows: math.Round(c.rows * n * noise(0.3)),
		Hit: math.Round(blocks * (1 - c.miss)), Read: math.Round(blocks * c.miss), Temp: math.Round(c.temp * n),
		PlanMS: math.NaN(), WAL: 0, Dirtied: 0,
	}
	if n > 1 {
		s.SD = cv * s.MS / n
	}
	return s
}

// poisson draws a count of mean m.
func (w *world) poisson(m float64) float64 {
	if m > 50 {
		return math.Max(0, math.Round(m+math.Sqrt(m)*w.rng.NormFloat64()))
	}
	limit, k, p := math.Exp(-m), 0.0, 1.0
	for {
		if p *= w.rng.Float64(); p <= limit {
			return k
		}
		k++
	}
}

// run judges passes from 0 to n and returns all verdicts but suspicions.
func run(t *testing.T, w *world, n int) []Verdict {
	t.Helper()
	d := New(NewFleet())
	var out []Verdict
	for p := range n {
		out = append(out, observe(t, d, w.pass(p))...)
	}
	return out
}

func observe(t *testing.T, d *Detector, p Pass) []Verdict {
	t.Helper()
	list, err := d.Observe(p)
	if err != nil {
		t.Fatalf("Observe(%s) failed: %v", p.At, err)
	}
	var out []Verdict
	for _, v := range list {
		if v.Step != Suspected && v.Step != Cleared {
			out = append(out, v)
		}
	}
	return out
}

// passOf returns the pass, from 0, that a time ends.
func (w *world) passOf(at time.Time) int { return int(at.Sub(w.start)/w.period) - 1 }

// convictions returns the verdicts that blame a query.
func convictions(list []Verdict) []Verdict {
	var out []Verdict
	for _, v := range list {
		if v.Kind == pgvigil.KindRegression && v.Step == Convicted {
			out = append(out, v)
		}
	}
	return out
}
