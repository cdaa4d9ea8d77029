package change

import (
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// obs is one observation: the logarithms of what a call cost, and how far they
// were from the baseline of that time. Residuals never change afterwards, so
// that the past is judged as it was seen.
type obs struct {
	end   int64 // unix milliseconds
	tick  int32
	out   bool // part of an open or closed episode, not of the baseline
	calls float32
	x     float32 // ln ms per call
	b     float32 // ln blocks per call
	r     float32 // ln rows per call
	q     float32 // ln calls per second
	vs    float32 // sampling variance of x
	temp  float32 // temporary blocks per call
	miss  float32 // part of the blocks that were read
	plan  float32 // planning ms per call, NaN unknown
	wal   float32 // bytes per call, NaN unknown
	dirt  float32 // blocks dirtied per call, NaN unknown
	raw   float32 // x less the baseline
	c     float32 // the siblings' common factor
	e     float32 // raw less the part that the common factor explains
	eb    float32
	er    float32
	eq    float32
}

// series is the state of one series.
type series struct {
	key       pgvigil.SeriesKey
	obs       []obs
	dropped   int // observations forgotten, so that indices stay valid
	lastEnd   time.Time
	firstTick int
	cv2       float64 // pooled squared coefficient of variation of one call
	cvN       float64

	fitted  bool
	fitTick int
	fits    int
	mx      profile
	mb      profile
	mr      profile
	mq      profile
	tau2    float64 // process variance of x
	sb      float64 // sd of one residual of blocks
	sq      float64 // sd of one residual of the call rate
	drift   drift
	beta    float64 // how strongly the common factor shows here
	nulls   []null
	temp99  float64
	miss50  float64
	miss90  float64 // 0.9-quantile of past rises of miss over miss50
	spanMS  int64   // of the baseline
	middle  int64   // of the baseline, unix milliseconds
	fresh   int     // first index that may be judged: after the last recovery
	ewma    float64
	tempRun int
	missRun int
	run     int // ticks of the present excursion, for the length of stalls
	runTick int

	episode    *episode
	suspect    bool
	traffic    *surge
	told       bool // that it is new
	gone       bool // that it is silent
	longestGap int  // passes between two observations
}

// null is the behaviour of the mean of k residuals in the series' own past.
type null struct {
	k       int
	sd      float64
	centre  float64
	sdB     float64
	centreB float64
}

func (s *series) len() int          { return s.dropped + len(s.obs) }
func (s *series) at(i int) *obs     { return &s.obs[i-s.dropped] }
func (s *series) last() *obs        { return &s.obs[len(s.obs)-1] }
func (s *series) variance() float64 { return float64(s.last().vs) + s.tau2 }

// from returns the observations from index i on, at most limit of them.
func (s *series) from(i, limit int) []obs {
	lo := max(i-s.dropped, len(s.obs)-limit, 0)
	return s.obs[min(lo, len(s.obs)):]
}

// add appends what the sample says; residuals are filled in by the detector.
func (s *series) add(p Sample, tick, keep int) {
	if len(s.obs) >= keep+keep/4 {
		n := len(s.obs) - keep
		copy(s.obs, s.obs[n:])
		s.obs = s.obs[:keep]
		s.dropped += n
	}
	s.learnVariation(p)
	span := p.End.Sub(p.Start)
	if !s.lastEnd.IsZero() {
		span = max(span, p.End.Sub(s.lastEnd))
	}
	s.lastEnd = p.End
	n := p.Calls
	blocks := p.Hit + p.Read
	o := obs{
		end: p.End.UnixMilli(), tick: int32(tick), calls: float32(n),
		x:    float32(math.Log(max(p.MS/n, 1e-4))),
		b:    float32(math.Log(blocks/n + 0.5)),
		r:    float32(math.Log(p.Rows/n + 0.1)),
		q:    float32(math.Log(n / span.Seconds())),
		vs:   float32(s.samplingVariance(p)),
		temp: float32(p.Temp / n),
		plan: float32(p.PlanMS / n), wal: float32(p.WAL / n), dirt: float32(p.Dirtied / n),
	}
	if blocks > 0 {
		o.miss = float32(p.Read / blocks)
	}
	s.obs = append(s.obs, o)
	s.gap()
}

// learnVariation pools the coefficient of variation of single calls; an
// interval moves it by a factor of four at most.
func (s *series) learnVariation(p Sample) {
	if p.Calls < 2 || p.MS <= 0 || math.IsNaN(p.SD) {
		return
	}
	own := p.SD * p.Calls / p.MS
	own = min(own*own, 4*max(s.cv2, 0.25))
	s.cvN++
	s.cv2 += (own - s.cv2) * max(1/s.cvN, 0.01)
}

// samplingVariance is that of the mean of n calls: the interval's own
// variation, shrunk towards the series'; of one call, the series' alone.
func (s *series) samplingVariance(p Sample) float64 {
	pooled := s.cv2
	if s.cvN == 0 {
		pooled = 1
	}
	own := pooled
	if p.Calls >= 2 && p.MS > 0 && !math.IsNaN(p.SD) {
		cv := p.SD * p.Calls / p.MS
		own = cv * cv
	}
	return (own*(p.Calls-1) + pooled*4) / (p.Calls + 3) / p.Calls
}

// residuals sets how far observation o is from the present baseline.
func (s *series) residuals(o *obs) {
	h := hourOf(o.end)
	o.raw = o.x - float32(s.mx.at(h))
	o.eb = o.b - float32(s.mb.at(h))
	o.er = o.r - float32(s.mr.at(h))
	o.eq = o.q - float32(s.mq.at(h))
	o.e = o.raw
}

// scale returns the null of the largest scale up to n observations.
func (s *series) scale(n int) null {
	best := s.nulls[0]
	for _, z := range s.nulls {
		if z.k <= n {
			best = z
		}
	}
	return best
}
