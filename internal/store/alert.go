package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pgvigil/pgvigil"
)

// SaveAlert implements History.
func (h *SQL) SaveAlert(ctx context.Context, a *pgvigil.Alert) error {
	saved := *a
	err := h.write(ctx, func(tx *txn) error {
		var err error
		if saved.ID, err = tx.replace(ctx, "alert", a.ID); err != nil {
			return err
		}
		body, err := pack(saved)
		if err != nil {
			return err
		}
		series := saved.Verdict.Series
		return tx.exec(ctx, "insert_alert", saved.ID, int64(series.Server), clean(saved.Target), clean(string(saved.State)), saved.State.Live(),
			clean(string(saved.Severity)), int64(series.Fingerprint), saved.Opened.UTC(), saved.Updated.UTC(), timeOrNull(saved.Closed), body)
	})
	if err != nil {
		return fmt.Errorf("save an alert of %s: %w", a.Target, err)
	}
	a.ID = saved.ID
	return nil
}

// replace makes room for a row: it returns a new id for 0, and removes the
// former row of any other, which must be there.
func (tx *txn) replace(ctx context.Context, kind string, id int64) (int64, error) {
	if id == 0 {
		return tx.nextID(ctx, kind+"s")
	}
	done, err := tx.ExecContext(ctx, text("delete_"+kind), id)
	if err != nil {
		return 0, fmt.Errorf("replace %s %d: %w", kind, id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return 0, fmt.Errorf("replace %s %d: %w", kind, id, ErrNotFound)
	}
	return id, nil
}

// Alerts implements History.
func (h *SQL) Alerts(ctx context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error) {
	from, to := bounds(f.Window)
	list, err := readBodies[pgvigil.Alert](ctx, h, "alerts", f.ID, int64(f.Server), clean(f.Target), f.Live, from, to)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return list, nil
}

// SaveProposal implements History.
func (h *SQL) SaveProposal(ctx context.Context, p *pgvigil.Proposal) error {
	saved := *p
	err := h.write(ctx, func(tx *txn) error {
		var err error
		if saved.ID, err = tx.replace(ctx, "proposal", p.ID); err != nil {
			return err
		}
		body, err := pack(saved)
		if err != nil {
			return err
		}
		return tx.exec(ctx, "insert_proposal", saved.ID, int64(saved.Server), clean(saved.Target), saved.Alert, clean(string(saved.Kind)),
			clean(string(saved.State)), saved.Drafted.UTC(), body)
	})
	if err != nil {
		return fmt.Errorf("save a proposal for %s: %w", p.Target, err)
	}
	p.ID = saved.ID
	return nil
}

// Proposals implements History.
func (h *SQL) Proposals(ctx context.Context, f pgvigil.ProposalFilter) ([]pgvigil.Proposal, error) {
	from, to := bounds(f.Window)
	list, err := readBodies[pgvigil.Proposal](ctx, h, "proposals", f.ID, int64(f.Server), f.Alert, from, to)
	if err != nil {
		return nil, fmt.Errorf("read proposals: %w", err)
	}
	return list, nil
}

// readBodies reads the packed values that a query selects beside their ids.
func readBodies[T any](ctx context.Context, h *SQL, query string, args ...any) ([]T, error) {
	var list []T
	err := h.read(ctx, func(q querier) error {
		list = nil
		return each(ctx, q, ask(query, args...), func(rows *sql.Rows) error {
			var id int64
			var body []byte
			if err := rows.Scan(&id, &body); err != nil {
				return fmt.Errorf("read a row of %s: %w", query, err)
			}
			var one T
			if err := unpack(body, &one); err != nil {
				return fmt.Errorf("read number %d of %s: %w", id, query, err)
			}
			list = append(list, one)
			return nil
		})
	})
	return list, err
}

// SaveState implements History.
func (h *SQL) SaveState(ctx context.Context, id pgvigil.ServerID, name string, blob []byte) error {
	err := h.write(ctx, func(tx *txn) error {
		if err := tx.exec(ctx, "delete_state", int64(id), clean(name)); err != nil || blob == nil {
			return err
		}
		return tx.exec(ctx, "insert_state", int64(id), clean(name), blob)
	})
	if err != nil {
		return fmt.Errorf("save state %s: %w", name, err)
	}
	return nil
}

// State implements History.
func (h *SQL) State(ctx context.Context, id pgvigil.ServerID, name string) ([]byte, error) {
	var blob []byte
	err := h.read(ctx, func(q querier) error {
		return ignoreNoRows(q.QueryRowContext(ctx, text("state"), int64(id), clean(name)).Scan(&blob))
	})
	if err != nil {
		return nil, fmt.Errorf("read state %s: %w", name, err)
	}
	return blob, nil
}
