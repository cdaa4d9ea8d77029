package main

import (
	"context"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

// spans are the moments between which an outcome is measured.
type spans struct {
	started time.Time // of the baseline
	fault   time.Time // its end, the start of the time with the fault
	applied time.Time
	until   time.Time
}

// measureOutcome compares each query of the proposal's evidence before the
// fault, with it, and after the fix, from the history alone. Intervals that
// contain one of the moments are left out.
func measureOutcome(ctx context.Context, h store.History, p pgvigil.Proposal, s spans) (*pgvigil.Outcome, error) {
	o := &pgvigil.Outcome{AppliedAt: s.applied, From: s.applied, To: s.until}
	for _, q := range p.Evidence.Queries {
		series, err := h.Series(ctx, pgvigil.SeriesFilter{Server: p.Server, Fingerprints: []pgvigil.Fingerprint{q.Fingerprint}})
		if err != nil {
			return nil, err
		}
		result := pgvigil.QueryOutcome{Fingerprint: q.Fingerprint}
		result.Baseline = profileOf(series, pgvigil.Window{From: s.started, To: s.fault})
		result.Before = profileOf(series, pgvigil.Window{From: s.fault, To: s.applied})
		result.After = profileOf(series, pgvigil.Window{From: s.applied, To: s.until})
		o.Queries = append(o.Queries, result)
	}
	return o, nil
}

// profileOf is what one call cost in the intervals that lie wholly in w.
func profileOf(list []pgvigil.Series, w pgvigil.Window) pgvigil.Profile {
	var sum pgvigil.Counters
	var span time.Duration
	for _, s := range list {
		for _, p := range s.Points {
			if p.Start.Before(w.From) || p.End.After(w.To) {
				continue
			}
			sum = sum.Add(p.Counters)
			span += p.End.Sub(p.Start)
		}
	}
	return sum.Profile(span)
}
