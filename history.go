package pgvigil

import "time"

// The types below are the answers that a history gives. Each stage declares,
// as an interface of its own, the few methods that it needs; the stores in
// internal/store implement them all and pass one contract test.

// ServerInfo is a server as the history knows it.
type ServerInfo struct {
	ID        ServerID
	Server    Server // as last seen
	FirstSeen time.Time
	LastSeen  time.Time
	// Labels are those of the target in the configuration; the history keeps none.
	Labels map[string]string
}

// Recorded is what became of one snapshot.
type Recorded struct {
	Server ServerID
	Pass   int64
	// Previous is when the snapshot before was taken; zero for the first.
	Previous time.Time
	At       time.Time
	// Points are the new intervals, added up by series, one per series.
	Points    []SeriesPoint
	Relations []RelationInterval
	Events    []Event // that differences to the last snapshot showed
	Coverage  Coverage
	Footprint Footprint
	Warnings  []Warning
}

// SeriesPoint is one point of one series.
type SeriesPoint struct {
	Series SeriesKey
	Point
}

// Window is a span of time, From included, To not. A zero bound is open.
type Window struct {
	From time.Time
	To   time.Time
}

// SeriesFilter selects series. Empty lists select all.
type SeriesFilter struct {
	Server       ServerID
	Database     OID // 0 for all
	Fingerprints []Fingerprint
	Window       Window
}

// AlertFilter selects alerts; zero values select all.
type AlertFilter struct {
	ID     int64
	Server ServerID
	Target string
	Live   bool // only those that still concern somebody
	Window Window
}

// ProposalFilter selects proposals; zero values select all.
type ProposalFilter struct {
	ID     int64
	Server ServerID
	Alert  int64
	Window Window
}

// SessionSample is the activity of one moment.
type SessionSample struct {
	At       time.Time
	Sessions []Session
	Locks    []LockWait
}

// DatabasePoint is what one database did between two snapshots.
type DatabasePoint struct {
	Start, End time.Time
	DBID       OID
	Stats      DatabaseStats // differences; gauges (Backends, SizeBytes, ages) as at End
}

// RelationSeries is one table or index over time. Sizes are kept where they
// change; the first may be from before the window, and held at its start.
type RelationSeries struct {
	Key    RelationKey
	Kind   string // that of Table; i for an index, t for a TOAST table
	Schema string
	Name   string
	// Parent is what it belongs to: the partitioned table of a partition, the
	// table of an index or of a TOAST table; 0 for none.
	Parent    OID
	Intervals []RelationInterval
	Sizes     []SizePoint
}

// SizePoint is the size of a relation at one moment.
type SizePoint struct {
	At    time.Time
	Pages int64
	Live  float64
	Dead  float64
	Bloat *Bloat
}

// LoadShare is what a series cost in a window, beside all of its server.
type LoadShare struct {
	Series   SeriesKey
	Counters Counters
	Share    float64 // of the server's execution and planning time, [0, 1]
}

// HistoryCheck is the answer of history check.
type HistoryCheck struct {
	OK         bool      `json:"ok"`
	Passes     int64     `json:"passes"`
	Statements int64     `json:"statements"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Problems   []string  `json:"problems"`
}
