package pgvigil

import "time"

// LogRead is what a pass read of the server's log, beside the events and plans
// that the log told.
type LogRead struct {
	// OK says that a log was named and could be read.
	OK     bool
	Format string // text, csv or json
	Bytes  Bytes
	// Entries is how many there were, Broken how many could not be read.
	Entries int
	Broken  int
	// Behind is what is left for the next pass, Skipped what never will be read.
	Behind  Bytes
	Skipped Bytes
	// Failed are the calls that failed, which pg_stat_statements never counts.
	Failed []FailedCalls
	// Queries are what is known of the texts that the log showed.
	Queries map[Fingerprint]Query
}

// FailReason says why a call failed.
type FailReason string

// The reasons.
const (
	FailedTimeout   FailReason = "statement timeout"
	FailedCancel    FailReason = "user request"
	FailedLock      FailReason = "lock timeout"
	FailedRecovery  FailReason = "conflict with recovery"
	FailedDeadlock  FailReason = "deadlock"
	FailedOtherwise FailReason = "error"
)

// FailedCalls counts the calls of one query that failed for one reason.
type FailedCalls struct {
	DBID OID // 0 if the log does not say
	// Fingerprint is 0 if the log has no text.
	Fingerprint Fingerprint
	Reason      FailReason
	Calls       int
	First       time.Time
	Last        time.Time
}
