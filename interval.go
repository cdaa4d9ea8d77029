package pgvigil

import (
	"fmt"
	"time"
)

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
	// Calls is the estimated share of the calls of statements that came to their
	// end, by Blocks, as if the evicted touched as many per call as the others,
	// within what is certain: CallsMin and CallsMax follow from how many entries
	// were evicted, how many of those were never seen, and that those least used
	// go first. They are 1 where nothing was evicted.
	Calls, CallsMin, CallsMax float64
	// Own is the part of Time that statements of pgvigil took, over Time.
	Own float64
	// Gap is the share of the window that no interval spans: before the first
	// pass and after the last, before a reset, at a switch to another server.
	Gap float64
	// Rollbacks counts transactions that were rolled back. A statement that
	// failed or timed out in one is in no entry.
	Rollbacks int64
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

// Shares from which on the numbers can be taken for the whole.
const (
	goodCalls = 0.8
	goodTime  = 0.8
	goodSpan  = 0.8
)

// Doubts says what makes a window's numbers a sample of what happened in it.
func (c Coverage) Doubts() []Warning {
	var list []Warning
	add := func(code, remedy, format string, args ...any) {
		list = append(list, Warning{Code: code, Text: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	if c.Calls < goodCalls {
		add("evicted", "raise pg_stat_statements.max (needs a restart)",
			"the statements seen made about %.0f %% of the calls (%.0f to %.0f %%): %d entries of pg_stat_statements were evicted",
			100*c.Calls, 100*c.CallsMin, 100*c.CallsMax, c.Evicted)
	}
	if c.Time < goodTime {
		add("coverage", "", "the statements seen account for %.0f %% of the server's active time", 100*c.Time)
	}
	if c.Gap > 1-goodSpan {
		add("gap", "", "%.0f %% of the time is in no interval", 100*c.Gap)
	}
	return list
}
