package collector

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/bloat"
)

// table lays a table's shape over its counters, and estimates its bloat.
func (c *catalog) table(row *tableRow, blockSize int64) pgvigil.Table {
	t := row.Table
	s := c.tables[t.Key.RelID]
	t.Columns = slices.Clone(s.columns)
	t.PartitionKey, t.PartitionBound = s.key, s.bound
	if t.Kind != "p" {
		t.Bloat = bloat.OfHeap(c.heap(row, blockSize))
		t.TOAST.Bloat = bloat.OfTOAST(bloat.TOAST{Pages: t.TOAST.Pages, Chunks: row.toastChunks, BlockSize: int(blockSize)})
	}
	return t
}

// heap collects what the estimate of a table needs.
func (c *catalog) heap(row *tableRow, blockSize int64) bloat.Heap {
	return bloat.Heap{
		Pages: row.Pages, Rows: row.liveRows(), FillFactor: row.FillFactor, BlockSize: int(blockSize),
		Stale: row.stale(), Columns: c.tables[row.Key.RelID].layout,
	}
}

// index lays an index's shape over its counters, and estimates its bloat.
func (c *catalog) index(row *indexRow, table *tableRow, blockSize int64) pgvigil.Index {
	x := row.Index
	s := c.indexes[x.Key.RelID]
	if s == nil { // created between two queries; the next pass knows
		return x
	}
	x.Def, x.Predicate, x.Constraint = s.def, s.predicate, s.constraint
	for i, col := range s.columns {
		if i < s.keyCount {
			x.Keys = append(x.Keys, col.name)
		} else {
			x.Include = append(x.Include, col.name)
		}
	}
	if x.Method == "btree" && table != nil && table.Kind != "p" && x.Valid {
		x.Bloat = bloat.OfBTree(c.btree(row, s, table, blockSize))
	}
	return x
}

// btree collects what the estimate of a B-tree needs.
func (c *catalog) btree(row *indexRow, s *indexShape, table *tableRow, blockSize int64) bloat.BTree {
	b := bloat.BTree{
		Pages: row.Pages, Rows: row.liveRows(table, s.predicate != ""), FillFactor: row.fillFactor,
		BlockSize: int(blockSize), Keys: s.keyCount, Dedup: row.dedup && !row.Unique && s.keyCount == len(s.columns),
		TableRows: table.liveRows(), Stale: table.stale(), Partial: s.predicate != "",
	}
	shape := c.tables[table.Key.RelID]
	for i, col := range s.columns {
		layout := col.layout
		if col.attnum > 0 && col.attnum <= len(shape.layout) {
			of := shape.layout[col.attnum-1]
			layout.Width, layout.NullFrac, layout.Distinct = of.Width, of.NullFrac, of.Distinct
		}
		if s.excludesNull(col.name) {
			layout.NullFrac = 0
		}
		b.Columns = append(b.Columns, layout)
		if i < s.keyCount && !col.equal {
			b.Dedup = false
		}
	}
	return b
}

// excludesNull says that the predicate of a partial index asks that a column,
// named as the server quotes it, is not null.
func (s *indexShape) excludesNull(column string) bool {
	return strings.Contains(s.predicate, "("+column+" IS NOT NULL)") ||
		strings.Contains(s.predicate, "("+pgx.Identifier{column}.Sanitize()+" IS NOT NULL)")
}

// liveRows is the best count of an index's entries: the table's rows, or for a
// partial index its share of them when last counted.
func (i *indexRow) liveRows(table *tableRow, partial bool) float64 {
	rows := table.liveRows()
	switch {
	case !partial:
		return rows
	case i.rows < 0 || table.RelTuples <= 0:
		return math.NaN()
	}
	return rows * math.Min(1, i.rows/table.RelTuples)
}

// warnStatistics says when column statistics are hidden: tables were analyzed,
// yet no column of any has statistics.
func (v *visit) warnStatistics(c *catalog) {
	analyzed := 0
	for i := range v.tables {
		t := &v.tables[i]
		if t.RelTuples < 1 || t.LastAnalyze.IsZero() {
			continue
		}
		analyzed++
		for _, col := range c.tables[t.Key.RelID].layout {
			if !math.IsNaN(col.Width) {
				return
			}
		}
	}
	if analyzed > 0 {
		v.warn("no-statistics-rights",
			fmt.Sprintf("column statistics in database %s are hidden from the role, so bloat is unknown there", v.db.Name),
			"GRANT pg_read_all_data TO "+pgx.Identifier{v.user}.Sanitize())
	}
}
