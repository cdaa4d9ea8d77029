package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/interval"
)

// row is one interval as the history keeps it.
type row struct {
	statement int64
	pass      int64
	pgvigil.Interval
}

// scanner reads intervals; it is made once for a query.
type scanner struct {
	row  row
	dest []any
}

func newScanner() *scanner {
	s := &scanner{}
	r := &s.row
	s.dest = []any{&r.statement, &r.pass, (*moment)(&r.Start), (*moment)(&r.End), &r.Flags}
	for i := range r.Counters {
		s.dest = append(s.dest, (*real)(&r.Counters[i]))
	}
	return s
}

func (s *scanner) scan(rows *sql.Rows) (row, error) {
	if err := rows.Scan(s.dest...); err != nil {
		return row{}, fmt.Errorf("read an interval: %w", err)
	}
	return s.row, nil
}

// statement is what a statement's number stands for.
type statement struct {
	key         pgvigil.StatementKey
	fingerprint pgvigil.Fingerprint
}

// statementsOf returns the statements of a server by their numbers, all or
// those that bear some fingerprints.
func statementsOf(ctx context.Context, q querier, id pgvigil.ServerID, fps ...pgvigil.Fingerprint) (map[int64]statement, error) {
	all, err := readLabels(ctx, q, id, fps...)
	byID := make(map[int64]statement, len(all))
	for k, l := range all {
		byID[l.id] = statement{k, l.fingerprint}
	}
	return byID, err
}

// byPass orders intervals as Record added them up.
func byPass(a, b row) int {
	return cmp.Or(cmp.Compare(a.pass, b.pass), cmp.Compare(a.statement, b.statement))
}

// Series implements History.
func (h *SQL) Series(ctx context.Context, f pgvigil.SeriesFilter) ([]pgvigil.Series, error) {
	var list []pgvigil.Series
	err := h.read(ctx, func(q querier) error {
		statements, err := statementsOf(ctx, q, f.Server, f.Fingerprints...)
		if err != nil {
			return err
		}
		rows, err := readRows(ctx, q, f, wanted(statements, f))
		list = seriesOf(f.Server, rows, statements)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read series: %w", err)
	}
	return list, nil
}

// wanted returns the numbers of the statements that a filter lets through,
// nil for all.
func wanted(statements map[int64]statement, f pgvigil.SeriesFilter) []int64 {
	if f.Database == 0 && len(f.Fingerprints) == 0 {
		return nil
	}
	ids := []int64{}
	for id, s := range statements {
		if f.Database == 0 || s.key.DBID == f.Database {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func readRows(ctx context.Context, q querier, f pgvigil.SeriesFilter, ids []int64) ([]row, error) {
	var list []row
	from, to := bounds(f.Window)
	sc := newScanner()
	add := func(rows *sql.Rows) error {
		r, err := sc.scan(rows)
		list = append(list, r)
		return err
	}
	if ids == nil {
		err := each(ctx, q, ask("intervals_of_server", int64(f.Server), from, to), add)
		return list, err
	}
	for part := range slices.Chunk(ids, 5000) {
		r := ask("intervals_of_statements", from, to).of(idList(part))
		if err := each(ctx, q, r, add); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// seriesOf adds intervals up by series and pass.
func seriesOf(server pgvigil.ServerID, rows []row, statements map[int64]statement) []pgvigil.Series {
	slices.SortFunc(rows, byPass)
	at := map[pgvigil.SeriesKey]int{}
	last := map[pgvigil.SeriesKey]int64{}
	var list []pgvigil.Series
	for i := range rows {
		r := &rows[i]
		s := statements[r.statement]
		key := pgvigil.SeriesKey{Server: server, DBID: s.key.DBID, Fingerprint: s.fingerprint}
		n, ok := at[key]
		if !ok {
			n = len(list)
			at[key] = n
			list = append(list, pgvigil.Series{Key: key})
		}
		p := pgvigil.Point{Start: r.Start, End: r.End, Counters: r.Counters, Flags: r.Flags}
		points := list[n].Points
		if ok && last[key] == r.pass {
			points[len(points)-1] = interval.Merge(points[len(points)-1], p)
			continue
		}
		last[key] = r.pass
		list[n].Points = append(points, p)
	}
	slices.SortFunc(list, func(a, b pgvigil.Series) int {
		return cmp.Or(cmp.Compare(a.Key.DBID, b.Key.DBID), cmp.Compare(a.Key.Fingerprint, b.Key.Fingerprint))
	})
	return list
}

// Loads implements History.
func (h *SQL) Loads(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window, limit int) ([]pgvigil.LoadShare, error) {
	var list []pgvigil.LoadShare
	from, to := bounds(w)
	err := h.read(ctx, func(q querier) error {
		list = nil
		var all float64
		if err := q.QueryRowContext(ctx, text("load_of_server"), int64(id), from, to).Scan(&all); err != nil {
			return fmt.Errorf("read the load of the server: %w", err)
		}
		return each(ctx, q, ask("loads", int64(id), from, to, limit), func(rows *sql.Rows) error {
			l := pgvigil.LoadShare{Series: pgvigil.SeriesKey{Server: id}}
			var fp int64
			dest := []any{&l.Series.DBID, &fp}
			for i := range l.Counters {
				dest = append(dest, (*real)(&l.Counters[i]))
			}
			if err := rows.Scan(dest...); err != nil {
				return fmt.Errorf("read a load: %w", err)
			}
			l.Series.Fingerprint = pgvigil.Fingerprint(fp)
			l.Share = loadShare(l.Counters, all)
			list = append(list, l)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read loads: %w", err)
	}
	return list, nil
}

func loadShare(c pgvigil.Counters, all float64) float64 {
	own := 0.0
	for _, m := range []pgvigil.Metric{pgvigil.ExecMS, pgvigil.PlanMS} {
		if !math.IsNaN(c[m]) {
			own += c[m]
		}
	}
	if !(all > 0) {
		return 0
	}
	return math.Min(1, own/all)
}
