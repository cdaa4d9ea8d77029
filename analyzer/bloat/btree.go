package bloat

import (
	"cmp"
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

// maxKeyWidth is the width from which on the server may compress a value that
// it puts into an index (TOAST_INDEX_TARGET, a sixteenth of a page): how wide
// it is there, statistics do not say.
const maxKeyWidth = 500

// Typical errors of B-tree estimates, as measured: without duplicates, with
// duplicates of one key column, and of several, whose combinations are guessed.
const (
	uniqueError   = 0.03
	dedupError    = 0.08
	combinedError = 0.20
)

// BTree is what the estimate of a B-tree needs.
type BTree struct {
	Pages int64
	Rows  float64 // entries; NaN unknown
	// TableRows are the rows of the table, which a partial index has a part of;
	// 0 for as many as entries.
	TableRows  float64
	FillFactor int     // percent, 0 for the default
	BlockSize  int     // bytes
	Stale      float64 // as in Heap
	// Partial indexes hold other values than the columns do on the whole.
	Partial bool
	// Columns are the keys, then the payload.
	Columns []Column
	Keys    int // how many of Columns are keys
	// Dedup says that equal keys share an entry: not unique, no payload, types
	// whose equal values have equal bytes, not switched off.
	Dedup bool
}

// OfBTree estimates the share of a B-tree's pages that REINDEX would free; nil
// if it is small, or the statistics of a column are unknown or too old, or a
// column is so wide that the index may compress it.
func OfBTree(b BTree) *pgvigil.Bloat {
	if b.Pages < minPages || math.IsNaN(b.Rows) || b.BlockSize <= 0 || len(b.Columns) == 0 {
		return nil
	}
	key, ok := b.entryWidth()
	if !ok {
		return nil
	}
	leaf, typical := load{b.Rows * (key + linePointer), key + linePointer}, uniqueError
	if varies(b.Columns) || b.Dedup {
		age, ok := aged(b.Stale)
		if !ok {
			return nil
		}
		typical = varyingError + age
	}
	if b.Dedup {
		merged, ok := b.merged(key)
		if !ok {
			return nil
		}
		if merged.bytes < leaf.bytes {
			leaf = merged
			typical += dedupError - varyingError
			if b.Keys > 1 || b.Partial {
				typical += combinedError - dedupError
			}
		}
	}
	return figure{b.Pages, b.BlockSize}.of(b.pages(leaf, key), Estimated, typical)
}

// load is what the leaf pages have to hold.
type load struct {
	bytes float64
	item  float64 // bytes of a typical item, with its line pointer
}

// entryWidth is the average width of an entry with header and padding.
func (b BTree) entryWidth() (float64, bool) {
	data := start()
	noNull := 1.0
	for _, c := range b.Columns {
		if math.IsNaN(c.Width) || math.IsNaN(c.NullFrac) || c.Len < 0 && c.Width > maxKeyWidth {
			return 0, false
		}
		data.add(c)
		noNull *= 1 - c.NullFrac
	}
	data.align(maxAlign)
	return indexHeader + (1-noNull)*indexNulls + data.at, true
}

// merged is what the leaf pages hold when equal keys share posting
// lists; ok is false when the number of different keys is unknown. The nulls of
// a single key column are one group of their own.
func (b BTree) merged(key float64) (leaf load, ok bool) {
	rows, nulls := b.Rows, 0.0
	if only := b.Columns[0]; b.Keys == 1 && only.NullFrac > 0 {
		nulls = b.Rows * only.NullFrac
		rows -= nulls
		if rows < 1 {
			return load{b.groupBytes(indexHeader+indexNulls, nulls), b.postingLimit()}, true
		}
		only.NullFrac = 0
		key, _ = BTree{Columns: []Column{only}}.entryWidth()
	}
	distinct, ok := b.distinct(rows)
	if !ok {
		return leaf, false
	}
	group := b.meanGroupBytes(key, rows/distinct)
	leaf = load{distinct * group, math.Min(group, b.postingLimit())}
	if nulls > 0 {
		leaf.bytes += b.groupBytes(indexHeader+indexNulls, nulls)
	}
	return leaf, true
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
		case d < 0: // a share of all rows of the table, those with nulls too
			d *= -cmp.Or(b.TableRows, b.Rows)
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

// postingLimit is the size of the largest posting list: a tenth of a page
// (nbtsort.c, _bt_load).
func (b BTree) postingLimit() float64 {
	return math.Floor(float64(b.BlockSize)/10/maxAlign)*maxAlign - linePointer
}

// groupBytes is what n rows of one key take: full posting lists, and the rest.
func (b BTree) groupBytes(key, n float64) float64 {
	fits := math.Max(1, math.Floor((b.postingLimit()-key)/tid))
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
// the meta page. Items do not span pages: half a one stays free on average.
func (b BTree) pages(leaf load, key float64) float64 {
	fill := float64(b.FillFactor)
	if fill <= 0 {
		fill = leafFill
	}
	room := float64(b.BlockSize - pageHeader - btreeSpecial)
	highKey := key + linePointer
	used := room - float64(b.BlockSize)*(100-fill)/100 - highKey - leaf.item/2
	level := math.Ceil(leaf.bytes / math.Max(highKey, used))
	fanout := math.Max(2, (room-float64(b.BlockSize)*(100-innerFill)/100)/highKey)
	total := 1 + level
	for level > 1 {
		level = math.Ceil(level / fanout)
		total += level
	}
	return total
}
