package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pgvigil/pgvigil"
)

// label is the fingerprint that a statement bears now.
type label struct {
	id          int64
	fingerprint pgvigil.Fingerprint
	algorithm   int
	method      pgvigil.QueryMethod
}

type labels map[pgvigil.StatementKey]label

func (l labels) fingerprint(k pgvigil.StatementKey) pgvigil.Fingerprint { return l[k].fingerprint }

// statementID names a statement in the history: 64 bits of a hash of server
// and key, so that it needs no look-up and no sequence. Two of a million
// statements share one with a chance of 3 in 100 million.
func statementID(server pgvigil.ServerID, k pgvigil.StatementKey) int64 {
	b := make([]byte, 0, 32)
	b = binary.BigEndian.AppendUint64(b, uint64(server))
	b = binary.BigEndian.AppendUint32(b, uint32(k.UserID))
	b = binary.BigEndian.AppendUint32(b, uint32(k.DBID))
	b = binary.BigEndian.AppendUint64(b, uint64(k.QueryID))
	if k.TopLevel {
		b = append(b, 1)
	}
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// byQueryID is the fingerprint of a statement without a text, made of its query
// id as query.ByQueryID makes it. It is replaced when a text comes.
func byQueryID(id int64) pgvigil.Fingerprint {
	sum := sha256.Sum256(strconv.AppendInt([]byte(string(pgvigil.ByQueryID)+"\x00"), id, 10))
	return pgvigil.Fingerprint(max(1, binary.BigEndian.Uint64(sum[:8])))
}

// readLabels returns the labels of all statements of a server, or of those
// that bear some fingerprints.
func readLabels(ctx context.Context, q querier, server pgvigil.ServerID, fps ...pgvigil.Fingerprint) (labels, error) {
	all := labels{}
	r := ask("labels", int64(server))
	if len(fps) > 0 {
		r = ask("labels_of_fingerprints", int64(server)).of(idList(fps))
	}
	err := each(ctx, q, r, func(rows *sql.Rows) error {
		var k pgvigil.StatementKey
		var l label
		var fp int64
		if err := rows.Scan(&l.id, &k.UserID, &k.DBID, &k.QueryID, &k.TopLevel, &fp, &l.algorithm, &l.method); err != nil {
			return fmt.Errorf("read a label: %w", err)
		}
		l.fingerprint = pgvigil.Fingerprint(fp)
		all[k] = l
		return nil
	})
	return all, err
}

// keepLabels adds the statements that are new and relabels those whose text
// came in this pass.
func (r *recording) keepLabels(ctx context.Context) error {
	var err error
	if r.labels, err = readLabels(ctx, r.Tx, r.server); err != nil {
		return err
	}
	statements := Table{Name: "statements", Columns: []string{
		"id", "server_id", "userid", "dbid", "queryid", "toplevel", "fingerprint", "algorithm", "method", "first_seen",
	}}
	changed := map[int64]label{}
	for i := range r.snap.Statements.List {
		k := r.snap.Statements.List[i].Key
		old, known := r.labels[k]
		is := r.labelOf(k, old, known)
		if known && is == old {
			continue
		}
		r.labels[k] = is
		if known {
			changed[is.id] = is
			continue
		}
		statements.Rows = append(statements.Rows, []any{
			is.id, int64(r.server), int64(k.UserID), int64(k.DBID), k.QueryID, k.TopLevel,
			int64(is.fingerprint), int64(is.algorithm), string(is.method), r.snap.At,
		})
	}
	if err := r.append(ctx, statements); err != nil {
		return err
	}
	return r.relabel(ctx, changed)
}

// labelOf returns the label of a statement after this pass: that of the text
// that came with it, unless an older algorithm made it, else the one it bore.
func (r *recording) labelOf(k pgvigil.StatementKey, old label, known bool) label {
	id := old.id
	if !known {
		id = statementID(r.server, k)
	}
	q, described := r.snap.Queries[k]
	switch {
	case described && q.Fingerprint != 0 && q.Method != pgvigil.ByQueryID && (!known || q.Algorithm >= old.algorithm):
		return label{id, q.Fingerprint, q.Algorithm, q.Method}
	case known:
		return old
	}
	return label{id, byQueryID(k.QueryID), 0, pgvigil.ByQueryID}
}

// relabel changes the labels of statements that are in the history.
func (tx *txn) relabel(ctx context.Context, changed map[int64]label) error {
	if len(changed) == 0 {
		return nil
	}
	t := Table{Name: "relabels", Columns: []string{"id", "fingerprint", "algorithm", "method"}}
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		l := changed[id]
		t.Rows = append(t.Rows, []any{id, int64(l.fingerprint), int64(l.algorithm), string(l.method)})
	}
	if err := tx.append(ctx, t); err != nil {
		return err
	}
	if err := tx.exec(ctx, "relabel"); err != nil {
		return err
	}
	return tx.exec(ctx, "clear_relabels")
}

// KnownTexts implements History.
func (h *SQL) KnownTexts(ctx context.Context, s pgvigil.Server) (map[pgvigil.StatementKey]int, error) {
	known := map[pgvigil.StatementKey]int{}
	err := h.read(ctx, func(q querier) error {
		var id pgvigil.ServerID
		err := q.QueryRowContext(ctx, text("server"), int64(s.SystemID), clean(s.Target)).Scan(&id)
		if err != nil {
			return ignoreNoRows(err)
		}
		all, err := readLabels(ctx, q, id)
		for k, l := range all {
			if l.method != pgvigil.ByQueryID {
				known[k] = l.algorithm
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the known statements of %s: %w", s.Target, err)
	}
	return known, nil
}
