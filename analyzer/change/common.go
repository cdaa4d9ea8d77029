package change

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
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

// scene is an incident of the whole server.
type scene struct {
	onset time.Time
	calm  int
	peak  float64
}

// judgeServer opens an incident when the median sibling has been slower for
// some passes and no query's own work explains it, and ends it when that is
// over.
func (d *Detector) judgeServer() []Verdict {
	c := &d.common
	limit := max(d.th.Incident, 4*c.sd)
	n := len(c.recent)
	if n < d.th.IncidentFor {
		return nil
	}
	now := c.recent[n-1]
	if c.scene != nil {
		return d.endScene(now, limit)
	}
	worst := slices.Min(c.recent[n-d.th.IncidentFor:])
	if worst < limit || d.culprit() != nil {
		return nil
	}
	back := time.Duration(float64(d.th.IncidentFor) * d.clock.period() * float64(time.Second))
	c.scene = &scene{onset: d.now.Add(-back), peak: now}
	v := d.sceneVerdict(Convicted, worst)
	v.Rule = fmt.Sprintf("the median of the server's queries took %.2f times as long per call in each of the last %d passes (limit %.2f), and none of them did more work",
		math.Exp(worst+d.th.CommonSlack), d.th.IncidentFor, math.Exp(limit))
	return []Verdict{v}
}

func (d *Detector) endScene(now, limit float64) []Verdict {
	sc := d.common.scene
	sc.peak = max(sc.peak, now)
	if now > limit/2 {
		sc.calm = 0
		return nil
	}
	if sc.calm++; sc.calm < 2*d.th.IncidentFor {
		return nil
	}
	v := d.sceneVerdict(Resolved, sc.peak)
	v.Rule = fmt.Sprintf("the median of the server's queries was within %.2f times its usual time for %d passes", math.Exp(limit/2), sc.calm)
	d.common.scene = nil
	return []Verdict{v}
}

func (d *Detector) sceneVerdict(step Step, shift float64) Verdict {
	v := Verdict{
		Kind: pgvigil.KindIncident, Step: step, Onset: d.common.scene.onset, At: d.now,
		Factor: math.Exp(shift + d.th.CommonSlack), Cause: pgvigil.CauseDatabase, LoadShare: 1,
	}
	type cost struct {
		s  *series
		ms float64
	}
	var list []cost
	for _, s := range d.touched {
		o := s.last()
		v.Series.Server = s.key.Server
		if extra := float64(o.calls) * (math.Exp(float64(o.x)) - math.Exp(float64(o.x-o.raw))); s.fitted && extra > 0 {
			list = append(list, cost{s, extra})
			v.ExtraMSPerHour += extra * 3600 / d.clock.period()
		}
	}
	slices.SortStableFunc(list, func(a, b cost) int { return cmp.Compare(b.ms, a.ms) })
	for _, x := range list[:min(10, len(list))] {
		v.Queries = append(v.Queries, x.s.key)
	}
	return v
}

// culprit returns a series whose own work rose so much that the others'
// slowness may be its doing; nil if there is none.
func (d *Detector) culprit() *series {
	total := d.totals.since(d.tick - 2)
	for _, s := range d.touched {
		if !s.fitted {
			continue
		}
		last := s.from(max(s.fresh, s.len()-3), 3)
		var ms, e, eb float64
		for _, o := range last {
			ms += float64(o.calls) * math.Exp(float64(o.x))
			e += float64(o.e) / float64(len(last))
			eb += float64(o.eb) / float64(len(last))
		}
		if ms > 0.1*total && e > 0.4 && eb > 0.4 && eb > 3*s.sb {
			return s
		}
	}
	return nil
}

// burden remembers how much longer than expected the server's queries took in
// all, by pass: what the median query does not show when only long ones suffer.
type burden struct {
	past []float32 // ln of time spent over time expected, newest last
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
	var spent, expected float64
	for _, s := range d.touched {
		o := s.last()
		if !s.fitted || s.episode != nil || float64(o.eb) > 3*s.sb+0.1 || o.er > 0.5 {
			continue
		}
		// One call that took a hundred times as long says nothing of the others.
		spent += float64(o.calls) * math.Exp(float64(o.x-o.raw)+clip(float64(o.raw), -1.5, 1.5))
		expected += float64(o.calls) * math.Exp(float64(o.x-o.raw))
	}
	if expected == 0 {
		return
	}
	b := &d.burden
	if len(b.past) >= burdenKept {
		b.past = b.past[:copy(b.past, b.past[burdenKept/2:])]
	}
	b.past = append(b.past, float32(math.Log(spent/expected)))
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

// Suffers says whether an incident of the whole server is going on.
func (d *Detector) Suffers() bool { return d.common.scene != nil }
