package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Compact implements History. A day is closed when all of it is older than
// Options.CloseAfter; each is one transaction, so that passes get their turn
// in between.
func (h *SQL) Compact(ctx context.Context) error {
	err := h.closeDays(ctx)
	if err == nil && h.opts.Keep > 0 {
		err = h.forget(ctx, h.opts.Now().Add(-h.opts.Keep))
	}
	if err == nil {
		err = h.db.Tidy(ctx)
	}
	if err != nil {
		return fmt.Errorf("compact the history: %w", err)
	}
	return nil
}

const day = 24 * time.Hour

func (h *SQL) closeDays(ctx context.Context) error {
	limit := h.opts.Now().UTC().Add(-h.opts.CloseAfter).Truncate(day)
	for {
		oldest, err := h.oldestRecent(ctx)
		if err != nil || oldest.IsZero() || !oldest.Before(limit) {
			return err
		}
		if err := h.closeUntil(ctx, oldest.Truncate(day).Add(day)); err != nil {
			return err
		}
	}
}

func (h *SQL) oldestRecent(ctx context.Context) (time.Time, error) {
	var oldest moment
	err := h.read(ctx, func(q querier) error {
		return q.QueryRowContext(ctx, text("oldest_recent")).Scan(&oldest)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("find the oldest interval: %w", err)
	}
	return time.Time(oldest), nil
}

func (h *SQL) closeUntil(ctx context.Context, to time.Time) error {
	columns := strings.Join(slices.Concat(intervalColumns, metricColumns), ", ")
	return h.write(ctx, func(tx *txn) error {
		if _, err := tx.ExecContext(ctx, textOf("close_intervals", ":columns", columns), to); err != nil {
			return fmt.Errorf("close the day before %s: %w", to.Format(time.DateOnly), err)
		}
		return tx.exec(ctx, "delete_closed", to)
	})
}

// expiring are the tables that lose their old rows, each with its time.
var expiring = []struct{ table, column string }{
	{"intervals_recent", "end_at"},
	{"intervals_closed", "end_at"},
	{"relation_intervals", "end_at"},
	{"relation_sizes", "measured_at"},
	{"database_points", "end_at"},
	{"server_points", "end_at"},
	{"session_samples", "sampled_at"},
	{"wait_minutes", "minute"},
	{"wait_counts", "minute"},
	{"events", "happened_at"},
	{"plans", "last_seen"},
	{"passes", "passed_at"},
}

// forget drops what happened before a time. Alerts, proposals and the lives of
// counters that are in force stay. A
// statement without intervals is dropped as well; the next pass that sees it
// adds it again, and its text is fetched anew.
func (h *SQL) forget(ctx context.Context, before time.Time) error {
	return h.write(ctx, func(tx *txn) error {
		for _, x := range expiring {
			drop := fmt.Sprintf("DELETE FROM %s WHERE %s < $1", x.table, x.column)
			if _, err := tx.ExecContext(ctx, drop, before.UTC()); err != nil {
				return fmt.Errorf("drop old rows of %s: %w", x.table, err)
			}
		}
		if err := tx.exec(ctx, "forget_incarnations"); err != nil {
			return err
		}
		return tx.exec(ctx, "forget_statements", before.UTC())
	})
}
