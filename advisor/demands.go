package advisor

import (
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// operators leads from an operator as written to what an index makes of it.
var operators = map[string]index.Op{
	"=": index.Equal, "in": index.In, "= any": index.In, "is null": index.Null, "is not null": index.NotNull,
	"<": index.Range, "<=": index.Range, ">": index.Range, ">=": index.Range, "between": index.Range,
	"like": index.Prefix, "ilike": index.Similar, "@>": index.Contains, "<@": index.Contains, "&&": index.Contains,
	"?": index.Contains, "?|": index.Contains, "?&": index.Contains, "<>": index.Unlike, "!=": index.Unlike,
}

// demands says what one statement asks of each of its tables.
func demands(c *index.Catalog, work int, q pgvigil.Query) []index.Demand {
	var out []index.Demand
	for _, name := range q.Tables {
		t := c.Table(name)
		if t == nil || slices.ContainsFunc(out, func(d index.Demand) bool { return d.Table == t }) {
			continue
		}
		d := index.Demand{Work: work, Table: t, Conds: conditions(c, t, q), Order: ordering(c, t, q), Locking: q.Verb != "select"}
		if len(d.Conds) > 0 || len(d.Order) > 0 {
			out = append(out, d)
		}
	}
	return out
}

func conditions(c *index.Catalog, t *pgvigil.Table, q pgvigil.Query) (out []index.Cond) {
	for _, p := range q.Predicates {
		op, known := operators[strings.ToLower(p.Op)]
		if !known || !isOf(c, t, p.Table, q) {
			continue
		}
		cond := index.Cond{Column: p.Column, Op: op, Sign: p.Op, Join: p.Join}
		if p.Constant != "" {
			cond.Values = []string{p.Constant}
		}
		out = append(out, cond)
	}
	return out
}

// isOf says whether a column that is resolved to name, or to nothing in a
// statement of one table, is t's.
func isOf(c *index.Catalog, t *pgvigil.Table, name string, q pgvigil.Query) bool {
	if name == "" {
		return len(q.Tables) == 1
	}
	return c.Table(name) == t
}

// ordering returns the ORDER BY if every column of it is t's.
func ordering(c *index.Catalog, t *pgvigil.Table, q pgvigil.Query) (out []whatif.Key) {
	for _, o := range q.Order {
		if o.Column == "" || !isOf(c, t, o.Table, q) {
			return nil
		}
		out = append(out, whatif.Key{Column: o.Column, Desc: o.Desc, Nulls: o.Nulls})
	}
	return out
}

// tablesOf are the tables of a statement, topmost parents for partitions.
func tablesOf(c *index.Catalog, q pgvigil.Query) (out []pgvigil.OID) {
	for _, name := range q.Tables {
		if t := c.Table(name); t != nil {
			out = append(out, t.Key.RelID)
		}
	}
	return out
}

// sets are the columns of table that updates among the work set, each with the
// share of update calls that set it.
func (t *task) sets(table *pgvigil.Table) map[string]float64 {
	return nil
}
