package change

import (
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Step is what a verdict says about the life of a shift.
type Step string

// The steps. A suspicion is shown, not sent; it ends by Cleared or Convicted.
const (
	Suspected Step = "suspected"
	Cleared   Step = "cleared"
	Convicted Step = "convicted"
	Escalated Step = "escalated"
	Resolved  Step = "resolved"
	NewNormal Step = "new normal"
)

// Verdict is one step in the life of a shift of a series, or of the whole
// server's (an incident, whose Series has fingerprint 0).
type Verdict struct {
	Kind   pgvigil.VerdictKind
	Step   Step
	Series pgvigil.SeriesKey
	Onset  time.Time // start of the first interval that was shifted
	At     time.Time // end of the newest interval used
	// Factor is ms per call after over before, with the server's common factor
	// and the season taken off; of traffic, calls; of an incident, the siblings'.
	Factor float64
	// Before is typical of the baseline, After of the observations since Onset.
	Before, After pgvigil.Profile
	Band          pgvigil.Band // of ms per call
	Smallest      float64      // smallest factor that could be noticed now
	Numbers       Numbers
	Cause         pgvigil.Cause
	// Queries are the fingerprints of an incident, worst first.
	Queries []pgvigil.SeriesKey
	// LoadShare is the series' part of the server's time since Onset, in [0, 1].
	LoadShare float64
	// ExtraMSPerHour is what the shift costs.
	ExtraMSPerHour float64
	// Rule is the sentence that convicted, or resolved, with its numbers.
	Rule string
}

// Numbers are what convicted a series. Shifts are natural logarithms.
type Numbers struct {
	Shift       float64
	Blocks      float64 // shift of blocks per call
	BlocksZ     float64 // the same in units of its scale
	Rows        float64 // shift of rows per call
	Scale       float64 // of Shift, as measured in the past
	Observed    int     // observations since the onset
	Slower      int     // of an incident, how many queries are slower
	Asked       int     // and of how many
	Noise       float64 // evidence against noise
	Stall       float64 // evidence against a stall
	Score       float64
	Common      float64 // mean common factor since the onset
	Temp        bool    // temporary blocks appeared
	Lasting     int     // intervals in a row with temporary blocks, where they alone convicted
	Hit         bool    // the hit ratio fell
	Marked      bool    // a catalog event on its tables is near the onset
	Deployed    bool    // a deploy is near the onset
	StallLength float64 // passes that one stall may explain
}

// Work is how many times the blocks a call now touches for the same rows; 1
// where a call does not do more work.
func (v Verdict) Work() float64 {
	if n := v.Numbers; v.Kind == pgvigil.KindRegression && n.worked(n.Shift) {
		return math.Exp(n.Blocks)
	}
	return 1
}

// Score returns the logarithm of the odds that the verdict is no chance. That of
// a regression is what convicted it. An incident rests on how far the server is
// outside its limit and on how many queries are slower, traffic on how far the
// rate is outside its noise, silence on its length beside the longest pause, and
// news on their share of the server's time.
func (v Verdict) Score() float64 {
	n, th := v.Numbers, Defaults()
	switch {
	case v.Kind == pgvigil.KindIncident:
		return th.Prior + Evidence(n.Shift/max(1e-9, n.Scale)) + companyEvidence(n.Slower, n.Asked)
	case v.Kind == pgvigil.KindTraffic && v.Factor == 0:
		return min(th.EvidenceCap, n.Shift)
	case v.Kind == pgvigil.KindTraffic:
		return th.Prior + Evidence(n.Shift/max(1e-9, n.Scale)) + math.Log(float64(max(1, n.Observed)))
	case v.Kind == pgvigil.KindNew:
		return 2*math.Log(max(1, v.LoadShare/th.NewShare)) + 0.3*float64(n.Observed)
	}
	return n.Score
}

// companyEvidence is the logarithm of the odds of so many slower queries: one in
// ten is by chance, eight in ten are where the server suffers.
func companyEvidence(slower, of int) float64 {
	k := float64(slower)
	return clip(k*math.Log(0.8/0.1)+(float64(of)-k)*math.Log(0.2/0.9), -3, 6)
}

// Evidence is the logarithm of a likelihood ratio of a shift of z standard
// deviations, with the tails of a t distribution, capped.
func Evidence(z float64) float64 {
	return min(Defaults().EvidenceCap, 6.5*math.Log(1+z*z/12))
}
