package pgvigil

import "time"

// Waits is what a sampler saw of a server's sessions: who waited for what, who
// stood in whose way, and which calls lasted. pg_stat_statements counts a call
// when it ends well; what waits, times out or never ends is only here.
type Waits struct {
	// Minutes are in order of time, each once in an answer of the history.
	Minutes []WaitMinute
	// Counts are ordered by minute, then most samples first.
	Counts []WaitCount
	// Calls are those that lasted for a second at least, in order of their start.
	// Of one that outlived a pass, each pass has its own account, and an answer of
	// the history the last.
	Calls []SampledCall
	// Queries describe the fingerprints above that came up since the last
	// snapshot. The history keeps them with the others and answers without them.
	Queries map[Fingerprint]Query
}

// WaitMinute is one minute of sampling, by the server's clock.
type WaitMinute struct {
	Start time.Time // a full minute
	// Samples is how many were taken in it.
	Samples int
	// Cost is how long the server worked on them.
	Cost time.Duration
	// Tree is the moment at which most sessions waited for a lock: they and those
	// who blocked them. Nil if nobody was seen waiting.
	Tree *BlockingTree
}

// BlockingTree is who waited for whom at one moment.
type BlockingTree struct {
	SessionSample
	// Waiting is how many sessions waited for a lock; more than there are waiters
	// among Sessions if they were too many to keep.
	Waiting int
}

// WaitCount is how often sessions were seen in one state with one query. A
// second of one session is one sample at the usual rate; divided by the minute's
// samples it is the average number of sessions.
type WaitCount struct {
	Minute time.Time
	DBID   OID
	// QueryID is what the server said the session ran, 0 unknown. The history
	// finds the fingerprint by it, and answers with 0.
	QueryID     int64
	Fingerprint Fingerprint // 0 unknown
	// State is that of pg_stat_activity: active, idle in transaction,
	// idle in transaction (aborted), fastpath function call.
	State string
	// Type and Event are those of pg_stat_activity, both "" while running.
	Type    string
	Event   string
	Samples int
}

// SampledCall is one call of a statement, or one rest within a transaction,
// that was seen to last.
type SampledCall struct {
	PID         int
	DBID        OID
	UserID      OID
	Application string
	QueryID     int64       // 0 unknown
	Fingerprint Fingerprint // 0 unknown; of a rest, that of the last statement
	// State is active, or idle in transaction for a rest.
	State string
	// Start is when the call, or the rest, began; Seen when it was last seen to
	// go on.
	Start time.Time
	Seen  time.Time
	// Ended is when it was over: exactly if Exact, else the first sample without
	// it. Zero if it went on.
	Ended time.Time
	Exact bool
	// Aborted says that it left its transaction aborted.
	Aborted bool
	// XactStart is when its transaction began.
	XactStart time.Time
	// Waits counts its samples by what it waited for, "Lock:tuple"; "" is running.
	Waits map[string]int
	// BlockedBy are processes that were in its way when it was last seen to wait
	// for a lock.
	BlockedBy []int
}

// Length is how long the call was seen to last: until its end where that is
// known exactly, else until it was last seen.
func (c SampledCall) Length() time.Duration {
	if c.Exact {
		return c.Ended.Sub(c.Start)
	}
	return c.Seen.Sub(c.Start)
}

// Footprint is what a pass may have cost others.
type Footprint struct {
	// LongestLock is how long the longest transaction of ours lasted, the way to
	// the server included: no lock of ours was held for longer.
	LongestLock time.Duration
	// OldestXmin is the most transactions that a snapshot of ours held back, as
	// seen by the guard.
	OldestXmin int64
	// Stopped is how many statements of ours were cancelled because somebody
	// waited for them.
	Stopped int
}
