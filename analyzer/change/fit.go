package change

import (
	"math"
	"time"
)

// hour is an hour of Unix time.
type hour int64

func hourOf(ms int64) hour { return hour(ms / int64(time.Hour/time.Millisecond)) }

func (h hour) ofDay() int { return int(h % 24) }

// weekend says whether h is of a Saturday or Sunday, UTC; day 0 was a Thursday.
func (h hour) weekend() bool {
	d := (int64(h)/24 + 4) % 7
	return d == 0 || d == 6
}

// profile is what a series is expected to be: a level, and how hours of the day
// and weekends differ from it, shrunk towards 0 by how often they were seen.
type profile struct {
	level   float64
	hours   [24]float64
	weekend float64
}

func (p *profile) at(h hour) float64 {
	v := p.level + p.hours[h.ofDay()]
	if h.weekend() {
		v += p.weekend
	}
	return v
}

// seasonFrom is how many hours a baseline must have seen before its level is
// taken from hourly medians.
const seasonFrom = 24

// fitter holds the scratch memory of fits; one serves all series of a server.
type fitter struct {
	vals, tmp []float32
	hrs       []hour
	group     []float32 // hourly medians
	ghour     []hour
	byHour    [24][]float32
	a, b, w   []float64 // prefix sums
	win, winB []float64
}

// profile fits p to f.vals at f.hrs, both in order of time.
func (f *fitter) profile(p *profile) {
	*p = profile{}
	f.groups()
	if len(f.group) < seasonFrom {
		p.level = float64(median(append(f.tmp[:0], f.vals...)))
		return
	}
	p.level = float64(median(append(f.tmp[:0], f.group...)))
	for h := range f.byHour {
		f.byHour[h] = f.byHour[h][:0]
	}
	for i, g := range f.group {
		h := f.ghour[i].ofDay()
		f.byHour[h] = append(f.byHour[h], g-float32(p.level))
	}
	for h, v := range f.byHour {
		n := float64(len(v))
		p.hours[h] = float64(median(v)) * n / (n + 6)
	}
	tmp := f.tmp[:0]
	for i, g := range f.group {
		if h := f.ghour[i]; h.weekend() {
			tmp = append(tmp, g-float32(p.at(h)))
		}
	}
	n := float64(len(tmp))
	p.weekend = float64(median(tmp)) * n / (n + 12)
	f.recentre(p)
}

// groups collects the medians of f.vals by hour.
func (f *fitter) groups() {
	f.group, f.ghour = f.group[:0], f.ghour[:0]
	for i := 0; i < len(f.vals); {
		j := i
		f.tmp = f.tmp[:0]
		for ; j < len(f.vals) && f.hrs[j] == f.hrs[i]; j++ {
			f.tmp = append(f.tmp, f.vals[j])
		}
		f.group = append(f.group, median(f.tmp))
		f.ghour = append(f.ghour, f.hrs[i])
		i = j
	}
}

// recentre moves the level so that the median residual is 0.
func (f *fitter) recentre(p *profile) {
	tmp := f.tmp[:0]
	step := max(1, len(f.vals)/400)
	for i := 0; i < len(f.vals); i += step {
		tmp = append(tmp, f.vals[i]-float32(p.at(f.hrs[i])))
	}
	p.level += float64(median(tmp))
}

// fit makes the baseline of s from its kept observations outside episodes;
// while there are too few it does nothing.
func (d *Detector) fit(s *series) {
	f := &d.fitter
	base := d.base[:0]
	for i := range s.obs {
		if o := &s.obs[i]; !o.out {
			base = append(base, o)
		}
	}
	d.base = base
	if len(base) < d.th.Young {
		return
	}
	f.hrs = f.hrs[:0]
	for _, o := range base {
		f.hrs = append(f.hrs, hourOf(o.end))
	}
	for _, m := range []struct {
		p   *profile
		get func(*obs) float32
	}{
		{&s.mx, func(o *obs) float32 { return o.x }},
		{&s.mb, func(o *obs) float32 { return o.b }},
		{&s.mr, func(o *obs) float32 { return o.r }},
		{&s.mq, func(o *obs) float32 { return o.q }},
	} {
		f.vals = f.vals[:0]
		for _, o := range base {
			f.vals = append(f.vals, m.get(o))
		}
		f.profile(m.p)
	}
	if !s.fitted {
		for _, o := range base {
			s.residuals(o)
		}
	}
	s.spanMS = base[len(base)-1].end - base[0].end
	s.middle = base[len(base)/2].end
	s.fitNoise(base, f)
	s.fitWork(base, f)
	s.drift = d.driftOf(base)
	if len(base) < youngUntil || s.fits%2 == 0 {
		s.fitNulls(base, f, d.th.Scales)
	}
	s.fits++
	s.fitted = true
	s.fitTick = d.tick
}

// chiMedian is the median of a chi-square with one degree of freedom.
const chiMedian = 0.455

// priorTau2 is the process variance expected of a series not seen yet, and
// priorWeight how many observations it is worth.
const (
	priorTau2   = 0.15 * 0.15
	priorWeight = 10
	minTau2     = 0.02 * 0.02
)

// fitNoise solves tau² so that the median of e²/v is that of a chi-square, and
// learns how strongly the common factor shows in s.
func (s *series) fitNoise(base []*obs, f *fitter) {
	step := max(1, len(base)/400)
	sce, scc := 0.5, 0.5
	f.win, f.winB = f.win[:0], f.winB[:0]
	for i := 0; i < len(base); i += step {
		o := base[i]
		e := float64(o.x) - s.mx.at(hourOf(o.end))
		if c := float64(o.c); c > 0.08 {
			sce += c * e
			scc += c * c
			e -= clip(s.beta, 0, 3) * c
		}
		f.win = append(f.win, e*e)
		f.winB = append(f.winB, float64(o.vs))
	}
	s.beta = clip(sce/scc, 0, 3)
	tau2 := f.solveTau2()
	n := float64(len(base))
	s.tau2 = max(minTau2, math.Exp((n*math.Log(tau2)+priorWeight*math.Log(priorTau2))/(n+priorWeight)))
}

// solveTau2 halves an interval until median(e²/(vs+tau²)) is chiMedian; f.win
// holds e², f.winB the sampling variances.
func (f *fitter) solveTau2() float64 {
	lo, hi := math.Log(minTau2), math.Log(4.0)
	for range 12 {
		mid := (lo + hi) / 2
		tau2 := math.Exp(mid)
		f.a = f.a[:0]
		for i, e2 := range f.win {
			f.a = append(f.a, e2/(f.winB[i]+tau2))
		}
		if median(f.a) > chiMedian {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp((lo + hi) / 2)
}

// fitWork learns what is normal for blocks, temporary blocks, hit ratio and the
// rate of calls.
func (s *series) fitWork(base []*obs, f *fitter) {
	pick := func(get func(*obs) float32) []float32 {
		f.tmp = f.tmp[:0]
		step := max(1, len(base)/400)
		for i := 0; i < len(base); i += step {
			f.tmp = append(f.tmp, get(base[i]))
		}
		return f.tmp
	}
	s.sb = max(0.02, float64(spread(pick(func(o *obs) float32 { return o.b - float32(s.mb.at(hourOf(o.end))) }), 0)))
	s.sq = max(0.05, float64(spread(pick(func(o *obs) float32 { return o.q - float32(s.mq.at(hourOf(o.end))) }), 0)))
	// Of few observations, the newest must not set the limit.
	q := min(0.99, 1-3/float64(min(400, len(base))))
	s.temp99 = float64(quantile(pick(func(o *obs) float32 { return o.temp }), q))
	s.miss50 = float64(median(pick(func(o *obs) float32 { return o.miss })))
	s.miss90 = float64(quantile(pick(func(o *obs) float32 { return max(0, o.miss-float32(s.miss50)) }), 0.9))
}

// fewWindows is how many disjoint windows a scale needs to be measured; the
// scales of rarer ones are extrapolated as if noise had a long memory.
const fewWindows = 6

// fitNulls measures, for each scale, the mean of that many residuals over the
// series' past, as they were seen then.
func (s *series) fitNulls(base []*obs, f *fitter, scales []int) {
	n := len(base)
	f.prefix(base, s)
	s.nulls = s.nulls[:0]
	for _, k := range scales {
		floor := math.Sqrt(s.tau2 / float64(k))
		z := null{k: k, sd: floor, sdB: s.sb / math.Sqrt(float64(k))}
		if m := n / k; m >= fewWindows {
			f.windows(k)
			wide := 1 + 1/float64(m)
			z.centre = median(append(f.a[n+1:n+1], f.win...))
			z.sd = max(floor, wide*spread(f.win, z.centre))
			z.centreB = median(append(f.a[n+1:n+1], f.winB...))
			z.sdB = max(z.sdB, wide*spread(f.winB, z.centreB))
		} else if len(s.nulls) > 0 {
			p := s.nulls[len(s.nulls)-1]
			shrink := math.Pow(float64(p.k)/float64(k), 0.25)
			z.sd, z.sdB = max(floor, p.sd*shrink), max(z.sdB, p.sdB*shrink)
			z.centre, z.centreB = p.centre, p.centreB
		}
		s.nulls = append(s.nulls, z)
	}
}

// prefix sums weights, weighted residuals and residuals of blocks, each clipped
// at three standard deviations.
func (f *fitter) prefix(base []*obs, s *series) {
	f.a = append(f.a[:0], 0)
	f.w = append(f.w[:0], 0)
	f.b = append(f.b[:0], 0)
	for i, o := range base {
		v := float64(o.vs) + s.tau2
		sd := 3 * math.Sqrt(v)
		f.a = append(f.a, f.a[i]+clip(float64(o.e), -sd, sd)/v)
		f.w = append(f.w, f.w[i]+1/v)
		f.b = append(f.b, f.b[i]+clip(float64(o.eb), -3*s.sb, 3*s.sb))
	}
}

// windows fills win and winB with the means of about 100 windows of k.
func (f *fitter) windows(k int) {
	n := len(f.w) - 1
	f.win, f.winB = f.win[:0], f.winB[:0]
	step := max(1, (n-k)/100)
	for i := 0; i+k <= n; i += step {
		f.win = append(f.win, (f.a[i+k]-f.a[i])/(f.w[i+k]-f.w[i]))
		f.winB = append(f.winB, (f.b[i+k]-f.b[i])/float64(k))
	}
}

// drift is how a young baseline grew, per pass: queues fill after a start, and
// what grew may go on growing. An old baseline has none.
type drift struct {
	tick int // of its middle
	x, b float64
}

// youngUntil is the number of observations from which growth is judged and not
// expected.
const youngUntil = 288

// driftOf compares the last third of a young baseline with its first.
func (d *Detector) driftOf(base []*obs) drift {
	n := len(base)
	if n >= youngUntil {
		return drift{}
	}
	rise := func(get func(*obs) float32) float64 {
		third := func(v []*obs) float64 {
			d.buf = d.buf[:0]
			for _, o := range v {
				d.buf = append(d.buf, float64(get(o)))
			}
			return median(d.buf)
		}
		span := float64(base[n-1].tick-base[0].tick) * 2 / 3
		grown := third(base[n-n/3:]) - third(base[:n/3])
		return max(0, grown) / max(1, span) * (1 - float64(n)/youngUntil)
	}
	b := rise(func(o *obs) float32 { return o.b })
	return drift{
		tick: int(base[n-1].tick+base[0].tick) / 2,
		// Time follows work, which is less noisy.
		x: max(b, rise(func(o *obs) float32 { return o.x })),
		b: b,
	}
}

// until is how many passes of growth lie between the middle of the baseline and
// that of observations.
func (r drift) until(since []obs) float64 {
	return max(0, float64(since[len(since)-1].tick+since[0].tick)/2-float64(r.tick))
}
