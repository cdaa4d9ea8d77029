package whatif

import (
	"context"

	"github.com/pgvigil/pgvigil"
)

// Judge says what statements would cost with indexes in place.
type Judge interface {
	// Method names the judge in evidence: "hypopg", "scratch database".
	Method() string
	// Cost plans every statement with all indexes in place beside the existing
	// ones. Plans and sizes are in the order of the arguments. The error is
	// about the judge as a whole (connection lost, no right to create); what
	// concerns one statement or one index is in the result.
	Cost(ctx context.Context, statements []Statement, indexes []Index) (Result, error)
}

// Values is implemented by judges that can look up common values of a column,
// for the predicates of partial indexes.
type Values interface {
	// CommonValues returns the most common values of a column, most common
	// first, none if there are no statistics or no right to see them.
	CommonValues(ctx context.Context, schema, table, column string) ([]Value, error)
	// HighestValue returns the highest value of a column by its histogram, ""
	// if there is none.
	HighestValue(ctx context.Context, schema, table, column string) (string, error)
}

// Value is a common value of a column.
type Value struct {
	Text string
	// Share of the table's rows, in [0, 1].
	Share float64
}

// Statement is one statement to plan: a single SELECT, INSERT, UPDATE, DELETE
// or MERGE, with $n for what is not known.
type Statement struct {
	Text string
	// Tables are the tables that it names, as written, for the check that each
	// means exactly one.
	Tables []string
	// Role is the role that runs it, whose search_path counts; "" unknown.
	Role string
	// Bound are parameters replaced by a constant, by number: a generic plan
	// hides partial indexes and skew.
	Bound map[int]string
}

// Plan is what the planner made of a statement.
type Plan struct {
	Cost pgvigil.Cost
	// Text is the plan as people read it; hypothetical indexes have the
	// position in square brackets as their name: "[0]", where they have none.
	Text string
	// Used are the positions of the given indexes that the plan names.
	Used []int
	// Names are the existing indexes that it names.
	Names []string
	// Refused says why there is no plan; nil if there is one.
	Refused error
	// Warnings say what had to be assumed to get it.
	Warnings []pgvigil.Warning
}

// Result is what a judge found.
type Result struct {
	Plans []Plan
	// Sizes are the sizes of the indexes: measured by Scratch, 0 by HypoPG,
	// whose estimates are too big (it does not know of deduplication).
	Sizes []pgvigil.Bytes
	// Unproven says by position why an index could not be put in place, for
	// example that HypoPG has no GIN; nil if it was.
	Unproven []error
	// StandIn says by position that an index over all rows stood in for a
	// partial one: its costs hold for statements that imply the predicate only,
	// and are an upper bound there.
	StandIn []bool
	// Calls is how often the planner was asked.
	Calls int
}
