package change

import (
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// A series that is called in most passes is gone when it was not called for
// goneGaps times its longest pause, and for no less than a stall.
const (
	goneGaps   = 3
	gapsOver   = 200
	goneSeldom = 24 // passes between two calls above which silence says nothing
)

// judgeSilence tells of series that are not called any more: their jobs ended,
// or their calls fail and are not counted. It is traffic, not a regression.
func (d *Detector) judgeSilence() []Verdict {
	var out []Verdict
	for _, s := range d.order {
		if s.gone || !s.fitted || s.longestGap > goneSeldom || d.tick-int(s.last().tick) < s.patience(d) {
			continue
		}
		s.gone = true
		out = append(out, d.silence(s, Convicted))
	}
	return out
}

// patience is how many passes of silence are usual.
func (s *series) patience(d *Detector) int {
	return max(int(math.Ceil(d.fleet.StallLength(d.th.StallLength)))+1, goneGaps*s.longestGap)
}

// gap notes how many passes lay between the last two observations.
func (s *series) gap() {
	n := len(s.obs)
	if n < 2 {
		return
	}
	g := int(s.obs[n-1].tick - s.obs[n-2].tick)
	if g >= s.longestGap || n%gapsOver == 0 {
		s.longestGap = g
	}
}

func (d *Detector) silence(s *series, step Step) Verdict {
	o := s.last()
	v := Verdict{
		Kind: pgvigil.KindTraffic, Step: step, Series: s.key, At: d.now,
		Onset: time.UnixMilli(o.end).UTC(), Factor: 0, Cause: pgvigil.CauseTraffic,
		Before: s.before(d, s.len()),
	}
	v.Numbers = Numbers{Shift: float64(d.tick-int(o.tick)) / float64(max(1, s.longestGap)), Observed: d.tick - int(o.tick)}
	v.Band = pgvigil.Band{Level: v.Before.MS, Low: v.Before.MS, High: v.Before.MS}
	v.Rule = fmt.Sprintf("not called for %d passes; its longest pause before was %d", d.tick-int(o.tick), s.longestGap)
	if step == Resolved {
		v.Factor, v.Rule = 1, "it is called again"
	}
	return v
}
