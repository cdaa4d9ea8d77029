package interval

import (
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Parts are the sums that coverage is made of; those of a window are those of
// its passes, added up.
type Parts struct {
	// SeenBlocks and SeenMS are of the intervals of top-level statements,
	// TrueBlocks and TrueMS of pg_stat_database over the same span. All four are
	// left out (zero) of a pass in which either is not known.
	SeenBlocks, TrueBlocks float64
	SeenMS, TrueMS         float64
	// OwnMS is the part of SeenMS that pgvigil's own statements took; the caller
	// knows them.
	OwnMS float64
	// SeenCalls is of all intervals. LostMin and LostMax bound the calls that
	// evictions hid; the latter is infinite if it cannot be known.
	SeenCalls, LostMin, LostMax float64
	// Rollbacks is of pg_stat_database; Covered is how long the intervals are.
	Rollbacks float64
	Covered   time.Duration
	// Evicted estimates the entries evicted, FirstSights counts those whose
	// earlier calls are unknown, Resets incarnations begun and entries reset alone.
	Evicted     int64
	FirstSights int
	Resets      int
	// Missed counts the passes that should have been before this one.
	Missed int
}

// Add returns the parts of both.
func (p Parts) Add(q Parts) Parts {
	return Parts{
		SeenBlocks: p.SeenBlocks + q.SeenBlocks, TrueBlocks: p.TrueBlocks + q.TrueBlocks,
		SeenMS: p.SeenMS + q.SeenMS, TrueMS: p.TrueMS + q.TrueMS, OwnMS: p.OwnMS + q.OwnMS,
		SeenCalls: p.SeenCalls + q.SeenCalls, LostMin: p.LostMin + q.LostMin, LostMax: p.LostMax + q.LostMax,
		Rollbacks: p.Rollbacks + q.Rollbacks, Covered: p.Covered + q.Covered,
		Evicted: p.Evicted + q.Evicted, FirstSights: p.FirstSights + q.FirstSights,
		Resets: p.Resets + q.Resets, Missed: p.Missed + q.Missed,
	}
}

// Coverage returns what the parts of so many successful passes say.
func (p Parts) Coverage(w pgvigil.Window, passes int) pgvigil.Coverage {
	c := pgvigil.Coverage{
		From: w.From, To: w.To, Passes: passes, Expected: passes + p.Missed,
		Time: share(p.SeenMS, p.TrueMS), Blocks: share(p.SeenBlocks, p.TrueBlocks),
		Own: share(p.OwnMS, p.SeenMS), Rollbacks: int64(p.Rollbacks),
		Evicted: p.Evicted, FirstSights: p.FirstSights, Resets: p.Resets,
	}
	c.CallsMin, c.CallsMax = share(p.SeenCalls, p.SeenCalls+p.LostMax), share(p.SeenCalls, p.SeenCalls+p.LostMin)
	c.Calls = within(c.Blocks, c.CallsMin, c.CallsMax)
	c.Gap = 1 - share(float64(p.Covered), float64(w.To.Sub(w.From)))
	if w.From.IsZero() || w.To.IsZero() {
		c.Gap = math.NaN()
	}
	c.Warnings = p.warnings(c)
	return c
}

// share returns seen over all in [0, 1], NaN if there was nothing. Statistics
// reach pg_stat_database with a delay of up to a second, so that a short span
// can show more than all.
func share(seen, all float64) float64 {
	if !(all > 0) {
		return math.NaN()
	}
	return math.Min(1, seen/all)
}

func (p Parts) warnings(c pgvigil.Coverage) []pgvigil.Warning {
	var list []pgvigil.Warning
	if p.Missed > 0 {
		list = append(list, pgvigil.Warning{
			Code: "passes-missed", Text: fmt.Sprintf("%d of %d passes are missing; the intervals around them are longer", p.Missed, c.Expected),
		})
	}
	if p.Evicted > 0 {
		list = append(list, pgvigil.Warning{
			Code: "pgss-evicted", Text: fmt.Sprintf("about %d entries of pg_stat_statements were evicted; work of rare statements is missing: between %s and %s of the calls",
				p.Evicted, percent(1-c.CallsMax), percent(1-c.CallsMin)),
			Remedy: "raise pg_stat_statements.max (needs a restart)",
		})
	}
	if c.Blocks < 0.7 {
		list = append(list, pgvigil.Warning{
			Code: "coverage-low", Text: fmt.Sprintf("the statements seen account for %.0f %% of the blocks that the databases touched", 100*c.Blocks),
		})
	}
	return list
}

// within returns an estimate inside its bounds; bounds that are one need none.
func within(estimate, least, most float64) float64 {
	if least == most {
		return least
	}
	return math.Max(least, math.Min(estimate, most))
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// cover adds up what this pass saw beside what there was.
func (d *differ) cover() {
	d.step.Warnings = d.snap.Warnings
	for i := range d.step.Statements {
		d.step.Coverage.SeenCalls += known(d.step.Statements[i].Counters[pgvigil.Calls])
	}
	for i := range d.step.Databases {
		d.step.Coverage.Rollbacks += known(d.step.Databases[i].Stats.Rollbacks)
	}
	sp, all := d.statementSpan, d.databaseSpan
	// After a restart the databases' counters may have been lost unnoticed.
	if sp.end.IsZero() || all.end.IsZero() || !sp.start.Equal(all.start) || d.databaseReset || d.lineage != same {
		return
	}
	c := &d.step.Coverage
	for i := range d.step.Statements {
		if iv := &d.step.Statements[i]; iv.Key.TopLevel {
			c.SeenBlocks += known(iv.Counters.Blocks())
			c.SeenMS += known(iv.Counters[pgvigil.ExecMS]) + known(iv.Counters[pgvigil.PlanMS])
		}
	}
	for i := range d.step.Databases {
		s := &d.step.Databases[i].Stats
		c.TrueBlocks += known(s.BlocksHit) + known(s.BlocksRead)
		c.TrueMS += known(s.ActiveMS)
	}
}

// known returns v, 0 for NaN.
func known(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
