package advisor

import (
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/query"
)

// options tell package query what the catalog knows.
func options(c *index.Catalog) query.Options {
	o := query.Options{Partitions: map[string]string{}, Columns: map[string][]string{}}
	for _, t := range c.Tables() {
		var names []string
		for _, col := range t.Columns {
			names = append(names, strings.ToLower(col.Name))
		}
		full := strings.ToLower(t.Schema + "." + t.Name)
		o.Columns[full], o.Columns[strings.ToLower(t.Name)] = names, names
		if p := c.ByOID(t.Parent); p != nil {
			parent := strings.ToLower(p.Schema + "." + p.Name)
			o.Partitions[full], o.Partitions[strings.ToLower(t.Name)] = parent, parent
		}
	}
	return o
}

// demands says what one statement asks of each of its tables, block by block.
func demands(c *index.Catalog, work int, s query.Shape) []index.Demand {
	var out []index.Demand
	for i := range s.Blocks {
		b := &s.Blocks[i]
		ordered := b.OneTable()
		for j, use := range b.Tables {
			t := c.Table(use.Name)
			if use.Derived || t == nil {
				continue
			}
			d := index.Demand{
				Work: work, Table: t, Limited: b.Limit.Present,
				Locking: b.Verb != "select" || len(b.Locking) > 0 || use.Target,
			}
			d.Conds, d.Either = conditions(use.Conditions)
			if j == ordered && !b.OrderByExpression {
				d.Order = ordering(b.OrderBy)
			}
			if !use.Star && !b.Star {
				d.Columns = slices.Clone(use.Columns)
			}
			if len(d.Conds)+len(d.Either)+len(d.Order) > 0 {
				out = append(out, d)
			}
		}
	}
	return out
}

// conditions sorts a table's comparisons into those that all rows must meet,
// and those that stand under an OR.
func conditions(list []query.Condition) (all, either []index.Cond) {
	for _, c := range list {
		cond, ok := condition(c)
		switch {
		case !ok:
		case c.Or:
			either = append(either, cond)
		default:
			all = append(all, cond)
		}
	}
	return all, either
}

func condition(c query.Condition) (index.Cond, bool) {
	out := index.Cond{Column: c.Column, Values: c.Constants, Join: c.Join != nil || c.Value == query.Subquery && c.Kind == query.In}
	switch c.Wrapped {
	case "", "::text", "::varchar":
	case "lower", "upper":
		out.Expr = c.Wrapped + "(" + whatif.Quote(c.Column) + ")"
	default:
		return out, false
	}
	switch c.Kind {
	case query.Null:
		out.Op = index.Null
		if (c.Op == "is not null") != c.Not {
			out.Op = index.NotNull
		}
		return out, true
	case query.Boolean:
		return boolean(out, c)
	}
	if c.Not {
		return out, false
	}
	return compared(out, c)
}

// boolean reads a bare boolean column and IS [NOT] TRUE or FALSE; what lets
// NULL through as well serves no index.
func boolean(out index.Cond, c query.Condition) (index.Cond, bool) {
	out.Op = index.Equal
	switch {
	case c.Op == "is true" && !c.Not, c.Op == "is false" && c.Not:
		out.Values = []string{"true"}
	case c.Op == "is false", c.Op == "is true":
		out.Values = []string{"false"}
	default:
		return out, false
	}
	return out, true
}

func compared(out index.Cond, c query.Condition) (index.Cond, bool) {
	switch c.Kind {
	case query.Equality:
		out.Op = index.Equal
	case query.In:
		out.Op = index.In
		if out.Join {
			out.Op = index.Equal
		}
	case query.Range:
		out.Op, out.Sign = index.Range, c.Op
	case query.Array:
		out.Op = index.Contains
	case query.Like:
		out.Op = index.Similar
	case query.Other:
		out.Op = index.Unlike
		return out, c.Op == "<>" || c.Op == "!="
	default:
		return out, false
	}
	return out, true
}

// ordering returns an ORDER BY as keys. Where all keys run backwards an index
// that runs forwards serves as well, and serves others too.
func ordering(list []pgvigil.OrderColumn) []whatif.Key {
	out := make([]whatif.Key, len(list))
	backwards := true
	for i, o := range list {
		out[i] = whatif.Key{Column: o.Column, Desc: o.Desc, Nulls: o.Nulls}
		backwards = backwards && o.Desc && o.Nulls != "last"
	}
	for i := range out {
		if backwards {
			out[i].Desc, out[i].Nulls = false, ""
		}
	}
	return out
}

// tablesOf are the tables of a statement, topmost parents for partitions.
func tablesOf(c *index.Catalog, s query.Shape) (out []pgvigil.OID) {
	for _, name := range namesOf(s) {
		if t := c.Table(name); t != nil && !slices.Contains(out, t.Key.RelID) {
			out = append(out, t.Key.RelID)
		}
	}
	return out
}

// namesOf are the relations that a statement names, as written.
func namesOf(s query.Shape) (out []string) {
	for i := range s.Blocks {
		for _, use := range s.Blocks[i].Tables {
			if !use.Derived && !slices.Contains(out, use.Name) {
				out = append(out, use.Name)
			}
		}
	}
	return out
}

// sets are the columns that updates among the work set, by table, each with
// the share of the table's update calls that set it.
func (t *task) sets() map[pgvigil.OID]map[string]float64 {
	out, calls := map[pgvigil.OID]map[string]float64{}, map[pgvigil.OID]float64{}
	for i, s := range t.shapes {
		for j := range s.Blocks {
			b := &s.Blocks[j]
			if len(b.Set) == 0 || len(b.Tables) == 0 {
				continue
			}
			table := t.catalog.Table(b.Tables[0].Name)
			if table == nil {
				continue
			}
			id := table.Key.RelID
			if out[id] == nil {
				out[id] = map[string]float64{}
			}
			calls[id] += t.weight(i)
			for _, col := range b.Set {
				out[id][col] += t.weight(i)
			}
		}
	}
	for id, columns := range out {
		for col := range columns {
			columns[col] /= calls[id]
		}
	}
	return out
}
