package index

import (
	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Op is how a condition compares.
type Op uint8

// The comparisons that an index can serve.
const (
	Equal Op = iota
	In
	Range // <, <=, >, >=, BETWEEN
	Null
	NotNull
	Prefix   // LIKE; only an anchored pattern is served, which $n does not tell
	Contains // @>, <@, && of arrays and jsonb, jsonb ?
	Similar  // LIKE or ILIKE with a wildcard in front, trigrams
	Unlike   // <>: of use in predicates only
)

// Demand is what one statement asks of one table.
type Demand struct {
	// Work is the position of the statement among all work.
	Work  int
	Table *pgvigil.Table
	// Conds are what all rows must meet; Either stands under an OR.
	Conds  []Cond
	Either []Cond
	// Order is the ORDER BY if all of it is of this table.
	Order []whatif.Key
	// Columns are all columns of the table that the statement reads; nil if
	// that is not known or all.
	Columns []string
	// Limited says that only the first rows are wanted.
	Limited bool
	// Locking says that rows are locked or written, so that no index-only scan
	// can help.
	Locking bool
}

// Cond is one comparison of a column, or of an expression over one, with
// something that is not of the same table.
type Cond struct {
	Column string
	// Expr is the expression as code rendered it, "" for the column itself.
	Expr string
	Op   Op
	// Sign is the operator as written, of ranges.
	Sign string
	// Values are the constants that the text names; nil for parameters.
	Values []string
	// Params are the numbers of the parameters on the other side.
	Params []int
	// Join says that the other side is a column of another table.
	Join bool
}

// constant says whether the condition could be the predicate of a partial
// index.
func (c Cond) constant() bool {
	return c.Op == Null || c.Op == NotNull || (c.Op == Equal || c.Op == In || c.Op == Unlike) && len(c.Values) > 0
}

func (c Cond) key() whatif.Key { return whatif.Key{Column: c.Column, Expr: c.Expr} }

// Candidate is an index that somebody drafted.
type Candidate struct {
	whatif.Index
	// Kind says how it was drafted: "equality", "range", "order", "list",
	// "partial", "covering", "contains", "restore", "model".
	Kind string
	// Author is "rules" or a model's name.
	Author string
	// Wants are the positions of the work that it was drafted for.
	Wants []int
	// Conds are the conditions that the predicate was made from.
	Conds []Cond
	// Ordered says that it hands out the rows in the order of a LIMIT query.
	Ordered bool
	// Rows is the share of the table's rows that the predicate keeps, in
	// (0, 1]; 0 unknown.
	Rows float64
	// StandIn says that the judge tried it over all rows in its place, so that
	// only the work that it was drafted for may count on it.
	StandIn bool
	// Existing names an index that is there but invalid and would do.
	Existing string
}

// Rules is the author of what this package drafts.
const Rules = "rules"
