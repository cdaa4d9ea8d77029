package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// keepServerPoint writes what the server did since the last pass and how it
// stands now.
func (r *recording) keepServerPoint(ctx context.Context) error {
	p := &r.step.Server
	state, err := pack(p.State)
	if err != nil {
		return err
	}
	row := []any{int64(r.server), r.pass, p.Start, p.End, int64(p.Flags), state}
	for _, m := range pgvigil.ServerMetrics {
		v, known := p.Counters[m.Metric]
		if !known {
			v = math.NaN()
		}
		row = append(row, orNull(v))
	}
	return r.append(ctx, Table{
		Name:    "server_points",
		Columns: slices.Concat([]string{"server_id", "pass_id", "start_at", "end_at", "flags", "state"}, serverColumns),
		Rows:    [][]any{row},
	})
}

// ServerPoints implements History.
func (h *SQL) ServerPoints(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.ServerPoint, error) {
	var list []pgvigil.ServerPoint
	from, to := bounds(w)
	err := h.read(ctx, func(q querier) error {
		list = nil
		return each(ctx, q, ask("server_points", int64(id), from, to), func(rows *sql.Rows) error {
			p, err := scanServerPoint(rows)
			list = append(list, p)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read what the server did: %w", err)
	}
	return list, nil
}

func scanServerPoint(rows *sql.Rows) (p pgvigil.ServerPoint, err error) {
	var state []byte
	values := make([]float64, len(pgvigil.ServerMetrics))
	dest := []any{(*moment)(&p.Start), (*moment)(&p.End), &p.Flags, &state}
	for i := range values {
		dest = append(dest, (*real)(&values[i]))
	}
	if err := rows.Scan(dest...); err != nil {
		return p, fmt.Errorf("read a point of a server: %w", err)
	}
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if p.Counters == nil {
			p.Counters = pgvigil.ServerCounters{}
		}
		p.Counters[pgvigil.ServerMetrics[i].Metric] = v
	}
	return p, unpack(state, &p.State)
}
