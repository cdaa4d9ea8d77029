package pgvigil

import "time"

// BaselineKind is rolling or pinned.
type BaselineKind string

// The kinds of baselines.
const (
	Rolling BaselineKind = "rolling"
	Pinned  BaselineKind = "pinned"
)

// Baseline is what is normal for a series.
type Baseline struct {
	Series  SeriesKey
	Kind    BaselineKind
	Name    string // of a pinned one
	From    time.Time
	To      time.Time
	Samples int
	// MS, Blocks, Rows, Temp are typical values per call with their band.
	MS     Band
	Blocks Band
	Rows   Band
	Temp   Band
	// CallsPerHour is the typical rate.
	CallsPerHour float64
	// Smallest is the smallest factor of ms per call that could be noticed now;
	// NaN while the series has too few samples to be judged.
	Smallest float64
}

// Band is a typical value and the range in which it is normal.
type Band struct {
	Level float64
	Low   float64
	High  float64
}
