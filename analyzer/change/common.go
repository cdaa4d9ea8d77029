package change

import (
	"cmp"
	"math"
	"slices"
)

// common is what all series of a server have in common: by how much the median
// sibling is slower than its baseline.
type common struct {
	sorted []sibling
	recent []float64 // common factors of the last passes, newest last
	past   []float32 // signed medians, for their spread
	sd     float64
	scene  *scene
}

// sibling is one series that the common factor may be taken from.
type sibling struct {
	s *series
	v float64
}

// The common factor comes from siblings whose own variance is below quiet, at
// least enough of them; where there are fewer, from all by their weights.
const (
	quiet       = 0.09
	enough      = 6
	commonShown = 8
)

// shareCommon finds the common factor of this pass and takes its part off the
// residual of each series.
func (d *Detector) shareCommon() {
	c := &d.common
	c.sorted = c.sorted[:0]
	for _, s := range d.touched {
		if s.fitted && s.episode == nil && s.variance() < quiet {
			c.sorted = append(c.sorted, sibling{s, float64(s.last().raw)})
		}
	}
	var all float64
	if len(c.sorted) >= enough {
		slices.SortFunc(c.sorted, func(a, b sibling) int { return cmp.Compare(a.v, b.v) })
		all = d.fromQuiet()
	} else {
		all = d.fromAll()
	}
	c.recent = append(c.recent, max(0, all))
	if len(c.recent) > commonShown {
		c.recent = c.recent[1:]
	}
	for _, s := range d.touched {
		o := s.last()
		o.e = o.raw - float32(s.beta)*o.c
	}
}

// fromQuiet gives each series the median of the others, and returns that of all.
func (d *Detector) fromQuiet() float64 {
	v := d.common.sorted
	n := len(v)
	mid := func(i int) float64 { return v[i].v }
	all := (mid((n-1)/2) + mid(n/2)) / 2
	d.spreadOf(all)
	slack := d.th.CommonSlack
	for _, s := range d.touched {
		s.last().c = float32(max(0, all-slack))
	}
	for i, x := range v {
		// Without the i-th, the median of the rest.
		lo, hi := (n-2)/2, (n-1)/2
		if i <= lo {
			lo++
		}
		if i <= hi {
			hi++
		}
		x.s.last().c = float32(max(0, (mid(lo)+mid(hi))/2-slack))
	}
	return all - slack
}

// fromAll is for servers with few busy series: the median by weight, less what
// its own uncertainty could be.
func (d *Detector) fromAll() float64 {
	var list []weighted
	var sum float64
	for _, s := range d.touched {
		if s.fitted && s.episode == nil {
			w := 1 / (0.05 + s.variance())
			list = append(list, weighted{float64(s.last().raw), w})
			sum += w
		}
	}
	if len(list) < enough {
		return 0
	}
	all := weightedMedian(list)
	d.spreadOf(all)
	all -= max(d.th.CommonSlack, 1.5*1.25/math.Sqrt(sum))
	for _, s := range d.touched {
		s.last().c = float32(max(0, all))
	}
	return all
}

// spreadOf learns how much the median of the siblings usually moves.
func (d *Detector) spreadOf(all float64) {
	c := &d.common
	const memory = 512
	if len(c.past) >= memory {
		c.past = c.past[:copy(c.past, c.past[memory/2:])]
	}
	c.past = append(c.past, float32(all))
	if len(c.past)%16 == 0 {
		d.fitter.tmp = append(d.fitter.tmp[:0], c.past...)
		c.sd = float64(spread(d.fitter.tmp, 0))
	}
}
