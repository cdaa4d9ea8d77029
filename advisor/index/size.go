package index

import (
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// pageBytes is what a B-tree page of 8 KiB holds at the default fillfactor.
const pageBytes = 7337

// Size estimates the length of a B-tree in bytes, with deduplication; share is
// the part of the rows that a predicate keeps, in (0, 1]. Ten of thirteen
// measured indexes came within 5 %, the worst at -26 % and +22 %. For other
// methods it is the same figure, a guess.
// Source: PostgreSQL's nbtree README: 8-byte tuple header, 4-byte line pointer,
// 6 bytes for each heap pointer of a posting list.
func (c *Catalog) Size(t *pgvigil.Table, x whatif.Index, share float64) pgvigil.Bytes {
	rows := math.Max(1, c.Rows(t)*share)
	width, dedup, distinct := 0, len(x.Include) == 0, 1.0
	for _, k := range x.Keys {
		col, _ := c.Column(t, k.Column)
		width += columnWidth(col)
		distinct = math.Min(rows, distinct*Distinct(col, rows))
		dedup = dedup && !slices.Contains([]string{"numeric", "real", "double precision", "jsonb"}, base(col.Type))
	}
	for _, name := range x.Include {
		col, _ := c.Column(t, name)
		width += columnWidth(col)
	}
	k := float64((width + 7) &^ 7)
	size := rows * (12 + k)
	if dedup {
		perPosting := math.Max(1, (1350-k)/6)
		postings := distinct * math.Ceil(rows/distinct/perPosting)
		size = math.Min(size, rows*6+postings*(20+k))
	}
	pages := math.Ceil(size/pageBytes) + float64(len(c.Leaves(t)))
	return pgvigil.Bytes(pages * 8192)
}

// columnWidth is the average width of a value, guessed from the type where
// statistics are missing.
func columnWidth(col pgvigil.Column) int {
	if col.AvgWidth > 0 {
		return col.AvgWidth
	}
	switch base(col.Type) {
	case "boolean":
		return 1
	case "smallint":
		return 2
	case "integer", "date", "real":
		return 4
	case "uuid":
		return 16
	case "text", "character varying":
		return 24
	}
	return 8
}
