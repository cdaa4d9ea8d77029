package bloat

import (
	"math"

	"github.com/pgvigil/pgvigil"
)

// Sizes of B-tree pages and entries in bytes.
const (
	indexHeader  = 8  // of an entry
	indexNulls   = 8  // more, with padding, when the entry has a null bitmap
	btreeSpecial = 16 // at the end of each page
	tid          = 6  // of one row in a posting list
)

// Fill factors of B-tree pages in percent.
const (
	leafFill  = 90
	innerFill = 70
)

// Typical errors of B-tree estimates, as measured: without duplicates, with
// duplicates of one key column, and of several, whose combinations are guessed.
const (
	uniqueError   = 0.03
	dedupError    = 0.08
	combinedError = 0.20
)

// BTree is what the estimate of a B-tree needs.
type BTree struct {
	Pages      int64
	Rows       float64 // entries; NaN unknown
	FillFactor int     // percent, 0 for the default
	BlockSize  int     // bytes
	// Columns are the keys, then the payload.
	Columns []Column
	Keys    int // how many of Columns are keys
	// Dedup says that equal keys share an entry: not unique, no payload, types
	// whose equal values have equal bytes, not switched off.
	Dedup bool
}

// OfBTree estimates the share of a B-tree's pages that REINDEX would free; nil
// if it is small or the statistics of a column are unknown.
func OfBTree(b BTree) *pgvigil.Bloat {
	if b.Pages < minPages || math.IsNaN(b.Rows) || b.BlockSize <= 0 || len(b.Columns) == 0 {
		return nil
	}
	key, ok := b.entryWidth()
	if !ok {
		return nil
	}
	bytes, typical := b.Rows*(key+linePointer), uniqueError
	if varies(b.Columns) {
		typical = varyingError
	}
	if b.Dedup {
		merged, ok := b.mergedBytes(key)
		if !ok {
			return nil
		}
		if merged < bytes {
			bytes, typical = merged, dedupError
			if b.Keys > 1 {
				typical = combinedError
			}
		}
	}
	return estimate(b.Pages, b.pages(bytes, key), b.BlockSize, typical)
}

// entryWidth is the average width of an entry with header and padding.
func (b BTree) entryWidth() (float64, bool) {
	data := offset{mod: maxAlign}
	noNull := 1.0
	for _, c := range b.Columns {
		if math.IsNaN(c.Width) || math.IsNaN(c.NullFrac) {
			return 0, false
		}
		data.add(c)
		noNull *= 1 - c.NullFrac
	}
	data.align(maxAlign, 1)
	return indexHeader + (1-noNull)*indexNulls + data.at, true
}

// mergedBytes is what the leaf entries take when equal keys share posting
// lists; ok is false when the number of different keys is unknown. The nulls of
// a single key column are one group of their own.
func (b BTree) mergedBytes(key float64) (bytes float64, ok bool) {
	rows, nulls := b.Rows, 0.0
	if only := b.Columns[0]; b.Keys == 1 && only.NullFrac > 0 {
		nulls = b.Rows * only.NullFrac
		rows -= nulls
		if rows < 1 {
			return b.groupBytes(indexHeader+indexNulls, nulls), true
		}
		only.NullFrac = 0
		key, _ = BTree{Columns: []Column{only}}.entryWidth()
	}
	distinct, ok := b.distinct(rows)
	if !ok {
		return 0, false
	}
	bytes = distinct * b.meanGroupBytes(key, rows/distinct)
	if nulls > 0 {
		bytes += b.groupBytes(indexHeader+indexNulls, nulls)
	}
	return bytes, true
}

// distinct is the number of different keys of the given rows, taking columns as
// independent: an upper bound, so that bloat is rather missed than invented.
func (b BTree) distinct(rows float64) (float64, bool) {
	n := 1.0
	for _, c := range b.Columns[:b.Keys] {
		d := c.Distinct
		switch {
		case math.IsNaN(d) || d == 0:
			return 0, false
		case d < 0: // a share of all rows, those with nulls too
			d *= -b.Rows
		}
		if b.Keys > 1 && c.NullFrac > 0 {
			d++
		}
		n = math.Min(rows, n*math.Max(1, d))
	}
	return math.Max(1, n), true
}

// meanGroupBytes is groupBytes on average over keys that have mean rows each,
// spread as by Poisson: one row at least, mean-1 more.
func (b BTree) meanGroupBytes(key, mean float64) float64 {
	if mean > 50 {
		return b.groupBytes(key, mean)
	}
	bytes, chance := 0.0, math.Exp(1-mean)
	for more := 0.0; more < mean+10*math.Sqrt(mean)+10; more++ {
		bytes += chance * b.groupBytes(key, more+1)
		chance *= (mean - 1) / (more + 1)
	}
	return bytes
}

// groupBytes is what n rows of one key take: full posting lists, and the rest.
// A list takes at most a tenth of a page (nbtsort.c, _bt_load).
func (b BTree) groupBytes(key, n float64) float64 {
	limit := math.Floor(float64(b.BlockSize)/10/maxAlign)*maxAlign - linePointer
	fits := math.Max(1, math.Floor((limit-key)/tid))
	list := func(rows float64) float64 {
		if rows < 1 {
			return 0
		}
		if rows < 2 {
			return key + linePointer
		}
		return math.Ceil((key+tid*rows)/maxAlign)*maxAlign + linePointer
	}
	full := math.Floor(n / fits)
	return full*list(fits) + list(n-full*fits)
}

// pages is how many pages a fresh build takes: leaves, the levels above, and
// the meta page.
func (b BTree) pages(bytes, key float64) float64 {
	fill := float64(b.FillFactor)
	if fill <= 0 {
		fill = leafFill
	}
	room := float64(b.BlockSize - pageHeader - btreeSpecial)
	highKey := key + linePointer
	leaf := room - float64(b.BlockSize)*(100-fill)/100 - highKey
	level := math.Ceil(bytes / math.Max(highKey, leaf))
	fanout := math.Max(2, (room-float64(b.BlockSize)*(100-innerFill)/100)/highKey)
	total := 1 + level
	for level > 1 {
		level = math.Ceil(level / fanout)
		total += level
	}
	return total
}
