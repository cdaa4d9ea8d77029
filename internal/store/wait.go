package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// minuteBody is what is packed of a minute of sampling.
type minuteBody struct {
	Tree  *pgvigil.BlockingTree
	Calls []pgvigil.SampledCall
}

// keepWaits writes what was sampled since the last pass.
func (r *recording) keepWaits(ctx context.Context) error {
	w := &r.snap.Waits
	labels := queryLabels{}
	for k, l := range r.labels {
		if l.method != pgvigil.ByQueryID {
			labels.add(queryLabel{k.DBID, k.QueryID}, l.fingerprint)
		}
	}
	minutes := Table{Name: "wait_minutes", Columns: []string{"server_id", "pass_id", "minute", "samples", "cost_ms", "body"}}
	for i := range w.Minutes {
		m := &w.Minutes[i]
		body, err := pack(minuteBody{labels.tree(m.Tree), labels.calls(callsOf(w, i))})
		if err != nil {
			return err
		}
		minutes.Rows = append(minutes.Rows, []any{int64(r.server), r.pass, m.Start.UTC(), int64(m.Samples), inMS(m.Cost), body})
	}
	if err := r.append(ctx, minutes); err != nil {
		return err
	}
	counts := Table{Name: "wait_counts", Columns: []string{
		"server_id", "pass_id", "minute", "dbid", "queryid", "fingerprint", "state", "wait_type", "wait_event", "samples",
	}}
	for _, c := range w.Counts {
		counts.Rows = append(counts.Rows, []any{
			int64(r.server), r.pass, c.Minute.UTC(), int64(c.DBID), c.QueryID, int64(sampledLabel(c)),
			clean(c.State), clean(c.Type), clean(c.Event), int64(c.Samples),
		})
	}
	return r.append(ctx, counts)
}

// sampledLabel is the fingerprint of a session's text, or one made of its query id.
func sampledLabel(c pgvigil.WaitCount) pgvigil.Fingerprint {
	if c.Fingerprint == 0 && c.QueryID != 0 {
		return byQueryID(c.QueryID)
	}
	return c.Fingerprint
}

// callsOf returns the calls that are kept with the i-th minute: those last seen
// before the next begins, and, with the last one, the rest.
func callsOf(w *pgvigil.Waits, i int) (list []pgvigil.SampledCall) {
	for _, c := range w.Calls {
		from := i == 0 || !c.Seen.Before(w.Minutes[i].Start)
		to := i+1 == len(w.Minutes) || c.Seen.Before(w.Minutes[i+1].Start)
		if from && to {
			list = append(list, c)
		}
	}
	return list
}

// queryLabel is a query id in its database.
type queryLabel struct {
	dbid    pgvigil.OID
	queryID int64
}

// queryLabels are the fingerprints of statements by query id. What statements
// bear wins over what the text of a session gives, which may be cut.
type queryLabels map[queryLabel]pgvigil.Fingerprint

func (l queryLabels) add(k queryLabel, f pgvigil.Fingerprint) {
	if old, ok := l[k]; !ok || int64(f) < int64(old) { // as min() of a signed column
		l[k] = f
	}
}

func (l queryLabels) of(k queryLabel, otherwise pgvigil.Fingerprint) pgvigil.Fingerprint {
	if f, ok := l[k]; ok && k.queryID != 0 {
		return f
	}
	return otherwise
}

func (l queryLabels) tree(t *pgvigil.BlockingTree) *pgvigil.BlockingTree {
	if t == nil {
		return nil
	}
	labelled := *t
	labelled.Sessions = slices.Clone(t.Sessions)
	for i := range labelled.Sessions {
		s := &labelled.Sessions[i]
		s.Fingerprint = l.of(queryLabel{s.DBID, s.QueryID}, s.Fingerprint)
	}
	return &labelled
}

func (l queryLabels) calls(list []pgvigil.SampledCall) []pgvigil.SampledCall {
	list = slices.Clone(list)
	for i := range list {
		c := &list[i]
		c.Fingerprint = l.of(queryLabel{c.DBID, c.QueryID}, c.Fingerprint)
	}
	return list
}

// Waits implements History.
func (h *SQL) Waits(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) (pgvigil.Waits, error) {
	from, to := bounds(w)
	if !w.From.IsZero() {
		from = from.Add(-time.Minute)
	}
	var b waitBook
	err := h.read(ctx, func(q querier) error {
		b = waitBook{at: map[callKey]int{}}
		if err := each(ctx, q, ask("wait_minutes", int64(id), from, to), b.minute); err != nil {
			return err
		}
		return each(ctx, q, ask("wait_counts", int64(id), from, to), b.count)
	})
	if err != nil {
		return pgvigil.Waits{}, fmt.Errorf("read waits: %w", err)
	}
	slices.SortStableFunc(b.Calls, func(a, b pgvigil.SampledCall) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.PID, b.PID))
	})
	return b.Waits, nil
}

// callKey tells calls apart: a session makes one at a time.
type callKey struct {
	pid   int
	start int64
	state string
}

// waitBook adds up what several passes brought of the same minutes.
type waitBook struct {
	pgvigil.Waits
	at map[callKey]int
}

func (b *waitBook) minute(rows *sql.Rows) error {
	var m pgvigil.WaitMinute
	var cost float64
	var packed []byte
	var body minuteBody
	err := rows.Scan((*moment)(&m.Start), &m.Samples, &cost, &packed)
	if err == nil {
		err = unpack(packed, &body)
	}
	if err != nil {
		return fmt.Errorf("read a minute of sampling: %w", err)
	}
	m.Cost, m.Tree = fromMS(cost), body.Tree
	for _, c := range body.Calls {
		b.call(c)
	}
	if n := len(b.Minutes); n > 0 && b.Minutes[n-1].Start.Equal(m.Start) {
		b.Minutes[n-1] = together(b.Minutes[n-1], m)
		return nil
	}
	b.Minutes = append(b.Minutes, m)
	return nil
}

// together adds up two parts of one minute.
func together(a, b pgvigil.WaitMinute) pgvigil.WaitMinute {
	a.Samples += b.Samples
	a.Cost += b.Cost
	if a.Tree == nil || b.Tree != nil && b.Tree.Waiting > a.Tree.Waiting {
		a.Tree = b.Tree
	}
	return a
}

// call keeps the last account of each call.
func (b *waitBook) call(c pgvigil.SampledCall) {
	k := callKey{c.PID, c.Start.UnixMicro(), c.State}
	i, known := b.at[k]
	if !known {
		b.at[k] = len(b.Calls)
		b.Calls = append(b.Calls, c)
		return
	}
	if !c.Seen.Before(b.Calls[i].Seen) {
		b.Calls[i] = c
	}
}

func (b *waitBook) count(rows *sql.Rows) error {
	var c pgvigil.WaitCount
	var fp int64
	err := rows.Scan((*moment)(&c.Minute), &c.DBID, &fp, &c.State, &c.Type, &c.Event, &c.Samples)
	if err != nil {
		return fmt.Errorf("read a count of waits: %w", err)
	}
	c.Fingerprint = pgvigil.Fingerprint(fp)
	b.Counts = append(b.Counts, c)
	return nil
}

// relabelWaits puts new fingerprints on what was sampled without a query id.
func (tx *txn) relabelWaits(ctx context.Context, moves map[pgvigil.Fingerprint]pgvigil.Query) error {
	t := Table{Name: "relabels", Columns: []string{"id", "fingerprint", "algorithm", "method"}}
	for _, old := range slices.Sorted(maps.Keys(moves)) {
		q := moves[old]
		t.Rows = append(t.Rows, []any{int64(old), int64(q.Fingerprint), int64(q.Algorithm), string(q.Method)})
	}
	if err := tx.append(ctx, t); err != nil {
		return err
	}
	if err := tx.exec(ctx, "relabel_waits"); err != nil {
		return err
	}
	return tx.exec(ctx, "clear_relabels")
}
