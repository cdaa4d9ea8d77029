package index

import (
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Writes are the changes to one table, by any unit of time.
type Writes struct {
	Inserts, Updates, Deletes, HOTUpdates float64
	// Sets are the columns that statements set, each with the share of updates
	// that set it, in [0, 1].
	Sets map[string]float64
}

// Overhead estimates the growth of a table's write work by index x: entries
// written with it over entries (and tuples) written without, minus 1. It is
// NaN without any write. LosesHOT are the updated columns that the index would
// put in the way of HOT.
func (c *Catalog) Overhead(t *pgvigil.Table, x whatif.Index, share float64, w Writes) (overhead float64, losesHOT []string) {
	columns := slices.Concat(x.Include, columnsOf(t, x))
	lost := 0.0
	for name, part := range w.Sets {
		if slices.Contains(columns, name) {
			losesHOT = append(losesHOT, name)
			lost = math.Max(lost, part)
		}
	}
	slices.Sort(losesHOT)
	if w.Updates == 0 || w.HOTUpdates == 0 {
		lost = 0
	}
	before := c.entries(t)
	hot := math.Min(w.HOTUpdates, w.Updates)
	cold := w.Updates - hot
	old := w.Inserts*(1+before) + cold*(1+before) + hot + w.Deletes
	moved := math.Min(hot, lost*w.Updates)
	fresh := w.Inserts*(1+before+share) + (cold+moved)*(1+before+share) + (hot - moved) + w.Deletes
	if !(old > 0) {
		return math.NaN(), losesHOT
	}
	return fresh/old - 1, losesHOT
}

// columnsOf are the table's columns in keys and predicate. A name that occurs
// in the predicate's text as a word counts, even in a string: better one
// warning too many.
func columnsOf(t *pgvigil.Table, x whatif.Index) (out []string) {
	for _, col := range t.Columns {
		inKey := slices.ContainsFunc(x.Keys, func(k whatif.Key) bool {
			return k.Column == col.Name || k.Expr != "" && whatif.Mentions(k.Expr, col.Name)
		})
		if inKey || whatif.Mentions(x.Predicate, col.Name) {
			out = append(out, col.Name)
		}
	}
	return out
}

// entries is how many index entries a row of t has now.
func (c *Catalog) entries(t *pgvigil.Table) float64 {
	n := 0.0
	for _, x := range c.Indexes(t) {
		if x.Predicate == "" {
			n++
		}
	}
	return n
}

// Share estimates the part of t's rows that a candidate's predicate keeps, in
// (0, 1]; 1 for a whole index, a tenth where nothing is known.
func (c *Catalog) Share(t *pgvigil.Table, x Candidate) float64 {
	if x.Predicate == "" {
		return 1
	}
	if x.Rows > 0 {
		return x.Rows
	}
	return 0.1
}
