package change

import (
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
