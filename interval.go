package pgvigil

import "time"

// IntervalFlag says what is special about an interval.
type IntervalFlag uint8

// The flags; they combine.
const (
	// SpansGap: at least one pass in between failed, so the interval is longer.
	SpansGap IntervalFlag = 1 << iota
	// AfterReset: counted from a reset or a (re-)entry within the interval, so
	// what was before it is missing.
	AfterReset
	// FirstSight: the entry was not there at the previous snapshot, so its
	// counters are all of this interval (a lower bound if it was evicted and
	// came back within).
	FirstSight
	// ClockJump: the server's clock and ours disagree about its length.
	ClockJump
)

// Interval is what one statement did between two snapshots of one incarnation.
type Interval struct {
	Server   ServerID
	Key      StatementKey
	Start    time.Time
	End      time.Time
	Counters Counters // differences, none negative
	Flags    IntervalFlag
}

// RelationInterval is what one table or index did between two snapshots.
type RelationInterval struct {
	Server ServerID
	Key    RelationKey
	Start  time.Time
	End    time.Time
	Table  TableCounters // differences; gauges as at End
	Flags  IntervalFlag
}

// Point is one step of a series: the intervals of all statements with one
// fingerprint in one span, added up.
type Point struct {
	Start    time.Time
	End      time.Time
	Counters Counters
	Flags    IntervalFlag
}

// SeriesKey names a series: one fingerprint in one database of one server.
type SeriesKey struct {
	Server      ServerID
	DBID        OID
	Fingerprint Fingerprint
}

// Series is the intervals of one fingerprint, in order of time.
type Series struct {
	Key    SeriesKey
	Points []Point
}

// Coverage says what part of a window's work the intervals account for, and
// why not the rest. Shares are in [0, 1], NaN if they cannot be known.
type Coverage struct {
	From time.Time
	To   time.Time
	// Time is execution and planning time over active_time of pg_stat_database
	// (14+); waits of statements that fail or never end are not in it.
	Time float64
	// Blocks is shared blocks of the intervals over those of pg_stat_database.
	Blocks float64
	// Passes that succeeded, and that should have been.
	Passes   int
	Expected int
	// Evicted counts entries that were evicted (dealloc) in the window.
	Evicted int64
	// FirstSights counts entries whose earlier calls are unknown.
	FirstSights int
	Resets      int
	Warnings    []Warning
}
