package interval

import (
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// ClockTolerance is how far the server's clock and ours may disagree about the
// distance of two snapshots before it is called a clock jump; 2 % of the
// distance is allowed on top.
const ClockTolerance = 2 * time.Second

// Step is what became of one snapshot.
type Step struct {
	// Previous is when the snapshot before was taken; zero for the first.
	Previous     time.Time
	Statements   []pgvigil.Interval // Server is left to the caller, as in Relations
	Relations    []pgvigil.RelationInterval
	Databases    []pgvigil.DatabasePoint
	Server       pgvigil.ServerPoint
	Events       []pgvigil.Event // likewise
	Incarnations []pgvigil.Incarnation
	Coverage     Parts
	Warnings     []pgvigil.Warning
}

// Next compares a snapshot with what is remembered of the last one (nil for
// the first) and returns what happened between and what to remember now.
// failed is the number of passes that failed in between. prev is not changed;
// the new state shares parts with prev and s.
func Next(prev *State, s *pgvigil.Snapshot, failed int) (Step, *State) {
	d := &differ{prev: prev, snap: s, failed: failed}
	d.next = &State{Server: s.Server, Last: Moment{s.At, s.Clock}, Settings: s.Settings}
	if prev == nil {
		d.prev = &State{}
	}
	d.lineage = lineageOf(prev, s)
	d.begin()
	d.statements()
	d.databases()
	d.settings()
	d.roles()
	d.server()
	d.serverPoint()
	d.cover()
	d.step.Events = group(d.step.Events)
	return d.step, d.next
}

// differ compares one snapshot with the state before it.
type differ struct {
	prev    *State // never nil
	snap    *pgvigil.Snapshot
	failed  int
	lineage lineage
	next    *State
	step    Step
	// statementSpan and databaseSpan must agree for coverage to mean anything.
	statementSpan span
	databaseSpan  span
	databaseReset bool
}

// lineage says how the counters of two snapshots are related.
type lineage int

const (
	first     lineage = iota // nothing was known
	same                     // the same postmaster
	restarted                // the same server, started again in between
	other                    // another postmaster: not comparable
)

// lineageOf tells a restart from another postmaster behind the same address:
// one that was up before the last snapshot cannot be the one that was read then.
func lineageOf(prev *State, s *pgvigil.Snapshot) lineage {
	if prev == nil || prev.Last.At.IsZero() {
		return first
	}
	was, is := prev.Server, s.Server
	switch {
	case was.SystemID != is.SystemID:
		return other
	case was.PostmasterStart.IsZero() || is.PostmasterStart.IsZero() || was.PostmasterStart.Equal(is.PostmasterStart):
		return same
	case !is.PostmasterStart.After(prev.Last.At), was.InRecovery != is.InRecovery:
		return other
	case resetMoved(prev.Statements.Read, s.Statements) && !s.Statements.Reset.After(prev.Last.At):
		return other
	}
	return restarted
}

// resetMoved says whether both reads know stats_reset and disagree.
func resetMoved(was, is pgvigil.StatementsRead) bool {
	return was.OK && is.OK && !was.Reset.IsZero() && !is.Reset.IsZero() && !was.Reset.Equal(is.Reset)
}

// begin notes what concerns the pass as a whole.
func (d *differ) begin() {
	if d.lineage == first {
		return
	}
	d.step.Previous = d.prev.Last.At
	length := d.snap.At.Sub(d.prev.Last.At)
	d.step.Coverage.Missed = max(d.failed, d.prev.missed(length))
	d.next.Lengths = d.prev.Lengths
	if d.step.Coverage.Missed == 0 && length > 0 {
		d.next.Lengths = append(slices.Clone(d.prev.Lengths), length)
		if n := len(d.next.Lengths); n > keptLengths {
			d.next.Lengths = d.next.Lengths[n-keptLengths:]
		}
	}
}

// span is the time between two reads of the same counters.
type span struct {
	start, end time.Time
	flags      pgvigil.IntervalFlag
}

// spanFrom returns the time from a former read to this snapshot.
func (d *differ) spanFrom(from Moment) span {
	s := span{start: from.At, end: d.snap.At}
	length := s.end.Sub(s.start)
	if !from.Clock.IsZero() && !d.snap.Clock.IsZero() {
		ours := d.snap.Clock.Sub(from.Clock)
		tolerance := ClockTolerance + time.Duration(0.02*math.Abs(float64(ours)))
		if (length - ours).Abs() > tolerance {
			s.flags |= pgvigil.ClockJump
		}
		if length <= 0 && ours > 0 {
			s.start = s.end.Add(-ours)
		}
	}
	if !s.start.Before(s.end) {
		s.flags |= pgvigil.ClockJump
		s.start = s.end.Add(-time.Millisecond)
	}
	if d.step.Coverage.Missed > 0 || !from.At.Equal(d.prev.Last.At) {
		s.flags |= pgvigil.SpansGap
	}
	return s
}

// since returns the span cut to begin at a reset, where that lies within.
func (s span) since(reset time.Time) span {
	s.flags |= pgvigil.AfterReset
	if reset.After(s.start) && reset.Before(s.end) {
		s.start = reset
	}
	return s
}

// server notes restarts and changes of role.
func (d *differ) server() {
	was, is := d.prev.Server, d.snap.Server
	switch d.lineage {
	case first:
		return
	case restarted, other:
		d.step.Events = append(d.step.Events, restartEvent(was, is, d.prev.Last.At))
	case same:
	}
	if was.InRecovery != is.InRecovery {
		d.event(pgvigil.Event{
			Kind: pgvigil.EventRoleChanged, Object: is.Target,
			Before: roleName(was.InRecovery), After: roleName(is.InRecovery), Source: "counters",
		})
	}
}

func restartEvent(was, is pgvigil.Server, since time.Time) pgvigil.Event {
	e := pgvigil.Event{
		Kind: pgvigil.EventRestart, At: is.PostmasterStart, Object: is.Version.String(),
		Before: was.Version.String(), After: is.Version.String(), Source: "counters",
	}
	if !e.At.After(since) { // it ran before: we were led to another postmaster
		e.Since = since
	}
	return e
}

func roleName(inRecovery bool) string {
	if inRecovery {
		return "standby"
	}
	return "primary"
}

// event adds an event that the comparison with the last snapshot showed; At
// and Since are filled in unless set.
func (d *differ) event(e pgvigil.Event) {
	if e.At.IsZero() {
		e.At, e.Since = d.snap.At, d.prev.Last.At
	}
	d.step.Events = append(d.step.Events, e)
}

func (d *differ) incarnation(kind pgvigil.IncarnationKind, since time.Time, proof string) {
	if since.IsZero() {
		since = d.snap.At
	}
	d.step.Incarnations = append(d.step.Incarnations, pgvigil.Incarnation{Kind: kind, Since: since, Proof: proof})
	if d.lineage != first {
		d.step.Coverage.Resets++
	}
}
