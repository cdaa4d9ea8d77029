package change

import (
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Baseline says what is normal for a series at the newest pass, per call; false
// if the series was never seen. Smallest is NaN while it is not judged yet.
func (d *Detector) Baseline(key pgvigil.SeriesKey) (pgvigil.Baseline, bool) {
	s := d.series[key]
	if s == nil {
		return pgvigil.Baseline{}, false
	}
	b := pgvigil.Baseline{Series: key, Kind: pgvigil.Rolling, Smallest: math.NaN()}
	for i := range s.obs {
		if o := &s.obs[i]; !o.out {
			if b.Samples == 0 {
				b.From = time.UnixMilli(o.end).UTC()
			}
			b.Samples++
			b.To = time.UnixMilli(o.end).UTC()
		}
	}
	if !s.fitted {
		return b, true
	}
	h := hourOf(s.last().end)
	sd := math.Sqrt(s.variance())
	b.MS = logBand(s.mx.at(h), sd, 0)
	b.Blocks = logBand(s.mb.at(h), s.sb, 0.5)
	b.Rows = logBand(s.mr.at(h), s.sb, 0.1)
	b.Temp = pgvigil.Band{High: s.tempLimit()}
	b.CallsPerHour = 3600 * math.Exp(s.mq.at(h))
	b.Smallest = d.smallest(s)
	return b, true
}

// bandWidth is how many standard deviations a band reaches to each side.
const bandWidth = 2.5

// logBand turns a level of logarithms, to which offset was added, into a band.
func logBand(level, sd, offset float64) pgvigil.Band {
	at := func(x float64) float64 { return max(0, math.Exp(x)-offset) }
	return pgvigil.Band{Level: at(level), Low: at(level - bandWidth*sd), High: at(level + bandWidth*sd)}
}

// Live returns the newest verdict of every episode that is not over, those of
// the whole server included.
func (d *Detector) Live() []Verdict {
	var out []Verdict
	for _, s := range d.open {
		out = append(out, s.episode.verdict)
	}
	return out
}

// Recent returns what a call costs over the last n observations of a series.
func (d *Detector) Recent(key pgvigil.SeriesKey, n int) (pgvigil.Profile, bool) {
	s := d.series[key]
	if s == nil || len(s.obs) == 0 {
		return pgvigil.Profile{}, false
	}
	return d.profileOf(s.from(s.len()-n, n)), true
}

// Quiet returns how many passes ago a series was called last, and whether it
// was ever.
func (d *Detector) Quiet(key pgvigil.SeriesKey) (int, bool) {
	s := d.series[key]
	if s == nil || len(s.obs) == 0 {
		return 0, false
	}
	return d.tick - int(s.last().tick), true
}

// Series returns the number of series seen.
func (d *Detector) Series() int { return len(d.order) }

// Tick returns how many passes the detector has seen, missed ones counted.
func (d *Detector) Tick() int { return d.tick }

// Period returns the usual time between two passes; one second until there
// were two.
func (d *Detector) Period() time.Duration {
	return time.Duration(d.clock.period() * float64(time.Second))
}

// Around returns what a call of a series cost before and after a moment; false
// if it was not called on both sides.
func (d *Detector) Around(key pgvigil.SeriesKey, at time.Time) (before, after pgvigil.Profile, ok bool) {
	s := d.series[key]
	if s == nil {
		return before, after, false
	}
	n := 0
	for n < len(s.obs) && s.obs[n].end <= at.UnixMilli() {
		n++
	}
	if n == 0 || n == len(s.obs) {
		return before, after, false
	}
	return d.profileOf(s.obs[:n]), d.profileOf(s.obs[n:]), true
}
