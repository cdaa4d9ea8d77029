package partition

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
)

// Thresholds say when a table asks to be partitioned.
type Thresholds struct {
	// MinBytes is the size, indexes included, from which on a table is looked at.
	MinBytes pgvigil.Bytes
	// MinShare is the share of query weight that must carry the key, in [0, 1].
	MinShare float64
	// MinRetention is the share of inserted rows that are deleted again, from
	// which on deletes by age alone are a reason.
	MinRetention float64
}

// DefaultThresholds follow CI systems of size: 100 GB is where one table hurts,
// a tenth of it leaves time.
var DefaultThresholds = Thresholds{MinBytes: 10 << 30, MinShare: 0.5, MinRetention: 0.3}

// Use is what one statement does with the table.
type Use struct {
	Work   int
	Verb   string
	Weight float64
	// Equal and Ranges are the columns that all rows must match.
	Equal, Ranges []string
}

// Strategy is how rows are told apart.
type Strategy string

// The strategies.
const (
	ByRange Strategy = "RANGE"
	ByList  Strategy = "LIST"
)

// Answer is a table that asks, with the key that it asks for.
type Answer struct {
	Table    *pgvigil.Table
	Strategy Strategy
	Column   pgvigil.Column
	// Share of the query weight that carries the key, in [0, 1].
	Share float64
	// Retention is deleted rows over inserted ones, in [0, 1]; ByAge says that
	// statements delete by the key.
	Retention float64
	ByAge     bool
	Bytes     pgvigil.Bytes
	// NotPruned are the uses that would look into every partition.
	NotPruned []Use
	// Values are all values of a list key.
	Values []string
	// Highest is the highest value of an integer range key by the statistics.
	Highest float64
}

// Asks returns the answer for one table; ok is false if it does not ask.
func (th Thresholds) Asks(c *index.Catalog, t *pgvigil.Table, uses []Use) (a Answer, ok bool) {
	if t.Kind != "r" || t.Parent != 0 || t.TotalBytes < th.MinBytes || len(uses) == 0 {
		return a, false
	}
	sum := c.Counters(t)
	a = Answer{Table: t, Bytes: t.TotalBytes}
	if sum.Inserted > 0 {
		a.Retention = math.Min(1, sum.Deleted/sum.Inserted)
	}
	best := -1.0
	for _, col := range t.Columns {
		s, fits := strategy(c, t, col)
		if !fits {
			continue
		}
		share, byAge := carries(col.Name, uses)
		reason := share >= th.MinShare || byAge && a.Retention >= th.MinRetention
		score := share
		if byAge {
			score += a.Retention
		}
		if reason && score > best {
			best = score
			a.Column, a.Strategy, a.Share, a.ByAge = col, s, share, byAge
		}
	}
	if best < 0 {
		return a, false
	}
	for _, u := range uses {
		if !u.carries(a.Column.Name) {
			a.NotPruned = append(a.NotPruned, u)
		}
	}
	slices.SortStableFunc(a.NotPruned, func(x, y Use) int { return cmp.Compare(y.Weight, x.Weight) })
	return a, true
}

// maxListValues is how many values a list key may have.
const maxListValues = 64

// strategy returns how a column could partition its table. A key must be set
// in every row; one that tells single rows apart is of use for ranges only.
func strategy(c *index.Catalog, t *pgvigil.Table, col pgvigil.Column) (Strategy, bool) {
	if !col.NotNull {
		return "", false
	}
	switch {
	case strings.HasPrefix(col.Type, "timestamp"), col.Type == "date":
		return ByRange, true
	case col.Type != "bigint" && col.Type != "integer" && col.Type != "smallint":
		return "", false
	}
	known := !math.IsNaN(col.Distinct) && col.Distinct != 0
	if known && index.Distinct(col, c.Rows(t)) <= maxListValues {
		return ByList, true
	}
	return ByRange, primary(c, t, col.Name)
}

// primary says whether the column leads the primary key: of the integers only
// such a one grows with time.
func primary(c *index.Catalog, t *pgvigil.Table, column string) bool {
	return slices.ContainsFunc(c.Indexes(t), func(x index.Existing) bool {
		return x.Primary && len(x.Parts.Keys) > 0 && x.Parts.Keys[0].Column == column
	})
}

// carries returns the share of the weight that names the column, and whether a
// delete goes by it.
func carries(column string, uses []Use) (share float64, byAge bool) {
	all, with := 0.0, 0.0
	for _, u := range uses {
		if u.Verb == "insert" && len(u.Equal)+len(u.Ranges) == 0 {
			continue // a row finds its partition by itself
		}
		all += u.Weight
		if u.carries(column) {
			with += u.Weight
			byAge = byAge || u.Verb == "delete" && slices.Contains(u.Ranges, column)
		}
	}
	if all == 0 {
		return 0, false
	}
	return with / all, byAge
}

func (u Use) carries(column string) bool {
	return slices.Contains(u.Equal, column) || slices.Contains(u.Ranges, column)
}
