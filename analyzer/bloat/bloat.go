// Package bloat says what rewriting a table or rebuilding a B-tree would free:
// from statistics alone, or from what pgstattuple measured. It is arithmetic:
// no I/O, nothing read.
//
// A figure is given only where its inputs are known; nil means unknown, never
// zero. Every figure carries the error that its method typically makes, measured
// against VACUUM FULL and REINDEX by the tests of the collector (docs/bloat.md).
//
// Source of the layouts: PostgreSQL manual, chapters "Database Page Layout" and
// "B-Tree Indexes"; src/backend/access/nbtree/README on deduplication.
package bloat

import (
	"math"

	"github.com/pgvigil/pgvigil"
)

// Methods of the figures.
const (
	Estimated     = "estimate"
	MeasuredHeap  = "pgstattuple_approx"
	MeasuredBTree = "pgstatindex"
)

// Sizes of the page layout in bytes.
const (
	pageHeader  = 24
	linePointer = 4
	maxAlign    = 8
	heapHeader  = 23 // of a tuple, before the null bitmap
)

// minPages is the size under which a share says nothing: one page more or less
// is noise.
const minPages = 10

// Column is how one column is stored.
type Column struct {
	// Len is attlen: bytes of a fixed length, -1 for varlena, -2 for cstring.
	Len int
	// Align is attalign: c, s, i or d for 1, 2, 4 and 8 bytes.
	Align string
	// Width is the average width of values that are not null, as stored, with
	// their length word; NaN unknown.
	Width float64
	// NullFrac is the share of nulls in [0, 1]; NaN unknown.
	NullFrac float64
	// Distinct is n_distinct of pg_stats: a count, or, if negative, a share of
	// the rows; NaN unknown.
	Distinct float64
	// Dropped columns stay in the rows that are older than the drop.
	Dropped bool
	// Late columns were added with a default that older rows do not store.
	Late bool
}

// Heap is what the estimate of a table needs.
type Heap struct {
	Pages      int64
	Rows       float64 // live; NaN unknown
	FillFactor int     // percent
	BlockSize  int     // bytes
	// Stale is how many rows changed since the columns were analyzed, as a share
	// of those there are; NaN unknown.
	Stale   float64
	Columns []Column
}

// shareError is the typical error of a heap estimate, when all columns have a
// fixed width and when some vary, as measured.
const (
	fixedError   = 0.02
	varyingError = 0.05
)

// Statistics of columns age: rows that came later may be of other widths. Each
// point of changed rows adds a quarter to the error; past the half, what is
// known is no longer about this table.
const (
	staleError = 0.25
	maxStale   = 0.5
)

// aged returns what stale statistics add to the error; ok is false when they
// are too old, or of unknown age.
func aged(stale float64) (doubt float64, ok bool) {
	return stale * staleError, stale <= maxStale
}

// OfHeap estimates the share of a table's pages that a rewrite would free; nil
// if the table is small, was never analyzed or too long ago, or has dropped a
// column of unknown width. A dropped column of known width is counted as half
// there, and the error says so.
func OfHeap(h Heap) *pgvigil.Bloat {
	if h.Pages < minPages || math.IsNaN(h.Rows) || h.BlockSize <= 0 {
		return nil
	}
	lean, ok := rowWidth(h.Columns, false)
	if !ok {
		return nil
	}
	fat, _ := rowWidth(h.Columns, true)
	need := (h.pages(lean) + h.pages(fat)) / 2
	doubt := (h.pages(fat) - h.pages(lean)) / 2 / float64(h.Pages)
	if !varies(h.Columns) { // the widths are the types'
		return figure{h.Pages, h.BlockSize}.of(need, Estimated, fixedError+doubt)
	}
	age, ok := aged(h.Stale)
	if !ok {
		return nil
	}
	return figure{h.Pages, h.BlockSize}.of(need, Estimated, varyingError+doubt+age)
}

// pages is how many pages freshly written rows of the given width fill. Rows
// do not span pages: those of one width leave the rest of a page free, those of
// many widths half a row on average.
func (h Heap) pages(width float64) float64 {
	row := width + linePointer
	perPage := math.Floor(h.room() / row)
	if varies(h.Columns) {
		perPage = (h.room() - row/2) / row
	}
	return math.Ceil(h.Rows / math.Max(1, perPage))
}

// room is what inserts may use of a page, in bytes.
func (h Heap) room() float64 {
	return float64(h.BlockSize-pageHeader) - float64(h.BlockSize)*float64(100-h.FillFactor)/100
}

func varies(columns []Column) bool {
	for _, c := range columns {
		if c.Len < 0 && !c.Dropped || c.NullFrac > 0 && c.NullFrac < 1 {
			return true
		}
	}
	return false
}

// figure is how large a relation is.
type figure struct {
	pages     int64
	blockSize int
}

// of turns the pages that a rewrite would need into a result; the share is
// never below 0.
func (f figure) of(need float64, method string, typical float64) *pgvigil.Bloat {
	share := math.Max(0, 1-need/float64(f.pages))
	return &pgvigil.Bloat{
		Share:  share,
		Bytes:  pgvigil.Bytes(share * float64(f.pages) * float64(f.blockSize)),
		Method: method,
		Error:  math.Min(1, typical),
	}
}

// rowWidth is the average width of a heap row with header and padding. With
// old it is that of rows from before columns were dropped or added; ok is
// false when the width of a column is unknown.
func rowWidth(columns []Column, old bool) (width float64, ok bool) {
	data := start()
	noNull := 1.0
	for _, c := range columns {
		switch {
		case c.Dropped && c.Len < 0:
			return 0, false
		case c.Dropped:
			c.Width, c.NullFrac = float64(c.Len), 1
			if old {
				c.NullFrac = 0
			}
		case c.Late && old:
			// Old rows end before it; the fat row keeps it, the lean one loses it.
		case c.Late:
			c.NullFrac = 1
		}
		if math.IsNaN(c.Width) || math.IsNaN(c.NullFrac) {
			return 0, false
		}
		data.add(c)
		noNull *= 1 - c.NullFrac
	}
	data.align(maxAlign)
	bare := roundUp(heapHeader, maxAlign)
	mapped := roundUp(heapHeader+(float64(len(columns))+7)/8, maxAlign)
	return noNull*bare + (1-noNull)*mapped + data.at, true
}

func roundUp(n, to float64) float64 { return math.Ceil(math.Floor(n)/to) * to }
