package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pgvigil/pgvigil"
)

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// queryRow is a query for the table of queries.
func queryRow(q pgvigil.Query) ([]any, error) {
	body, err := pack(q)
	if err != nil {
		return nil, err
	}
	return []any{int64(q.Fingerprint), int64(q.Algorithm), string(q.Method), clean(q.Verb), clean(q.Text), body, q.Own()}, nil
}

func queryTable() Table {
	return Table{Name: "queries", Columns: []string{"fingerprint", "algorithm", "method", "verb", "query_text", "body", "own"}}
}

// keepQueries adds what this pass learned of texts. The first description of a
// fingerprint stays until a newer algorithm gives another.
func (r *recording) keepQueries(ctx context.Context) error {
	if len(r.snap.Queries)+len(r.snap.Waits.Queries)+len(r.snap.Log.Queries) == 0 {
		return nil
	}
	have := map[pgvigil.Fingerprint]int{}
	err := each(ctx, r.Tx, ask("query_versions"), func(rows *sql.Rows) error {
		var fp int64
		var algorithm int
		if err := rows.Scan(&fp, &algorithm); err != nil {
			return fmt.Errorf("read a query: %w", err)
		}
		have[pgvigil.Fingerprint(fp)] = algorithm
		return nil
	})
	if err != nil {
		return err
	}
	fresh := map[pgvigil.Fingerprint]pgvigil.Query{}
	seen := slices.AppendSeq(slices.Collect(maps.Values(r.snap.Queries)), maps.Values(r.snap.Waits.Queries))
	seen = slices.AppendSeq(seen, maps.Values(r.snap.Log.Queries))
	for _, q := range seen {
		algorithm, known := have[q.Fingerprint]
		if q.Fingerprint == 0 || q.Method == pgvigil.ByQueryID || known && algorithm >= q.Algorithm {
			continue
		}
		// Of several texts in one pass the smallest is kept, so that the order of
		// a map does not decide.
		if other, ok := fresh[q.Fingerprint]; !ok || q.Text < other.Text {
			fresh[q.Fingerprint] = q
		}
	}
	return r.putQueries(ctx, fresh)
}

// putQueries writes descriptions, in place of older ones.
func (tx *txn) putQueries(ctx context.Context, fresh map[pgvigil.Fingerprint]pgvigil.Query) error {
	if len(fresh) == 0 {
		return nil
	}
	fps := slices.Sorted(maps.Keys(fresh))
	if _, err := tx.ExecContext(ctx, textOf("delete_queries", ":ids", idList(fps))); err != nil {
		return fmt.Errorf("replace queries: %w", err)
	}
	t := queryTable()
	for _, fp := range fps {
		row, err := queryRow(fresh[fp])
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, row)
	}
	return tx.append(ctx, t)
}

// Queries implements History.
func (h *SQL) Queries(ctx context.Context, fps []pgvigil.Fingerprint) (map[pgvigil.Fingerprint]pgvigil.Query, error) {
	found := map[pgvigil.Fingerprint]pgvigil.Query{}
	err := h.read(ctx, func(q querier) error {
		for part := range slices.Chunk(fps, 1000) {
			if err := readQueries(ctx, q, part, found); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read queries: %w", err)
	}
	return found, nil
}

func readQueries(ctx context.Context, q querier, fps []pgvigil.Fingerprint, found map[pgvigil.Fingerprint]pgvigil.Query) error {
	err := eachQuery(ctx, q, ask("queries").of(idList(fps)), func(query pgvigil.Query) {
		found[query.Fingerprint] = query
	})
	if err != nil {
		return err
	}
	return each(ctx, q, ask("query_ids").of(idList(fps)), func(rows *sql.Rows) error {
		var fp, id int64
		if err := rows.Scan(&fp, &id); err != nil {
			return fmt.Errorf("read a query id: %w", err)
		}
		found[pgvigil.Fingerprint(fp)] = pgvigil.Query{
			Fingerprint: pgvigil.Fingerprint(fp), Method: pgvigil.ByQueryID, Verb: "unknown",
			Warnings: []pgvigil.Warning{{Code: "no-text", Text: fmt.Sprintf("the text of query id %d is not known", id)}},
		}
		return nil
	})
}

func eachQuery(ctx context.Context, q querier, r request, f func(pgvigil.Query)) error {
	return each(ctx, q, r, func(rows *sql.Rows) error {
		var fp int64
		var body []byte
		if err := rows.Scan(&fp, &body); err != nil {
			return fmt.Errorf("read a query: %w", err)
		}
		var one pgvigil.Query
		if err := unpack(body, &one); err != nil {
			return fmt.Errorf("read query %s: %w", pgvigil.Fingerprint(fp), err)
		}
		f(one)
		return nil
	})
}

// Relabel implements History.
func (h *SQL) Relabel(ctx context.Context, algorithm int, describe func(pgvigil.Query) pgvigil.Query) (int, error) {
	n := 0
	err := h.write(ctx, func(tx *txn) error {
		var old []pgvigil.Query
		err := eachQuery(ctx, tx.Tx, ask("all_queries", algorithm), func(q pgvigil.Query) { old = append(old, q) })
		if err != nil || len(old) == 0 {
			return err
		}
		fresh, moves := map[pgvigil.Fingerprint]pgvigil.Query{}, map[pgvigil.Fingerprint]pgvigil.Query{}
		fps := make([]pgvigil.Fingerprint, len(old))
		for i, q := range old {
			is := describe(q)
			fresh[is.Fingerprint], moves[q.Fingerprint], fps[i] = is, is, q.Fingerprint
		}
		if _, err := tx.ExecContext(ctx, textOf("delete_queries", ":ids", idList(fps))); err != nil {
			return fmt.Errorf("replace queries: %w", err)
		}
		if err := tx.putQueries(ctx, fresh); err != nil {
			return err
		}
		n = len(old)
		return tx.moveLabels(ctx, moves)
	})
	if err != nil {
		return 0, fmt.Errorf("relabel by algorithm %d: %w", algorithm, err)
	}
	return n, nil
}

// moveLabels puts new labels on the statements that bear old ones.
func (tx *txn) moveLabels(ctx context.Context, moves map[pgvigil.Fingerprint]pgvigil.Query) error {
	servers, err := serverIDs(ctx, tx.Tx)
	if err != nil {
		return err
	}
	changed := map[int64]label{}
	for _, id := range servers {
		all, err := readLabels(ctx, tx.Tx, id)
		if err != nil {
			return err
		}
		for _, l := range all {
			if q, ok := moves[l.fingerprint]; ok && l.method != pgvigil.ByQueryID {
				changed[l.id] = label{l.id, q.Fingerprint, q.Algorithm, q.Method}
			}
		}
	}
	if err := tx.relabel(ctx, changed); err != nil {
		return err
	}
	if err := tx.relabelPlans(ctx, moves); err != nil {
		return err
	}
	return tx.relabelWaits(ctx, moves)
}
