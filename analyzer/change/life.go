package change

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
)

// episode is a shift that was convicted and is not over.
type episode struct {
	onset   int // index of its first observation
	tick    int // of the onset
	at      time.Time
	found   Numbers
	shift   float64 // re-estimated while it is young
	told    float64 // the shift last told to somebody
	verdict Verdict
}

// The spans of observations after the onset in which a shift is re-estimated,
// and the number whose median may escalate it.
const (
	estimateFrom, estimateTo = 12, 72
	escalateOver             = 12
)

// convict opens an episode.
func (d *Detector) convict(s *series, f finding) []Verdict {
	v := d.verdict(s, f, Convicted)
	s.suspect, s.traffic = false, nil
	s.episode = &episode{onset: f.onset, tick: int(s.at(f.onset).tick), at: v.Onset, found: f.n, shift: f.n.Shift, told: f.n.Shift, verdict: v}
	for i := f.onset; i < s.len(); i++ {
		s.at(i).out = true
	}
	d.open = append(d.open, s)
	return []Verdict{v}
}

// live follows an open episode: re-estimates it, escalates it, ends it.
func (d *Detector) live(s *series) []Verdict {
	ep := s.episode
	since := s.from(ep.onset, reach)
	if n := len(since); n >= estimateFrom && n <= estimateTo {
		ep.shift = max(d.th.MinShift, d.medianOf(since, func(o *obs) float32 { return o.e }))
	}
	if m := s.back(d, since); m > 0 {
		return d.resolve(s, m)
	}
	last := since[max(0, len(since)-escalateOver):]
	if now := d.medianOf(last, func(o *obs) float32 { return o.e }); len(last) == escalateOver && now > 2*ep.told && now > ep.told+0.4 {
		v := d.verdict(s, finding{onset: ep.onset, n: ep.found}, Escalated)
		v.Factor = math.Exp(now)
		v.Rule = fmt.Sprintf("the median of the last %d intervals is %.2f times the baseline, told before: %.2f times", escalateOver, math.Exp(now), math.Exp(ep.told))
		ep.told = now
		return []Verdict{v}
	}
	return nil
}

// back returns how many of the last observations show that s has recovered, 0
// if they do not: the smallest window that is long enough and quiet enough to
// tell, all of it after the onset.
func (s *series) back(d *Detector, since []obs) int {
	ep := s.episode
	for i, z := range s.nulls {
		last := i == len(s.nulls)-1
		if z.k >= len(since) {
			return 0
		}
		win := since[len(since)-z.k:]
		long := d.tick-int(win[0].tick)+1 >= d.th.ResolveFor
		if !long || z.sd >= ep.shift/4 && !last {
			continue
		}
		now := d.medianOf(win, func(o *obs) float32 { return o.e })
		if now >= min(ep.shift/3, max(0.05, 2*z.sd)) || !s.workBack(d, win) {
			return 0
		}
		return z.k
	}
	return 0
}

// workBack says that what moved with the time has come back too.
func (s *series) workBack(d *Detector, win []obs) bool {
	n := s.episode.found
	if n.worked(n.Shift) && d.medianOf(win, func(o *obs) float32 { return o.eb }) > n.Blocks/3 {
		return false
	}
	if n.Temp && d.medianOf(win, func(o *obs) float32 { return o.temp }) > s.tempLimit() {
		return false
	}
	return !n.Hit || d.medianOf(win, func(o *obs) float32 { return o.miss })-s.miss50 <= s.missLimit()
}

// resolve ends an episode; the window that showed it belongs to the baseline
// again, and no window to come reaches across it.
func (d *Detector) resolve(s *series, window int) []Verdict {
	v := s.episode.verdict
	now := d.medianOf(s.from(s.len()-window, window), func(o *obs) float32 { return o.e })
	v.Step, v.At = Resolved, d.now
	v.Rule = fmt.Sprintf("the median of the last %d intervals is %.2f times the baseline; a third of the shift would be %.2f times",
		window, math.Exp(now), math.Exp(s.episode.shift/3))
	for i := max(s.len()-window, s.dropped); i < s.len(); i++ {
		s.at(i).out = false
	}
	d.end(s)
	return []Verdict{v}
}

// end forgets the episode of s and starts its windows anew.
func (d *Detector) end(s *series) {
	s.episode = nil
	s.fresh = s.len()
	s.ewma, s.tempRun, s.missRun = 0, 0, 0
	d.open = slices.DeleteFunc(d.open, func(o *series) bool { return o == s })
}

// sweep accepts shifts that have lasted so long that they are normal now, also
// of series that were not called any more.
func (d *Detector) sweep() []Verdict {
	var out []Verdict
	for _, s := range slices.Clone(d.open) {
		ep := s.episode
		if d.tick-ep.tick < d.th.NewNormal {
			continue
		}
		v := ep.verdict
		v.Step, v.At = NewNormal, d.now
		v.Rule = fmt.Sprintf("the shift has lasted %d passes and is the new baseline", d.tick-ep.tick)
		for i := range s.obs {
			s.obs[i].out = i+s.dropped < ep.onset
		}
		d.end(s)
		d.fit(s)
		out = append(out, v)
	}
	return out
}

// verdict writes f down with the profiles before and after.
func (d *Detector) verdict(s *series, f finding, step Step) Verdict {
	f.onset = max(f.onset, s.dropped)
	since := s.from(f.onset, math.MaxInt)
	v := Verdict{
		Kind: pgvigil.KindRegression, Step: step, Series: s.key, At: d.now, Factor: math.Exp(f.n.Shift),
		Numbers: f.n, Cause: s.cause(d, f), Before: s.before(d, f.onset), After: d.profileOf(since),
		Smallest: d.smallest(s),
	}
	period := d.clock.period()
	v.Onset = time.UnixMilli(since[0].end).UTC().Add(-time.Duration(period * float64(time.Second)))
	level := math.Exp(d.medianOf(since, func(o *obs) float32 { return o.x - o.raw }))
	sd := math.Sqrt(s.tau2 + d.medianOf(since, func(o *obs) float32 { return o.vs }))
	v.Band = pgvigil.Band{Level: level, Low: level * math.Exp(-2.5*sd), High: level * math.Exp(2.5*sd)}
	v.Before.MS = level
	v.ExtraMSPerHour = max(0, v.After.MS-v.Before.MS) * v.After.CallsPerHour
	if total := d.totals.since(int(since[0].tick)); total > 0 {
		var own float64
		for i := range since {
			own += float64(since[i].calls) * math.Exp(float64(since[i].x))
		}
		v.LoadShare = min(1, own/total)
	}
	v.Rule = rule(f.n)
	return v
}

// before profiles the baseline's last observations before an onset.
func (s *series) before(d *Detector, onset int) pgvigil.Profile {
	const most = 288
	var list []obs
	for i := onset - 1; i >= s.dropped && len(list) < most; i-- {
		if o := s.at(i); !o.out {
			list = append(list, *o)
		}
	}
	return d.profileOf(list)
}

// profileOf returns the medians of what a call cost; NaN where nothing is known.
func (d *Detector) profileOf(v []obs) pgvigil.Profile {
	if len(v) == 0 {
		nan := math.NaN()
		return pgvigil.Profile{MS: nan, PlanMS: nan, Blocks: nan, Rows: nan, TempBlocks: nan, WALBytes: nan, HitRatio: nan}
	}
	return pgvigil.Profile{
		MS:           math.Exp(d.medianOf(v, func(o *obs) float32 { return o.x })),
		PlanMS:       d.medianOf(v, func(o *obs) float32 { return o.plan }),
		Blocks:       max(0, math.Exp(d.medianOf(v, func(o *obs) float32 { return o.b }))-0.5),
		Rows:         max(0, math.Exp(d.medianOf(v, func(o *obs) float32 { return o.r }))-0.1),
		TempBlocks:   d.medianOf(v, func(o *obs) float32 { return o.temp }),
		WALBytes:     d.medianOf(v, func(o *obs) float32 { return o.wal }),
		HitRatio:     1 - d.medianOf(v, func(o *obs) float32 { return o.miss }),
		CallsPerHour: 3600 * math.Exp(d.medianOf(v, func(o *obs) float32 { return o.q })),
	}
}

// smallest returns the smallest factor of ms per call that the series could be
// convicted of within a day of observations, blocks flat.
func (d *Detector) smallest(s *series) float64 {
	best := math.Inf(1)
	for _, z := range s.nulls {
		best = min(best, d.width(s, z))
	}
	// The evidence that the prior and the alert threshold ask for.
	need := d.th.Alert - d.th.Prior
	z := math.Sqrt(12 * (math.Exp(need/6.5) - 1))
	return math.Exp(max(d.minShift(s), z*best))
}

// cause names what moved with the time.
func (s *series) cause(d *Detector, f finding) pgvigil.Cause {
	n := f.n
	switch {
	case n.Temp:
		return pgvigil.CauseSpill
	case n.Hit:
		return pgvigil.CauseIO
	case n.Rows > 0.5*n.Shift && n.Rows > 0.5*n.Blocks:
		return pgvigil.CauseRows
	case n.Blocks > 0.4*n.Shift && n.BlocksZ > 3 && s.creeps(d, f):
		return pgvigil.CauseBloat
	case n.Blocks > 0.4*n.Shift && n.BlocksZ > 3:
		return pgvigil.CausePlan
	}
	return pgvigil.CauseContention
}

// creeps says that blocks per call did not jump at the onset: bloat grows.
func (s *series) creeps(d *Detector, f finding) bool {
	blocks := func(o *obs) float32 { return o.eb }
	since := s.from(f.onset, math.MaxInt)
	first := since[:min(24, len(since))]
	lo, hi := max(s.dropped, f.onset-72), f.onset-3
	if hi <= lo {
		return false
	}
	before := s.obs[lo-s.dropped : hi-s.dropped]
	return d.medianOf(first, blocks)-d.medianOf(before, blocks) < 0.6*f.n.Blocks
}

// rule is the sentence that convicts.
func rule(n Numbers) string {
	var r strings.Builder
	fmt.Fprintf(&r, "%.2f times the baseline over %d intervals, %.1f times the scale of its noise (%.3f); score %.1f = %.0f (prior)",
		math.Exp(n.Shift), n.Observed, n.Shift/n.Scale, n.Scale, n.Score, Defaults().Prior)
	if n.Deployed {
		fmt.Fprintf(&r, " + %.0f (deploy at the onset)", Defaults().DeployPrior)
	}
	fmt.Fprintf(&r, " + the weaker of %.1f against noise and %.1f against a stall of %.0f passes", n.Noise, n.Stall, n.StallLength)
	for _, x := range []struct {
		yes  bool
		text string
	}{
		{n.worked(n.Shift), fmt.Sprintf("blocks per call %.2f times", math.Exp(n.Blocks))},
		{n.Temp && n.Lasting == 0, "temporary blocks appeared"},
		{n.Lasting > 0, fmt.Sprintf("temporary blocks appeared and stayed for %d intervals", n.Lasting)},
		{n.Hit, "the hit ratio fell"},
		{n.Marked, "a change on its tables at the onset"},
	} {
		if x.yes {
			r.WriteString("; " + x.text)
		}
	}
	fmt.Fprintf(&r, "; alert at %.2f", Defaults().Alert)
	return r.String()
}
