package change

import (
	"cmp"
	"math"
	"slices"
)

// burden remembers how much longer than expected the server's queries took in
// all, by pass: what the median query does not show when only long ones suffer.
type burden struct {
	past []float32 // ln of time spent over time expected, newest last
	tick int       // of the newest
	all  []peer    // of the newest
}

// peer is a query beside which another is held.
type peer struct {
	s    *series
	call float64 // ms that a call usually takes
	all  float64 // ms that its calls of the newest pass usually take
}

// burdenKept bounds the memory; the newest burdenSpared passes do not count as
// what is usual.
const (
	burdenKept   = 512
	burdenSpared = 8
	burdenYoung  = 10
)

// weighBurden adds up the series that did no more work per call than usual.
func (d *Detector) weighBurden() {
	b := &d.burden
	b.all = b.all[:0]
	var spent, expected float64
	for _, s := range d.touched {
		o := s.last()
		if !s.fitted || s.episode != nil || float64(o.eb) > 3*s.sb+0.1 || o.er > 0.5 {
			continue
		}
		call := math.Exp(float64(o.x - o.raw))
		usual := float64(o.calls) * call
		// One call that took a hundred times as long says nothing of the others.
		spent += usual * math.Exp(clip(float64(o.raw), -1.5, 1.5))
		expected += usual
		b.all = append(b.all, peer{s, call, usual})
	}
	if expected == 0 {
		return
	}
	b.tick = d.tick
	if len(b.past) >= burdenKept {
		b.past = b.past[:copy(b.past, b.past[burdenKept/2:])]
	}
	b.past = append(b.past, float32(math.Log(spent/expected)))
}

// usual returns what is usual of the burden and its standard deviation in one
// pass; zeros until there is something to compare.
func (b *burden) usual(f *fitter) (level float32, sd float64) {
	if len(b.past) < burdenYoung+burdenSpared {
		return 0, 0
	}
	f.tmp = append(f.tmp[:0], b.past[:len(b.past)-burdenSpared]...)
	m := median(f.tmp)
	return float32(m), float64(spread(f.tmp, m))
}

// A query is slower by its company from companySlower on and if its noise does
// not explain it; where noise can explain more than companyNoise it is not
// asked. companyShare of those asked make it the server's trouble.
const (
	companySlower = 0.15
	companyNoise  = 0.5
	companyShare  = 0.6
)

// company is how many of the queries that take as long as one, or longer,
// are slower: what takes the processors delays all of those.
type company struct {
	slower, of int
	shift      float64 // the median of those that are
}

// suffers says that it is the server that is slower.
func (c company) suffers() bool {
	return c.of >= enough && float64(c.slower) >= companyShare*float64(c.of)
}

// companySince asks the queries but one that take at least so many ms a call, or
// the longest where they are few, whether they took longer since a pass.
func (d *Detector) companySince(tick int, but *series, call float64) company {
	all := d.burden.all
	slices.SortFunc(all, func(x, y peer) int {
		return cmp.Or(cmp.Compare(y.call, x.call), cmp.Compare(x.s.key.Fingerprint, y.s.key.Fingerprint))
	})
	var c company
	d.buf = d.buf[:0]
	for _, x := range all {
		if c.of >= enough && x.call < call {
			break
		}
		win := x.s.sinceTick(tick)
		noise := 1.5 * math.Sqrt(x.s.variance()/float64(max(1, len(win))))
		if x.s == but || len(win) == 0 || noise > companyNoise {
			continue
		}
		c.of++
		if shift := meanOf(win, func(o *obs) float32 { return o.raw }); shift > max(companySlower, noise) {
			c.slower++
			d.buf = append(d.buf, shift)
		}
	}
	c.shift = median(d.buf)
	return c
}

// length returns the ms a call such that half of the server's time is usually
// spent in calls that take at least as long.
func (b *burden) length() float64 {
	list := make([]weighted, len(b.all))
	for i, x := range b.all {
		list[i] = weighted{x.call, x.all}
	}
	return weightedMedian(list)
}

// sinceTick returns the observations from a pass on that may be judged.
func (s *series) sinceTick(tick int) []obs {
	win := s.from(s.fresh, reach)
	i := len(win)
	for i > 0 && int(win[i-1].tick) >= tick {
		i--
	}
	return win[i:]
}

// Slowdown returns the logarithm of how much slower than usual the median query
// was over the last n passes, and the standard deviation of one pass; zeros
// until there is something to compare.
func (d *Detector) Slowdown(n int) (mean, sd float64) { return d.recent(d.common.past, n) }

// Burden is Slowdown of all queries that did their usual work, added up.
func (d *Detector) Burden(n int) (mean, sd float64) { return d.recent(d.burden.past, n) }

// recent compares the last n values with those before.
func (d *Detector) recent(past []float32, n int) (mean, sd float64) {
	if n > burdenSpared || len(past) < burdenYoung+burdenSpared {
		return 0, 0
	}
	f := &d.fitter
	f.tmp = append(f.tmp[:0], past[:len(past)-burdenSpared]...)
	level := median(f.tmp)
	for _, v := range past[len(past)-n:] {
		mean += float64(v-level) / float64(n)
	}
	return mean, float64(spread(f.tmp, level))
}
