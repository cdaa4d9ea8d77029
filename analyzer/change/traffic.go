package change

import (
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// surge is a rise of calls that was told and is not over.
type surge struct {
	verdict Verdict
	tick    int
}

// judgeTraffic tells when a series is called much more often than usual while
// each call costs what it did. That is never a regression.
func (d *Detector) judgeTraffic(s *series) []Verdict {
	rate := func(o *obs) float32 { return o.eq }
	need := int(math.Ceil(d.fleet.StallLength(d.th.StallLength))) + 1
	win := s.from(s.fresh, need)
	if s.traffic != nil {
		return d.liveTraffic(s)
	}
	limit := max(d.th.Traffic, 5*s.sq)
	if len(win) < need || float64(s.last().eq) < limit || float64(win[0].eq) < limit {
		return nil
	}
	shift := d.medianOf(win, rate)
	for i := range win {
		if float64(win[i].eq) < limit/2 {
			return nil
		}
	}
	if shift < limit || int(win[need-1].tick-win[0].tick) > 4*need {
		return nil
	}
	v := d.verdict(s, finding{onset: s.len() - need}, Convicted)
	v.Kind, v.Cause, v.Factor = pgvigil.KindTraffic, pgvigil.CauseTraffic, math.Exp(shift)
	v.ExtraMSPerHour = max(0, v.After.CallsPerHour*(1-math.Exp(-shift))) * v.After.MS
	v.Numbers = Numbers{Shift: shift, Scale: s.sq, Observed: need}
	v.Rule = fmt.Sprintf("%.1f times the usual calls per second in each of %d intervals (limit %.1f); a call costs %.2f times what it did",
		math.Exp(shift), need, math.Exp(limit), v.After.MS/v.Before.MS)
	s.traffic = &surge{verdict: v, tick: d.tick}
	return []Verdict{v}
}

// liveTraffic ends a surge when it is over, or has become normal.
func (d *Detector) liveTraffic(s *series) []Verdict {
	t := s.traffic
	win := s.from(s.fresh, d.th.ResolveFor)
	v := t.verdict
	v.At = d.now
	switch now := d.medianOf(win, func(o *obs) float32 { return o.eq }); {
	case d.tick-t.tick >= d.th.NewNormal:
		v.Step, v.Rule = NewNormal, "the rate of calls has lasted so long that it is the new baseline"
	case d.tick-t.tick >= d.th.ResolveFor && now < math.Log(v.Factor)/2:
		v.Step, v.Rule = Resolved, fmt.Sprintf("the median of the last %d intervals is %.1f times the usual rate", len(win), math.Exp(now))
	default:
		return nil
	}
	s.traffic = nil
	return []Verdict{v}
}

// newFor is how many observations a new series must show before it is told.
const newFor = 5

// judgeNew tells when a series that was never seen before takes a large share
// of the server's time from its first passes on.
func (d *Detector) judgeNew(s *series) []Verdict {
	known := s.firstTick > d.th.Young
	if s.told || !known || len(s.obs) < newFor {
		return nil
	}
	total := d.totals.since(s.firstTick)
	var own float64
	for i := range s.obs {
		own += float64(s.obs[i].calls) * math.Exp(float64(s.obs[i].x))
	}
	if !(own > d.th.NewShare*total) {
		return nil
	}
	s.told = true
	nan := math.NaN()
	v := Verdict{
		Kind: pgvigil.KindNew, Step: Convicted, Series: s.key, At: d.now,
		Onset:  time.UnixMilli(s.obs[0].end).UTC().Add(-time.Duration(d.clock.period() * float64(time.Second))),
		Factor: 1, Cause: pgvigil.CauseUnknown, LoadShare: own / total,
		Before: pgvigil.Profile{MS: nan, PlanMS: nan, Blocks: nan, Rows: nan, TempBlocks: nan, WALBytes: nan, HitRatio: nan},
		After:  d.profileOf(s.obs),
	}
	d.news = append(d.news, arrival{s, v})
	v.Numbers.Observed = len(s.obs)
	v.ExtraMSPerHour = v.After.MS * v.After.CallsPerHour
	v.Rule = fmt.Sprintf("first seen %d passes ago, %.0f %% of the server's time since (limit %.0f %%)",
		d.tick-s.firstTick, 100*v.LoadShare, 100*d.th.NewShare)
	return []Verdict{v}
}

// arrival is a new series that was told and is not normal yet.
type arrival struct {
	s       *series
	verdict Verdict
}

// settle ends the news of series that are not called any more, or have been
// there so long that they are normal.
func (d *Detector) settle() []Verdict {
	var out []Verdict
	kept := d.news[:0]
	for _, a := range d.news {
		v := a.verdict
		v.At = d.now
		switch silent := d.tick - int(a.s.last().tick); {
		case silent >= d.th.ResolveFor:
			v.Step, v.Rule = Resolved, fmt.Sprintf("not called for %d passes", silent)
		case d.tick-a.s.firstTick >= d.th.NewNormal:
			v.Step, v.Rule = NewNormal, fmt.Sprintf("first seen %d passes ago", d.tick-a.s.firstTick)
		default:
			kept = append(kept, a)
			continue
		}
		out = append(out, v)
	}
	d.news = kept
	return out
}
