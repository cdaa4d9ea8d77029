package store

import (
	"context"
	"fmt"

	"github.com/pgvigil/pgvigil"
)

// invariants are the queries that count what must not be, with what to say of it.
var invariants = []struct{ query, problem string }{
	{"check_negative", "%d intervals have a counter that is negative or no number"},
	{"check_backwards", "%d intervals end before they begin"},
	{"check_overlap", "%d intervals begin before the last one of their statement ended"},
	{"check_twice", "%d statements have two intervals of one pass"},
	{"check_orphans", "%d intervals belong to no pass or no statement"},
	{"check_counts", "%d passes have more or fewer intervals than they were recorded with"},
	{"check_labels", "%d statements have a fingerprint without a query"},
	{"check_ids", "%d numbers are there twice"},
}

// Check implements History.
func (h *SQL) Check(ctx context.Context) (pgvigil.HistoryCheck, error) {
	var c pgvigil.HistoryCheck
	if err := h.explain(h.db.Scrub(ctx)); err != nil {
		return c, fmt.Errorf("check the history: %w", err)
	}
	err := h.read(ctx, func(q querier) error {
		c = pgvigil.HistoryCheck{Problems: []string{}}
		err := q.QueryRowContext(ctx, text("check_totals")).Scan(&c.Passes, &c.Statements, (*moment)(&c.From), (*moment)(&c.To))
		if err != nil {
			return fmt.Errorf("count passes: %w", err)
		}
		for _, in := range invariants {
			var n int64
			if err := q.QueryRowContext(ctx, text(in.query)).Scan(&n); err != nil {
				return fmt.Errorf("run %s: %w", in.query, err)
			}
			if n > 0 {
				c.Problems = append(c.Problems, fmt.Sprintf(in.problem, n))
			}
		}
		return checkBodies(ctx, q, &c)
	})
	if err != nil {
		return c, fmt.Errorf("check the history: %w", err)
	}
	c.OK = len(c.Problems) == 0
	return c, nil
}

// checkBodies looks whether what is remembered of each server can be read.
func checkBodies(ctx context.Context, q querier, c *pgvigil.HistoryCheck) error {
	ids, err := serverIDs(ctx, q)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, _, err := lastState(ctx, q, id); err != nil {
			c.Problems = append(c.Problems, fmt.Sprintf("the last snapshot of server %d cannot be read: %v", id, err))
		}
	}
	return nil
}
