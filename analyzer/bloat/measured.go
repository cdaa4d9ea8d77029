package bloat

import (
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// Typical errors of measured figures, as found: pgstattuple_approx takes pages
// that hold only visible rows from the free space map, and neither function
// sees line pointers that a vacuum emptied; pgstatindex does not tell entries
// of dead rows from others, nor which duplicates a rebuild would merge.
const (
	heapMeasureError  = 0.03
	btreeMeasureError = 0.03
	mergeMeasureError = 0.08 // one key column, whose duplicates merge
	manyMeasureError  = 0.12 // several
)

// maxMeasureError is the error past which a measurement says nothing.
const maxMeasureError = 0.25

// HeapMeasure is what pgstattuple_approx says of a table.
type HeapMeasure struct {
	Bytes     float64 // table_len
	Free      float64 // approx_free_space
	DeadBytes float64 // dead_tuple_len
	Dead      float64 // dead_tuple_count
	Rows      float64 // approx_tuple_count
}

// Measured turns a measurement of the table into what a rewrite would free; nil
// if the table is small. Of h it takes fill factor, block size and columns.
//
// What is neither free nor dead nor overhead of pages has to be written again:
// rows with their line pointers. Free space as such is no bloat: fillfactor
// leaves some in new pages too. What dropped columns hold the measurement counts
// as rows, and a rewrite leaves out: half of that is taken as bloat, and the
// error says so; where it would be large, or unknown, the figure is unknown.
func (h Heap) Measured(m HeapMeasure) *pgvigil.Bloat {
	h.Pages = int64(m.Bytes) / int64(max(1, h.BlockSize))
	if h.Pages < minPages {
		return nil
	}
	h.Rows = m.Rows
	size := figure{h.Pages, h.BlockSize}
	if width, ok := h.exactWidth(); ok {
		return size.of(h.pages(width), MeasuredHeap, heapMeasureError)
	}
	rows := math.Max(0, m.Bytes-m.Free-m.DeadBytes-m.Dead*(linePointer+maxAlign/2)-float64(h.Pages)*pageHeader)
	row := rows / math.Max(1, m.Rows)
	need := math.Ceil(rows / math.Max(row, h.room()-row/2))
	reformed, ok := h.reformed(need)
	typical := heapMeasureError + math.Abs(need-reformed)/2/float64(h.Pages)
	if !ok || typical > maxMeasureError {
		return nil
	}
	return size.of((need+reformed)/2, MeasuredHeap, typical)
}

// reformed is how many pages a rewrite needs by the statistics where it changes
// the rows: it leaves out dropped columns and writes the defaults of late ones.
// Elsewhere it is what the rows as they are need. ok is false when the width of
// the other columns is unknown.
func (h Heap) reformed(need float64) (pages float64, ok bool) {
	columns := slices.Clone(h.Columns)
	same := true
	for i := range columns {
		c := &columns[i]
		same = same && !c.Dropped && !c.Late
		if c.Dropped {
			*c = Column{Len: 1, Align: "c", NullFrac: 1}
		}
		c.Late = false
	}
	if same {
		return need, true
	}
	width, ok := rowWidth(columns, false)
	return h.pages(width), ok
}

// exactWidth is the width of every row, where the types alone decide it.
func (h Heap) exactWidth() (float64, bool) {
	for _, c := range h.Columns {
		if c.Len < 0 || c.Dropped || c.Late || c.NullFrac != 0 {
			return 0, false
		}
	}
	width, ok := rowWidth(h.Columns, false)
	return width, ok && len(h.Columns) > 0
}

// BTreeMeasure is what pgstatindex says of a B-tree.
type BTreeMeasure struct {
	Bytes       float64 // index_size
	LeafPages   float64
	LeafDensity float64 // avg_leaf_density, percent of the room of a leaf
	// Dead is the share of the table's rows, and so of the entries, that are
	// dead but not yet removed, in [0, 1].
	Dead float64
}

// Measured turns a measurement of the index into what REINDEX would free; nil
// if the index is small. What the leaves hold is laid into pages filled as a
// rebuild fills them: a density of 90 % is that of a perfect index, not 10 % of
// bloat. Of b it takes fill factor, block size and the layout of the columns;
// widths that are not known are taken from what there is.
func (b BTree) Measured(m BTreeMeasure) *pgvigil.Bloat {
	b.Pages = int64(m.Bytes) / int64(max(1, b.BlockSize))
	if b.Pages < minPages {
		return nil
	}
	if m.LeafPages == 0 || math.IsNaN(m.LeafDensity) {
		m.LeafPages, m.LeafDensity = 0, 0
	}
	key, known := b.entryWidth()
	if !known {
		key = unknownKey
	}
	room := float64(b.BlockSize - pageHeader - btreeSpecial)
	held := m.LeafPages * math.Max(0, room*m.LeafDensity/100-(key+linePointer)) * (1 - m.Dead)
	item, typical := key+linePointer, btreeMeasureError
	if b.Dedup {
		typical = mergeMeasureError
		if b.Keys > 1 {
			typical = manyMeasureError
		}
		if known && b.Rows > 0 {
			item = math.Max(item, math.Min(b.postingLimit(), held/b.Rows*2))
		}
	}
	return figure{b.Pages, b.BlockSize}.of(b.pages(load{held, item}, key), MeasuredBTree, typical+m.Dead/4)
}

// unknownKey is an ordinary entry, in bytes, where statistics are hidden.
const unknownKey = 24
