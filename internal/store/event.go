package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pgvigil/pgvigil"
)

func eventTable() Table {
	return Table{Name: "events", Columns: []string{
		"id", "server_id", "pass_id", "dbid", "happened_at", "since", "kind", "object", "table_name",
		"before_value", "after_value", "source", "event_count", "fingerprint",
	}}
}

// normal returns an event as it comes back from the history.
func normal(e pgvigil.Event) pgvigil.Event {
	e.At, e.Since = e.At.UTC().Truncate(precision), e.Since.UTC().Truncate(precision)
	e.Kind = pgvigil.EventKind(clean(string(e.Kind)))
	e.Object, e.Table, e.Before, e.After, e.Source = clean(e.Object), clean(e.Table), clean(e.Before), clean(e.After), clean(e.Source)
	return e
}

func eventRow(e *pgvigil.Event, pass int64) []any {
	return []any{
		e.ID, int64(e.Server), pass, int64(e.DBID), e.At, timeOrNull(e.Since), string(e.Kind), e.Object, e.Table,
		e.Before, e.After, e.Source, int64(e.Count), int64(e.Fingerprint),
	}
}

func scanEvent(rows *sql.Rows) (e pgvigil.Event, pass int64, err error) {
	var fingerprint sql.NullInt64
	err = rows.Scan(&e.ID, &e.Server, &pass, &e.DBID, (*moment)(&e.At), (*moment)(&e.Since), &e.Kind, &e.Object, &e.Table,
		&e.Before, &e.After, &e.Source, &e.Count, &fingerprint)
	e.Fingerprint = pgvigil.Fingerprint(fingerprint.Int64)
	if err != nil {
		err = fmt.Errorf("read an event: %w", err)
	}
	return e, pass, err
}

// Events implements History.
func (h *SQL) Events(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Event, error) {
	var list []pgvigil.Event
	from, to := bounds(w)
	err := h.read(ctx, func(q querier) error {
		list = nil
		return each(ctx, q, ask("events", int64(id), from, to), func(rows *sql.Rows) error {
			e, _, err := scanEvent(rows)
			list = append(list, e)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return list, nil
}

// AddEvent implements History.
func (h *SQL) AddEvent(ctx context.Context, e pgvigil.Event) (int64, error) {
	err := h.write(ctx, func(tx *txn) error {
		id, err := tx.nextID(ctx, "events")
		if err != nil {
			return err
		}
		e = normal(e)
		e.ID = id
		t := eventTable()
		t.Rows = [][]any{eventRow(&e, 0)}
		return tx.append(ctx, t)
	})
	if err != nil {
		return 0, fmt.Errorf("add an event: %w", err)
	}
	return e.ID, nil
}

// Incarnations implements History.
func (h *SQL) Incarnations(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Incarnation, error) {
	var list []pgvigil.Incarnation
	from, to := bounds(w)
	err := h.read(ctx, func(q querier) error {
		list = nil
		return each(ctx, q, ask("incarnations", int64(id), from, to), func(rows *sql.Rows) error {
			var in pgvigil.Incarnation
			err := rows.Scan(&in.Kind, (*moment)(&in.Since), &in.Proof, (*moment)(&in.Seen))
			if err != nil {
				return fmt.Errorf("read an incarnation: %w", err)
			}
			list = append(list, in)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read incarnations: %w", err)
	}
	return list, nil
}
