package change

import (
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// finding is what the numbers say about the last observations of a series.
type finding struct {
	onset int // index of the first shifted observation
	n     Numbers
}

// reach is how far back an onset is looked for, in observations.
const reach = 400

// follow updates what is cheap to know about s after its newest observation.
func (d *Detector) follow(s *series) {
	if !s.fitted {
		return
	}
	o := s.last()
	sd := math.Sqrt(s.variance())
	s.ewma += 0.15 * (clip(float64(o.e)/sd, -6, 6) - s.ewma)
	s.tempRun = runIf(s.tempRun, float64(o.temp) > s.tempLimit())
	s.missRun = runIf(s.missRun, float64(o.miss)-s.miss50 > s.missLimit())
	if float64(o.e) > max(3.5*sd, 0.2) {
		if s.run == 0 {
			s.runTick = int(o.tick)
		}
		s.run++
	} else if s.run > 0 {
		if s.fits > 1 {
			d.fleet.excursionEnded(int(o.tick) - s.runTick)
		}
		s.run = 0
	}
}

func runIf(n int, yes bool) int {
	if yes {
		return n + 1
	}
	return 0
}

func (s *series) tempLimit() float64 { return 1 + 3*s.temp99 }
func (s *series) missLimit() float64 { return max(0.1, 2*s.miss90) }

// judge says what the newest observation of s changes.
func (d *Detector) judge(s *series) []Verdict {
	if !s.fitted {
		return d.judgeNew(s)
	}
	if s.episode != nil {
		s.last().out = true
		return d.live(s)
	}
	if s.ewma < 0.5 && s.tempRun < 2 && s.missRun < hitFor {
		return d.clear(s)
	}
	best, found := d.best(s)
	if spilt, ok := d.spills(s); ok && (!found || spilt.n.Score > best.n.Score) {
		best, found = spilt, true
	}
	switch {
	case found && best.n.Score >= d.th.Alert && !d.deferred(s, best.n):
		return d.convict(s, best)
	case found && best.n.Score >= d.th.Suspect && !s.suspect:
		s.suspect = true
		return []Verdict{d.verdict(s, best, Suspected)}
	case found && best.n.Score >= d.th.Suspect:
		return nil
	}
	return d.clear(s)
}

// clear ends a suspicion.
func (d *Detector) clear(s *series) []Verdict {
	if !s.suspect || s.ewma > 0.5 {
		return d.judgeTraffic(s)
	}
	s.suspect = false
	return []Verdict{{
		Kind: pgvigil.KindRegression, Step: Cleared, Series: s.key, At: d.now,
		Rule: "what looked like a shift is within the noise again",
	}}
}

// deferred says that a verdict from time alone waits, because the whole server
// is slower.
func (d *Detector) deferred(s *series, n Numbers) bool {
	if n.worked(n.Shift) || n.Temp || n.Hit || n.Marked {
		return false
	}
	return d.shared(s, n) || n.Common > d.th.CommonShare*n.Shift || n.Common > d.th.CommonLoud
}

// leastWork is the smallest shift of blocks per call that says anything.
const leastWork = 0.05

// worked says that blocks rose with the time, and not because of more rows.
func (n Numbers) worked(d float64) bool {
	return n.Blocks > max(0.6*d, leastWork) && n.Rows < 0.5*n.Blocks
}

// best returns the finding with the highest score over all scales.
func (d *Detector) best(s *series) (finding, bool) {
	win := s.from(s.fresh, reach)
	var sw, swe float64
	var out finding
	found, i := false, len(win)
	for _, z := range s.nulls {
		if z.k > len(win) {
			break
		}
		for ; i > len(win)-z.k; i-- {
			w := 1 / (float64(win[i-1].vs) + s.tau2)
			sw += w
			swe += w * float64(win[i-1].e)
		}
		grown := s.drift.x * s.drift.until(win[len(win)-z.k:])
		shift := swe/sw - z.centre - grown
		limit := max(d.minShift(s), d.th.MinZ*d.width(s, z))
		if shift <= limit {
			continue
		}
		d.buf = d.buf[:0]
		for _, o := range win[len(win)-z.k:] {
			d.buf = append(d.buf, float64(o.e))
		}
		shift = min(shift, median(d.buf)-grown)
		if shift <= limit {
			continue
		}
		if f, ok := d.weigh(s, win, z, shift, sw); ok && (!found || f.n.Score > out.n.Score) {
			out, found = f, true
		}
	}
	return out, found
}

// minShift is the smallest shift of s worth a verdict: a young series may still
// be finding its level.
func (d *Detector) minShift(s *series) float64 {
	young := 1 - min(1, float64(len(s.obs))/youngUntil)
	return d.th.MinShift + (d.th.YoungShift-d.th.MinShift)*young
}

// width is the scale of a mean of z.k residuals: as measured, with what the
// level itself and hours never seen may add.
func (d *Detector) width(s *series, z null) float64 {
	season := 0.0
	if days := float64(s.spanMS) / 864e5; days < 3 {
		hours := float64(s.last().end-s.middle) / 36e5
		season = d.th.Season * min(1, hours/6) * (1 - days/3)
	}
	n := float64(len(s.obs))
	few := 1 + 6/n
	return math.Sqrt(z.sd*z.sd*few*few*(1+min(1, float64(z.k)/n)) + season*season)
}

// weigh finds the onset of a shift and the evidence for it.
func (d *Detector) weigh(s *series, win []obs, z null, shift, sw float64) (finding, bool) {
	since := win[s.onset(win, shift):]
	if !consistent(since, shift) {
		return finding{}, false
	}
	return finding{onset: s.len() - len(since), n: d.score(d.evidence(s, since, z, shift, sw))}, true
}

// evidence gathers what speaks for a shift of s since an onset; sw is the sum
// of the weights of the last z.k observations.
func (d *Detector) evidence(s *series, since []obs, z null, shift, sw float64) Numbers {
	first := int(since[0].tick)
	n := Numbers{
		Shift: shift, Scale: d.width(s, z), Observed: len(since),
		Temp: s.tempRun >= 2 || s.tempSince(since, d), Hit: s.hitFell(since, d),
		Common: meanOf(since, func(o *obs) float32 { return o.c }),
		Blocks: d.medianOf(since, func(o *obs) float32 { return o.eb }),
		Rows:   d.medianOf(since, func(o *obs) float32 { return o.er }),
	}
	n.StallLength = d.fleet.StallLength(d.th.StallLength)
	n.Deployed, n.Marked = d.near(s, first)
	zb := s.scale(len(since))
	n.Blocks -= zb.centreB + s.drift.b*s.drift.until(since)
	n.BlocksZ = n.Blocks / zb.sdB
	n.Marked = n.Marked && n.Blocks > 0.4*shift
	n.Noise = Evidence(shift / n.Scale)
	if n.worked(shift) {
		n.Noise += Evidence(n.BlocksZ)
	}
	n.Stall = d.th.StallRarity + min(d.th.EvidenceCap, d.pastStall(s, since, n, sw*z.sd*z.sd, zb))
	for _, x := range []struct {
		yes bool
		v   float64
	}{{n.Temp, d.th.TempEvidence}, {n.Hit, d.th.HitEvidence}, {n.Marked, d.th.EventEvidence}} {
		if x.yes {
			n.Noise += x.v
			n.Stall += x.v
		}
	}
	return n
}

// score weighs the evidence of n against noise and against a stall.
func (d *Detector) score(n Numbers) Numbers {
	n.Score = d.th.Prior - math.Log(math.Exp(-n.Noise)+math.Exp(-n.Stall))
	if n.Deployed {
		n.Score += d.th.DeployPrior
	}
	return n
}

// onset returns the position in win where the backward sum of the evidence for
// a shift is largest.
func (s *series) onset(win []obs, shift float64) int {
	at, sum, top := len(win)-1, 0.0, math.Inf(-1)
	for i := range slices.Backward(win) {
		w := 1 / (float64(win[i].vs) + s.tau2)
		sum += w * (min(float64(win[i].e), 2*shift) - shift/2)
		if sum > top {
			at, top = i, sum
		}
	}
	return at
}

// consistent says that most observations since the onset are shifted, the last
// ones too.
func consistent(since []obs, shift float64) bool {
	high := 0
	for i := range since {
		if float64(since[i].e) > 0.4*shift {
			high++
		}
	}
	low := 0
	tail := since[max(0, len(since)-4):]
	for i := range tail {
		if float64(tail[i].e) <= shift/2 {
			low++
		}
	}
	return high*10 >= len(since)*7 && low <= len(tail)/3
}

// pastStall is the evidence since the onset that no single stall explains: the
// sum of what each observation says, less the largest part of it that lies
// within the length of a stall, in units of the variance inflation.
func (d *Detector) pastStall(s *series, since []obs, n Numbers, inflation float64, zb null) float64 {
	phi := max(1, inflation)
	wb := 1 / (s.sb * s.sb)
	phiB := max(1, zb.sdB*zb.sdB*wb*float64(min(zb.k, len(since))))
	worked := n.worked(n.Shift)
	d.buf = d.buf[:0]
	total := 0.0
	for i := range since {
		o := &since[i]
		w := 1 / (float64(o.vs) + s.tau2)
		v := w * n.Shift * (clip(float64(o.e), -n.Shift, 1.5*n.Shift) - n.Shift/2) / phi
		if worked {
			v += wb * n.Blocks * (clip(float64(o.eb), -n.Blocks, 1.5*n.Blocks) - n.Blocks/2) / phiB
		}
		d.buf = append(d.buf, v)
		total += v
	}
	span, sum, most, lo := int32(math.Ceil(n.StallLength)), 0.0, 0.0, 0
	for i := range since {
		sum += d.buf[i]
		for since[i].tick-since[lo].tick >= span {
			sum -= d.buf[lo]
			lo++
		}
		most = max(most, sum)
	}
	return total - most
}

// tempSince says that temporary blocks appeared with the shift.
func (s *series) tempSince(since []obs, d *Detector) bool {
	return len(since) >= 2 && d.medianOf(since, func(o *obs) float32 { return o.temp }) > s.tempLimit()
}

// hitFor is how many observations the hit ratio must stay low: a cold cache
// fills.
const hitFor = 8

// hitFell says that the hit ratio fell, stays low and does not recover.
func (s *series) hitFell(since []obs, d *Detector) bool {
	if len(since) < hitFor {
		return false
	}
	rise := func(v []obs) float64 { return meanOf(v, func(o *obs) float32 { return o.miss }) - s.miss50 }
	typical := d.medianOf(since, func(o *obs) float32 { return o.miss }) - s.miss50
	half := len(since) / 2
	return typical > s.missLimit() && rise(since[len(since)-hitFor/2:]) > 0.8*rise(since[:half])
}

func meanOf(v []obs, get func(*obs) float32) float64 {
	var sum float64
	for i := range v {
		sum += float64(get(&v[i]))
	}
	return sum / float64(max(1, len(v)))
}

func (d *Detector) medianOf(v []obs, get func(*obs) float32) float64 {
	d.buf = d.buf[:0]
	for i := range v {
		d.buf = append(d.buf, float64(get(&v[i])))
	}
	return median(d.buf)
}
