package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/interval"
)

// replayRows is about how many intervals a replay reads at a time.
const replayRows = 100_000

// passRow is a pass as the history keeps it.
type passRow struct {
	id           int64
	at, previous time.Time
	intervals    int
	parts        interval.Parts
	footprint    pgvigil.Footprint
	warnings     []pgvigil.Warning
}

// EachPass implements History. It reads a batch of passes at a time, so that
// its memory does not grow with the window.
func (h *SQL) EachPass(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window, f func(pgvigil.Recorded) error) error {
	var passes []passRow
	var statements map[int64]statement
	err := h.read(ctx, func(q querier) error {
		var err error
		if passes, err = readPasses(ctx, q, id, w); err != nil {
			return err
		}
		statements, err = statementsOf(ctx, q, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("replay the history: %w", err)
	}
	for len(passes) > 0 {
		n := batch(passes)
		var list []pgvigil.Recorded
		err := h.read(ctx, func(q querier) error {
			var err error
			list, err = player{q, id, statements}.replay(ctx, passes[:n])
			return err
		})
		if err != nil {
			return fmt.Errorf("replay the history: %w", err)
		}
		for _, r := range list {
			if err := f(r); err != nil {
				return err
			}
		}
		passes = passes[n:]
	}
	return nil
}

// batch returns how many passes to read at once, one at least.
func batch(passes []passRow) int {
	rows := 0
	for i := range passes {
		if rows += passes[i].intervals; rows > replayRows && i > 0 {
			return i
		}
	}
	return len(passes)
}

func readPasses(ctx context.Context, q querier, id pgvigil.ServerID, w pgvigil.Window) ([]passRow, error) {
	from, to := bounds(w)
	var list []passRow
	err := each(ctx, q, ask("passes", int64(id), from, to), func(rows *sql.Rows) error {
		var p passRow
		var warnings []byte
		var covered, held float64
		c := &p.parts
		err := rows.Scan(&p.id, (*moment)(&p.at), (*moment)(&p.previous), &p.intervals,
			&c.SeenBlocks, &c.TrueBlocks, &c.SeenMS, &c.TrueMS, &c.Evicted, &c.FirstSights, &c.Resets, &c.Missed,
			&c.OwnMS, &c.SeenCalls, &c.LostMin, &c.LostMax, &c.Rollbacks, &covered, &warnings,
			&held, &p.footprint.OldestXmin, &p.footprint.Stopped)
		c.Covered, p.footprint.LongestLock = fromMS(covered), fromMS(held)
		if err == nil {
			err = unpack(warnings, &p.warnings)
		}
		if err != nil {
			return fmt.Errorf("read a pass: %w", err)
		}
		list = append(list, p)
		return nil
	})
	return list, err
}

// player replays passes of one server, labelled as its statements are now.
type player struct {
	querier
	server     pgvigil.ServerID
	statements map[int64]statement
}

// replay returns what Record returned of some successive passes.
func (p player) replay(ctx context.Context, passes []passRow) ([]pgvigil.Recorded, error) {
	list := make([]pgvigil.Recorded, len(passes))
	at := make(map[int64]*pgvigil.Recorded, len(passes))
	for i, row := range passes {
		w := pgvigil.Window{From: row.previous, To: row.at}
		list[i] = pgvigil.Recorded{
			Server: p.server, Pass: row.id, Previous: row.previous, At: row.at,
			Coverage: row.parts.Coverage(w, 1), Footprint: row.footprint, Warnings: row.warnings,
		}
		at[row.id] = &list[i]
	}
	rows, err := p.rows(ctx, passes)
	if err != nil {
		return nil, err
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].pass == rows[0].pass {
			n++
		}
		if r := at[rows[0].pass]; r != nil {
			r.Points = p.points(rows[:n])
		}
		rows = rows[n:]
	}
	return list, p.addRest(ctx, passes, at)
}

func (p player) rows(ctx context.Context, passes []passRow) ([]row, error) {
	first, last := passes[0], passes[len(passes)-1]
	from, to := first.at, last.at
	for _, row := range passes { // not in order where the server's clock jumped back
		from, to = earlier(from, row.at), later(to, row.at)
	}
	var list []row
	sc := newScanner()
	r := ask("intervals_of_passes", int64(p.server), first.id, last.id, from, to)
	err := each(ctx, p, r, func(rows *sql.Rows) error {
		r, err := sc.scan(rows)
		list = append(list, r)
		return err
	})
	slices.SortFunc(list, byPass)
	return list, err
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (p player) points(rows []row) []pgvigil.SeriesPoint {
	list := make([]pgvigil.Interval, len(rows))
	names := make(map[pgvigil.StatementKey]pgvigil.Fingerprint, len(rows))
	for i := range rows {
		s := p.statements[rows[i].statement]
		list[i] = rows[i].Interval
		list[i].Server, list[i].Key = p.server, s.key
		names[s.key] = s.fingerprint
	}
	return interval.Points(list, func(k pgvigil.StatementKey) pgvigil.Fingerprint { return names[k] })
}

// addRest adds relations and events to passes.
func (p player) addRest(ctx context.Context, passes []passRow, at map[int64]*pgvigil.Recorded) error {
	args := []any{int64(p.server), passes[0].id, passes[len(passes)-1].id}
	err := each(ctx, p, ask("relation_intervals_of_passes", args...), func(rows *sql.Rows) error {
		iv, pass, err := scanRelationInterval(rows)
		iv.Server = p.server
		if r := at[pass]; r != nil {
			r.Relations = append(r.Relations, iv)
		}
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, p, ask("events_of_passes", args...), func(rows *sql.Rows) error {
		e, pass, err := scanEvent(rows)
		if r := at[pass]; r != nil {
			r.Events = append(r.Events, e)
		}
		return err
	})
}

// recordedAgain returns what recording the last pass of a server returned.
func recordedAgain(ctx context.Context, q querier, id pgvigil.ServerID, pass int64) (pgvigil.Recorded, error) {
	passes, err := readPasses(ctx, q, id, pgvigil.Window{})
	if err != nil {
		return pgvigil.Recorded{}, err
	}
	i := slices.IndexFunc(passes, func(p passRow) bool { return p.id == pass })
	if i < 0 {
		return pgvigil.Recorded{}, fmt.Errorf("find pass %d: %w", pass, ErrNotFound)
	}
	statements, err := statementsOf(ctx, q, id)
	if err != nil {
		return pgvigil.Recorded{}, err
	}
	list, err := player{q, id, statements}.replay(ctx, passes[i:i+1])
	if err != nil {
		return pgvigil.Recorded{}, err
	}
	return list[0], nil
}

// Coverage implements History.
func (h *SQL) Coverage(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) (pgvigil.Coverage, error) {
	var parts interval.Parts
	var passes int
	from, to := bounds(w)
	err := h.read(ctx, func(q querier) error {
		var first, end, last moment
		var covered float64
		err := q.QueryRowContext(ctx, text("coverage"), int64(id), from, to).Scan(&passes,
			&parts.SeenBlocks, &parts.TrueBlocks, &parts.SeenMS, &parts.TrueMS,
			&parts.Evicted, &parts.FirstSights, &parts.Resets, &parts.Missed,
			&parts.OwnMS, &parts.SeenCalls, &parts.LostMin, &parts.LostMax, &parts.Rollbacks, &covered, &first, &end, &last)
		if err != nil {
			return fmt.Errorf("add up passes: %w", err)
		}
		parts.Covered = fromMS(covered)
		if w.From.IsZero() {
			w.From = time.Time(first)
		}
		if w.To.IsZero() {
			w.To = time.Time(end)
		}
		n, err := failedSince(ctx, q, id, pgvigil.Window{From: later(time.Time(last), from), To: to})
		parts.Missed += n
		return err
	})
	if err != nil {
		return pgvigil.Coverage{}, fmt.Errorf("read coverage: %w", err)
	}
	return parts.Coverage(w, passes), nil
}

// failedSince counts the passes over a server's target that failed and that no
// later pass knows of.
func failedSince(ctx context.Context, q querier, id pgvigil.ServerID, w pgvigil.Window) (int, error) {
	var target string
	if err := q.QueryRowContext(ctx, text("target"), int64(id)).Scan(&target); err != nil {
		return 0, ignoreNoRows(err)
	}
	var n int
	if err := q.QueryRowContext(ctx, text("failures"), target, w.From, w.To).Scan(&n); err != nil {
		return 0, fmt.Errorf("count failed passes: %w", err)
	}
	return n, nil
}
