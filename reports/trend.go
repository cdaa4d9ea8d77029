package reports

import (
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// trendSteps is how many points a chart shows at most. More than the pixels
// of a phone help nobody and make the file heavy.
const trendSteps = 240

// sparkSteps is how many a sparkline shows at most.
const sparkSteps = 48

// trendOf adds the points within w up into at most n equal steps, of a length
// that a person would choose and no shorter than the median point.
func trendOf(points []pgvigil.Point, w pgvigil.Window, n int) Trend {
	span := w.To.Sub(w.From)
	if span <= 0 || n < 1 {
		return Trend{From: w.From}
	}
	step := span / time.Duration(n)
	if typical := medianLength(points); typical > step {
		step = typical
	}
	step = niceStep(step)
	count := int((span + step - 1) / step)
	t := Trend{From: w.From, Step: step, Points: make([]pgvigil.Point, count)}
	for i := range t.Points {
		t.Points[i].Start = w.From.Add(time.Duration(i) * step)
		t.Points[i].End = t.Points[i].Start.Add(step)
	}
	for _, p := range points {
		t.add(p)
	}
	return t
}

// add spreads a point over the steps that it lies in, by time: passes are not
// quite regular, and a step between two of them is no gap.
func (t *Trend) add(p pgvigil.Point) {
	first := max(0, int(p.Start.Sub(t.From)/t.Step))
	counted := false
	for i := first; i < len(t.Points) && t.Points[i].Start.Before(p.End); i++ {
		s := &t.Points[i]
		within := earlier(s.End, p.End).Sub(later(s.Start, p.Start))
		if within <= 0 {
			continue
		}
		s.Counters = s.Counters.Add(portion(p.Counters, float64(within)/float64(p.End.Sub(p.Start))))
		s.Flags |= p.Flags
		counted = true
	}
	if counted {
		t.Intervals++
	}
}

// portion is a share of counters.
func portion(c pgvigil.Counters, share float64) pgvigil.Counters {
	for i := range c {
		c[i] *= share
	}
	return c
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// niceSteps are spans that a person would choose.
var niceSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 28 * day,
}

const day = 24 * time.Hour

// niceStep is the shortest nice span of at least d.
func niceStep(d time.Duration) time.Duration {
	for _, s := range niceSteps {
		if s >= d {
			return s
		}
	}
	return d
}

// medianLength is a middle length of points, from a sample of them.
func medianLength(points []pgvigil.Point) time.Duration {
	if len(points) == 0 {
		return 0
	}
	var lengths [63]time.Duration
	n := min(len(points), len(lengths))
	for i := range n {
		p := points[i*len(points)/n]
		lengths[i] = p.End.Sub(p.Start)
	}
	return median(lengths[:n])
}

// median sorts list and returns its middle.
func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// values derives one number from each step; NaN where a step has no calls.
func (t Trend) values(of func(pgvigil.Counters) float64) []sample {
	list := make([]sample, len(t.Points))
	for i, p := range t.Points {
		list[i] = sample{p.Start.Add(p.End.Sub(p.Start) / 2), math.NaN()}
		if p.Counters[pgvigil.Calls] > 0 {
			list[i].V = of(p.Counters)
		}
	}
	return list
}

// sample is a number at a time; NaN is a gap.
type sample struct {
	At time.Time
	V  float64
}

// msPerCall is execution time per call.
func msPerCall(c pgvigil.Counters) float64 { return c.PerCall(pgvigil.ExecMS) }

// blocksPerCall is shared and local blocks per call.
func blocksPerCall(c pgvigil.Counters) float64 { return c.Blocks() / c[pgvigil.Calls] }
