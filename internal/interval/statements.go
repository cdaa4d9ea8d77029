package interval

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// sinceSlack is how much older than the last snapshot an entry's stats_since
// must be to say that the entry was there and could not be seen: server time
// passes between reading the clock and reading the entries.
const sinceSlack = 10 * time.Second

// statements compares the statements with the last complete read of them.
func (d *differ) statements() {
	read := d.snap.Statements
	if !read.OK {
		d.next.Statements = d.prev.Statements
		if d.lineage == other { // what is remembered is of another postmaster
			d.next.Statements = Statements{}
		}
		return
	}
	d.next.Statements = Statements{Moment{d.snap.At, d.snap.Clock}, read, partial(d.snap)}
	was := d.prev.Statements
	switch {
	case was.At.IsZero():
		d.incarnation(pgvigil.OfStatements, read.Reset, pgvigil.FirstRead)
		return
	case d.lineage == other:
		d.incarnation(pgvigil.OfStatements, read.Reset, "another postmaster")
		return
	}
	d.statementSpan = d.spanFrom(was.Moment)
	sp, wiped := d.statementSpan, false
	if resetMoved(was.Read, read) {
		wiped, sp = true, sp.since(read.Reset)
		d.incarnation(pgvigil.OfStatements, read.Reset, "stats_reset moved")
		d.event(pgvigil.Event{Kind: pgvigil.EventReset, At: read.Reset, Object: "statements", Source: "counters"})
	}
	runs := deallocRuns(was.Read, read, wiped)
	d.step.Coverage.Evicted = evicted(runs, read.Max)
	c := entryComparison{d: d, span: sp, wiped: wiped, evicting: runs != 0, cut: map[pgvigil.OID]int{}, leastUsed: math.Inf(1)}
	c.uncovered = was.Partial && !partial(d.snap)
	c.compare(was.Read.List, read.List)
	c.events()
	d.step.Coverage.Covered = sp.end.Sub(sp.start)
	d.step.Coverage.LostMin, d.step.Coverage.LostMax = c.lost(runs, read.Max, len(read.List)-len(was.Read.List))
}

// deallocRuns returns how often entries were evicted since the last read, -1
// if that cannot be known.
func deallocRuns(was, is pgvigil.StatementsRead, wiped bool) int64 {
	switch {
	case is.Dealloc < 0 || was.Dealloc < 0:
		return -1
	case wiped || is.Dealloc < was.Dealloc:
		return is.Dealloc
	}
	return is.Dealloc - was.Dealloc
}

// evicted estimates the entries that so many runs evicted: pg_stat_statements
// drops the 5 % that were executed least each time, at least 10.
// Source: pg_stat_statements.c, entry_dealloc.
func evicted(runs int64, limit int) int64 {
	return max(0, runs) * max(10, int64(limit)*5/100)
}

// entryComparison compares two complete reads entry by entry.
type entryComparison struct {
	d        *differ
	span     span
	wiped    bool // all entries count from zero
	evicting bool // entries were evicted in between, or that is unknown
	// uncovered says that the role got the right to see all entries meanwhile.
	uncovered bool
	// cut counts, by database, entries that vanished or shrank on their own.
	cut map[pgvigil.OID]int
	// entered counts those that were entered or entered again, leastUsed is how
	// often the one of those that stayed was used that was used least.
	entered   int
	leastUsed float64
}

// useDecay is what is left of an entry's usage after each run of evictions.
// Source: pg_stat_statements.c, USAGE_DECREASE_FACTOR.
const useDecay = 0.99

// lost bounds the calls that so many runs of evictions hid. Where there were
// fewer entries than were evicted and not seen to enter, each of those others
// was called once at least. None that was evicted had more calls since the last
// read than the least used of those that stayed, but for the decay of usage,
// which is one more than plans and calls at first.
func (c *entryComparison) lost(runs int64, limit, growth int) (least, most float64) {
	if runs < 0 {
		return 0, math.Inf(1)
	}
	n := float64(evicted(runs, limit))
	if n == 0 {
		return 0, 0
	}
	if c.wiped {
		growth = c.entered
	}
	return math.Max(0, n+float64(growth)-float64(c.entered)), n * (1 + c.leastUsed) / math.Pow(useDecay, float64(runs))
}

func (c *entryComparison) compare(was, is []pgvigil.Statement) {
	before := make(map[pgvigil.StatementKey]*pgvigil.Statement, len(was))
	for i := range was {
		before[was[i].Key] = &was[i]
	}
	for i := range is {
		if iv, ok := c.entry(before[is[i].Key], &is[i]); ok {
			c.d.step.Statements = append(c.d.step.Statements, iv)
		}
		delete(before, is[i].Key)
	}
	for key := range before {
		c.cut[key.DBID]++
	}
}

// entry returns what one entry did, false if it did nothing.
func (c *entryComparison) entry(was, is *pgvigil.Statement) (pgvigil.Interval, bool) {
	iv := pgvigil.Interval{Key: is.Key, Start: c.span.start, End: c.span.end, Flags: c.span.flags}
	switch {
	case was == nil && c.hidden(is):
		return iv, false
	case was == nil:
		c.entered++
		iv.Flags |= pgvigil.FirstSight
		iv.Counters = is.Counters
		if c.evicting {
			c.d.step.Coverage.FirstSights++
		}
	case c.wiped:
		c.entered++
		iv.Counters = is.Counters
	case restartedEntry(was, is):
		c.entered++
		c.cut[is.Key.DBID]++
		own := c.span.since(is.Since)
		iv.Start, iv.Flags, iv.Counters = own.start, own.flags, is.Counters
	default:
		c.leastUsed = math.Min(c.leastUsed, known(is.Counters[pgvigil.Calls])+known(is.Counters[pgvigil.Plans]))
		iv.Counters = difference(was.Counters, is.Counters)
	}
	return iv, anyPositive(iv.Counters[:])
}

// hidden says that an entry was, or may have been, there at the last read and
// could not be seen, for want of rights: its counters are of a longer time than
// this interval.
func (c *entryComparison) hidden(is *pgvigil.Statement) bool {
	if c.wiped {
		return false
	}
	if is.Since.IsZero() || c.span.flags&pgvigil.ClockJump != 0 {
		return c.uncovered
	}
	return is.Since.Before(c.span.start.Add(-sinceSlack))
}

// events reports entries that were reset on their own, which moves no
// stats_reset. Where entries are evicted, that explains it as well.
func (c *entryComparison) events() {
	if c.wiped || c.evicting {
		return
	}
	for _, dbid := range slices.Sorted(maps.Keys(c.cut)) {
		c.d.step.Coverage.Resets++
		c.d.event(pgvigil.Event{Kind: pgvigil.EventReset, DBID: dbid, Object: "statements", Source: "counters"})
	}
}

// restartedEntry says that an entry counts from zero since the last read: it
// was reset, or evicted and entered again.
func restartedEntry(was, is *pgvigil.Statement) bool {
	if !was.Since.IsZero() && !is.Since.IsZero() && !was.Since.Equal(is.Since) {
		return true
	}
	for m := range is.Counters {
		// The sum of squares is derived: rounding alone can shrink it.
		if is.Counters[m] < was.Counters[m] && pgvigil.Metric(m) != pgvigil.ExecSqMS {
			return true
		}
	}
	return false
}

// difference returns is - was of one entry that only grew.
func difference(was, is pgvigil.Counters) pgvigil.Counters {
	c := is.Sub(was)
	c[pgvigil.ExecSqMS] = squares(was, is)
	return c
}

// squares returns by how much the sum of squares grew, NaN unless that is known
// to 1 %: after 10^9 calls the few digits that calls of a two-hundredth of the
// usual time add are lost in it. The standard deviation that follows is within
// 2 % of itself or a tenth of the mean, whichever is more.
//
// Each call has the server round the sums of times and of squared deviations,
// each by half an ulp, in the same direction while calls take the same time;
// each read rounds a root, squares, a quotient and a product on top.
// Source of the sums: pg_stat_statements.c, pgss_store.
func squares(was, is pgvigil.Counters) float64 {
	calls := is[pgvigil.Calls] - was[pgvigil.Calls]
	if calls == 0 || is[pgvigil.ExecMS] == was[pgvigil.ExecMS] {
		return 0
	}
	before, after := was[pgvigil.ExecSqMS], is[pgvigil.ExecSqMS]
	rounding := 0x1p-53 * (10 + calls) * (before + after)
	if after-before < 100*rounding {
		return math.NaN()
	}
	return after - before
}

func anyPositive(values []float64) bool {
	for _, v := range values {
		if v > 0 {
			return true
		}
	}
	return false
}
