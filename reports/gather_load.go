package reports

import (
	"cmp"
	"context"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// changed is the factor of time per call from which a series is marked.
const changed = 1.5

// fewCalls is the number of calls under which a mean is no ground for a mark.
const fewCalls = 20

// readLoads takes the series that cost most, marked against the window of the
// same length before.
func (g *gatherer) readLoads(ctx context.Context) error {
	all, err := g.history.Loads(ctx, g.id(), g.window, allLoads)
	if err != nil {
		return err
	}
	before, err := g.previous(ctx)
	if err != nil {
		return err
	}
	g.server.SeriesSeen = len(all)
	slices.SortStableFunc(all, func(a, b pgvigil.LoadShare) int { return cmp.Compare(b.Share, a.Share) })
	for _, share := range all[:min(topLoads, len(all))] {
		l := Load{LoadShare: share}
		if before != nil {
			l.Before = before[share.Series]
			l.Mark = markOf(l.Before, share.Counters)
		}
		if l.Trend, err = g.trend(ctx, share.Series, g.window, sparkSteps); err != nil {
			return err
		}
		g.server.Loads = append(g.server.Loads, l)
	}
	return nil
}

// previous reads the window before; nil when the history does not reach back
// over all of it, since everything would seem new.
func (g *gatherer) previous(ctx context.Context) (map[pgvigil.SeriesKey]pgvigil.Counters, error) {
	w := pgvigil.Window{From: g.window.From.Add(-g.window.To.Sub(g.window.From)), To: g.window.From}
	if g.server.Info.FirstSeen.After(w.From) {
		return nil, nil
	}
	list, err := g.history.Loads(ctx, g.id(), w, allLoads)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	g.server.Previous = w
	before := make(map[pgvigil.SeriesKey]pgvigil.Counters, len(list))
	for _, l := range list {
		before[l.Series] = l.Counters
	}
	return before, nil
}

// markOf compares the time per call of two windows.
func markOf(before, now pgvigil.Counters) Mark {
	if !(before[pgvigil.Calls] > 0) {
		return MarkNew
	}
	if before[pgvigil.Calls] < fewCalls || now[pgvigil.Calls] < fewCalls {
		return MarkNone
	}
	switch f := now.PerCall(pgvigil.ExecMS) / before.PerCall(pgvigil.ExecMS); {
	case f >= changed:
		return MarkSlower
	case f <= 1/changed:
		return MarkFaster
	}
	return MarkNone
}

// urgency orders alerts: by severity, the live ones first, the dear ones first.
func urgency(a, b pgvigil.Alert) int {
	rank := map[pgvigil.Severity]int{pgvigil.Page: 0, pgvigil.Ticket: 1, pgvigil.ReportOnly: 2}
	dead := func(a pgvigil.Alert) int {
		if a.State.Live() {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank[a.Severity], rank[b.Severity]),
		cmp.Compare(dead(a), dead(b)),
		cmp.Compare(b.Verdict.ExtraMSPerHour, a.Verdict.ExtraMSPerHour),
		cmp.Compare(a.ID, b.ID),
	)
}

// byWorth orders proposals: verified before unverified before rejected, then
// by the planner cost that they save.
func byWorth(a, b pgvigil.Proposal) int {
	rank := map[pgvigil.ProofVerdict]int{pgvigil.Verified: 0, pgvigil.Unverified: 1, pgvigil.Rejected: 2}
	gain := func(p pgvigil.Proposal) pgvigil.Cost { return p.Evidence.CostBefore - p.Evidence.CostAfter }
	return cmp.Or(
		cmp.Compare(rank[a.Evidence.Verdict], rank[b.Evidence.Verdict]),
		cmp.Compare(gain(b), gain(a)),
		cmp.Compare(a.ID, b.ID),
	)
}
