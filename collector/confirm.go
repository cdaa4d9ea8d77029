package collector

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/bloat"
)

// BloatBudget bounds what confirming estimates of bloat by pgstattuple may cost
// a target: its functions read whole relations and hold ACCESS SHARE meanwhile.
// The zero value of each means its default.
type BloatBudget struct {
	// Floor is the estimated waste, and a quarter of the size where nothing could
	// be estimated, from which on a relation is worth it; 16 MiB.
	Floor pgvigil.Bytes
	// PassBytes is what one pass may read, and so the largest relation that is
	// confirmed; 1 GiB. Negative: nothing is confirmed.
	PassBytes pgvigil.Bytes
	DayBytes  pgvigil.Bytes // of any 24 hours; 32 GiB
	// CallTime is the statement_timeout of one measurement; 2 s.
	CallTime time.Duration
	PassTime time.Duration // of all of one pass; 5 s
	DayTime  time.Duration // of any 24 hours; 2 min
}

func (b BloatBudget) withDefaults() BloatBudget {
	return BloatBudget{
		Floor: cmp.Or(b.Floor, 16<<20), PassBytes: cmp.Or(b.PassBytes, 1<<30), DayBytes: cmp.Or(b.DayBytes, 32<<30),
		CallTime: cmp.Or(b.CallTime, 2*time.Second), PassTime: cmp.Or(b.PassTime, 5*time.Second), DayTime: cmp.Or(b.DayTime, 2*time.Minute),
	}
}

// suspect is a relation that may be confirmed.
type suspect struct {
	key    pgvigil.RelationKey
	index  bool
	pages  int64
	writes float64
	rows   float64 // of its table
	bloat  **pgvigil.Bloat
	// free is the estimated waste, or, where there is none, the size less
	// everything: unknown ones come after the known.
	free  pgvigil.Bytes
	known bool
	// judge turns the answer of pgstattuple into a figure.
	judge func(pgx.Row) (*pgvigil.Bloat, error)
}

// confirm replaces estimates by what was measured, and measures the most
// suspicious relations that are not yet, within the budget. Whatever cannot be
// measured now keeps its estimate.
func (v *visit) confirm(ctx context.Context) error {
	suspects := v.suspects()
	v.recallMeasured(suspects)
	if !v.due || v.snap.Server.InRecovery || v.Bloat.PassBytes < 0 {
		return nil
	}
	suspects = v.worthwhile(suspects)
	if len(suspects) == 0 {
		return nil
	}
	schemas, err := v.readMeasures(ctx)
	if err != nil {
		return err
	}
	shares, err := v.readShares(ctx, suspects)
	if err != nil {
		return err
	}
	for _, s := range suspects {
		schema, may := schemas[s.index]
		cost := pgvigil.Bytes(float64(s.pages*v.blockSize) * shares[s.key.RelID])
		if may && v.affords(cost) {
			v.measure(ctx, s, schema, cost)
		}
	}
	return nil
}

// suspects lists all relations that pgstattuple understands.
func (v *visit) suspects() []suspect {
	var list []suspect
	tables := map[pgvigil.OID]*tableRow{}
	c := v.catalog()
	for i := range v.tables {
		row := &v.tables[i]
		tables[row.Key.RelID] = row
		if row.Kind == "p" {
			continue
		}
		s := v.suspect(row.Key, row, row.Pages, &v.db.Tables[i].Bloat)
		s.judge = func(answer pgx.Row) (*pgvigil.Bloat, error) { return judgeTable(answer, c.heap(row, v.blockSize)) }
		list = append(list, s)
	}
	for i := range v.indexes {
		row := &v.indexes[i]
		table, shape := tables[row.TableID], c.indexes[row.Key.RelID]
		if row.Method != "btree" || !row.Valid || table == nil || table.Kind == "p" || shape == nil {
			continue
		}
		s := v.suspect(row.Key, table, row.Pages, &v.db.Indexes[i].Bloat)
		s.index = true
		s.judge = func(answer pgx.Row) (*pgvigil.Bloat, error) {
			return judgeIndex(answer, c.btree(row, shape, table, v.blockSize), table.Counters)
		}
		list = append(list, s)
	}
	return list
}

func (v *visit) suspect(key pgvigil.RelationKey, table *tableRow, pages int64, b **pgvigil.Bloat) suspect {
	rows := table.liveRows()
	if math.IsNaN(rows) {
		rows = table.Counters.LiveTuples
	}
	s := suspect{key: key, pages: pages, bloat: b, writes: written(table.Counters), rows: math.Max(1, rows)}
	if *b != nil {
		s.free, s.known = (*b).Bytes, true
	} else {
		s.free = pgvigil.Bytes(pages * v.blockSize / 4)
	}
	return s
}

// worthwhile returns what is not measured yet and large enough, the largest
// estimated waste first, then the largest of unknown waste.
func (v *visit) worthwhile(all []suspect) []suspect {
	list := slices.DeleteFunc(all, func(s suspect) bool {
		_, measured := v.memory.measured[s.key]
		return measured || s.free < v.Bloat.Floor
	})
	slices.SortFunc(list, func(a, b suspect) int {
		if a.known != b.known {
			if a.known {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.free, a.free), cmp.Compare(a.key.RelID, b.key.RelID))
	})
	return list[:min(len(list), suspectsPerPass)]
}

// suspectsPerPass bounds how many relations of a database one pass measures.
const suspectsPerPass = 50

// readMeasures returns the schema of pgstattuple's functions that the role may
// call: for tables (false) and for indexes (true).
func (v *visit) readMeasures(ctx context.Context) (map[bool]string, error) {
	rows, err := v.conn.Query(ctx, load("bloat_functions"))
	if err != nil {
		return nil, err
	}
	schemas := map[bool]string{}
	var index bool
	var schema string
	_, err = pgx.ForEachRow(rows, []any{&index, &schema}, func() error {
		schemas[index] = schema
		return nil
	})
	return schemas, err
}

// readShares returns which part of each relation its measurement has to read.
func (v *visit) readShares(ctx context.Context, suspects []suspect) (map[pgvigil.OID]float64, error) {
	ids := make([]int64, len(suspects))
	for i, s := range suspects {
		ids[i] = int64(s.key.RelID)
	}
	rows, err := v.conn.Query(ctx, load("bloat_shares"), ids)
	if err != nil {
		return nil, err
	}
	shares := map[pgvigil.OID]float64{}
	var oid pgvigil.OID
	var share float64
	_, err = pgx.ForEachRow(rows, []any{&oid, &share}, func() error {
		shares[oid] = share
		return nil
	})
	return shares, err
}

// affords says whether the budgets of the pass and of the last 24 hours leave
// room for reading so much.
func (v *visit) affords(cost pgvigil.Bytes) bool {
	day := spending{}
	v.memory.spent = slices.DeleteFunc(v.memory.spent, func(s spending) bool { return v.Now().Sub(s.at) >= 24*time.Hour })
	for _, s := range v.memory.spent {
		day.bytes += s.bytes
		day.took += s.took
	}
	b := v.Bloat
	return v.spent.bytes+cost <= b.PassBytes && day.bytes+cost <= b.DayBytes && v.spent.took < b.PassTime && day.took < b.DayTime
}

// measure measures one relation. A measurement that was cancelled, because
// somebody waited or time was up, or that would have waited itself, is not made
// now; its cost counts all the same.
func (v *visit) measure(ctx context.Context, s suspect, schema string, cost pgvigil.Bytes) {
	began := v.Now()
	b, err := v.measureWithin(ctx, s, schema)
	m := measurement{tried: v.Now(), pages: s.pages, writes: s.writes, rests: measureAge}
	switch {
	case err != nil:
		m.rests = notNow
	case b != nil:
		b.At = v.snap.At
		m.bloat, *s.bloat = b, b
	}
	v.memory.measured[s.key] = m
	spent := spending{at: m.tried, bytes: cost, took: m.tried.Sub(began)}
	v.memory.spent = append(v.memory.spent, spent)
	v.spent.bytes += spent.bytes
	v.spent.took += spent.took
	v.Log.Debug("bloat measured", "target", v.target.Name, "database", v.db.Name, "relation", s.key.RelID,
		"bytes", int64(cost), "took", spent.took, "outcome", sqlState(err))
}

func (v *visit) measureWithin(ctx context.Context, s suspect, schema string) (*pgvigil.Bloat, error) {
	tx, err := v.conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(ctx) }() // it wrote nothing
	limit := min(v.Bloat.CallTime, v.Bloat.PassTime-v.spent.took)
	if _, err := tx.Exec(ctx, load("bloat_timeout"), max(1, limit.Milliseconds())); err != nil {
		return nil, err
	}
	name := "bloat_of_table"
	if s.index {
		name = "bloat_of_index"
	}
	return s.judge(tx.QueryRow(ctx, extension{Schema: schema}.qualify(load(name)), int64(s.key.RelID)))
}

func judgeTable(answer pgx.Row, h bloat.Heap) (*pgvigil.Bloat, error) {
	var m bloat.HeapMeasure
	if err := answer.Scan(&m.Bytes, &m.Free, &m.DeadBytes, &m.Dead, &m.Rows); err != nil {
		return nil, err
	}
	return h.Measured(m), nil
}

func judgeIndex(answer pgx.Row, b bloat.BTree, n pgvigil.TableCounters) (*pgvigil.Bloat, error) {
	m := bloat.BTreeMeasure{Dead: n.DeadTuples / math.Max(1, n.LiveTuples+n.DeadTuples)}
	if err := answer.Scan(&m.Bytes, &m.LeafPages, &m.LeafDensity); err != nil {
		return nil, err
	}
	return b.Measured(m), nil
}
