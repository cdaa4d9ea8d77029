package collector

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// callBook follows the calls of sessions, and their rests within transactions,
// from sample to sample. Each session is in one at a time.
type callBook struct {
	live map[int]*pgvigil.SampledCall // by process
	seen map[int]bool                 // in the sample at hand
	done []pgvigil.SampledCall
}

// longCall is how long a call lasts that is told of. maxCalls bounds how many
// are, and sameCalls how many ended ones of one query.
const (
	longCall  = time.Second
	maxCalls  = 200
	sameCalls = 20
)

func newCallBook() callBook {
	return callBook{live: map[int]*pgvigil.SampledCall{}, seen: map[int]bool{}}
}

const (
	active  = "active"
	resting = "idle in transaction"
	aborted = "idle in transaction (aborted)"
)

// follow takes one sighting of a session into account.
func (b *callBook) follow(x *sighting, fp pgvigil.Fingerprint, at time.Time) {
	b.seen[x.pid] = true
	if x.state != active {
		b.endExactly(x, fp, at)
	}
	if x.state == idle {
		return
	}
	start, state := x.queryStart, active
	if x.state != active {
		start, state = x.stateChange, resting
	}
	c := b.live[x.pid]
	if c == nil || !c.Start.Equal(start) || c.State != state {
		b.end(x.pid, at)
		c = b.begin(x, state, start)
	}
	if fp != 0 {
		c.Fingerprint = fp
	}
	c.Seen = at
	c.Aborted = x.state == aborted
	c.Waits[waitName(x)]++
}

func (b *callBook) begin(x *sighting, state string, start time.Time) *pgvigil.SampledCall {
	c := &pgvigil.SampledCall{
		PID: x.pid, DBID: x.dbid, UserID: x.user, Application: x.application, QueryID: x.text.queryID,
		State: state, Start: start, XactStart: x.xactStart, Waits: map[string]int{},
	}
	b.live[x.pid] = c
	return c
}

// waitName names what a session waits for, "" for running.
func waitName(x *sighting) string {
	if x.waitType == "" {
		return ""
	}
	return x.waitType + ":" + x.waitEvent
}

// endExactly ends the call that the session's state tells the end of: it is in
// this state since then. One that no sample saw is known by that alone.
func (b *callBook) endExactly(x *sighting, fp pgvigil.Fingerprint, at time.Time) {
	c := b.live[x.pid]
	if x.state == idle && (c == nil || !c.Start.Equal(x.queryStart)) {
		b.end(x.pid, at)
		c = b.begin(x, active, x.queryStart)
		c.Fingerprint, c.Seen = fp, x.stateChange
	}
	if c == nil || c.State != active || !c.Start.Equal(x.queryStart) {
		return
	}
	c.Ended, c.Exact, c.Aborted = x.stateChange, true, x.state == aborted
	b.close(x.pid)
}

// end ends what the session was in when it is in something else.
func (b *callBook) end(pid int, at time.Time) {
	if c := b.live[pid]; c != nil {
		c.Ended = at
		b.close(pid)
	}
}

// lose ends the calls of sessions that the sample did not show.
func (b *callBook) lose(at time.Time) {
	for pid := range b.live {
		if !b.seen[pid] {
			b.end(pid, at)
		}
	}
	clear(b.seen)
}

func (b *callBook) close(pid int) {
	if c := b.live[pid]; c.Length() >= longCall {
		b.done = append(b.done, *c)
		if len(b.done) >= 2*maxCalls {
			b.done = longest(b.done)
		}
	}
	delete(b.live, pid)
}

// take returns the calls that ended since it was last asked, and those that go
// on, in order of their start.
func (b *callBook) take() []pgvigil.SampledCall {
	list := longest(b.done)
	b.done = nil
	var live []pgvigil.SampledCall
	for _, c := range b.live {
		if c.Length() >= longCall {
			copied := *c
			copied.Waits = maps.Clone(c.Waits)
			live = append(live, copied)
		}
	}
	list = append(list, longest(live)...)
	slices.SortFunc(list, func(a, b pgvigil.SampledCall) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.PID, b.PID))
	})
	return list
}

// longest returns the longest calls, maxCalls and sameCalls of a query at most.
func longest(list []pgvigil.SampledCall) []pgvigil.SampledCall {
	slices.SortStableFunc(list, func(a, b pgvigil.SampledCall) int { return cmp.Compare(b.Length(), a.Length()) })
	same := map[pgvigil.Fingerprint]int{}
	var kept []pgvigil.SampledCall
	for _, c := range list {
		if same[c.Fingerprint] >= sameCalls || len(kept) >= maxCalls {
			continue
		}
		same[c.Fingerprint]++
		kept = append(kept, c)
	}
	return kept
}
