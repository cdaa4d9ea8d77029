package advisor

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/query"
)

// binding is a constant that a parameter got for planning, and why.
type binding struct {
	column, value, why string
	numbers            []whatif.Parameter
}

// bind puts a value into the parameters of one statement that are compared
// with a column. What is bound already stays.
func (t *task) bind(work int, b binding) bool {
	if t.bound[work] == nil {
		t.bound[work] = map[int]string{}
	}
	done := false
	for _, p := range b.numbers {
		if _, taken := t.bound[work][p.Number]; taken {
			continue
		}
		v := b.value
		if p.Array {
			v = whatif.ArrayLiteral([]string{v})
		}
		t.bound[work][p.Number], done = v, true
	}
	if done {
		t.bindings[work] = append(t.bindings[work], pgvigil.Warning{
			Code: "bound-parameter",
			Text: fmt.Sprintf("planned with %s = %s, %s; the text holds a parameter", whatif.Quote(b.column), whatif.Literal(b.value), b.why),
		})
	}
	return done
}

var listBound = regexp.MustCompile(`^FOR VALUES IN \((?:'((?:[^']|'')*)'|(-?[0-9.]+))`)

// bindPartitions gives the key of list partitions the value of the biggest
// one: with a parameter the planner would price all of them.
func (t *task) bindPartitions(work int) {
	for _, id := range tablesOf(t.catalog, t.shapes[work]) {
		table := t.catalog.ByOID(id)
		strategy, columns := index.PartitionColumns(table)
		if strategy != "LIST" || len(columns) != 1 {
			continue
		}
		var big *pgvigil.Table
		for _, k := range t.catalog.Children(table) {
			if listBound.MatchString(k.PartitionBound) && (big == nil || t.catalog.Rows(k) > t.catalog.Rows(big)) {
				big = k
			}
		}
		if big == nil {
			continue
		}
		m := listBound.FindStringSubmatch(big.PartitionBound)
		t.bind(work, binding{
			column: columns[0], value: m[1] + m[2], why: "the biggest partition",
			numbers: whatif.Parameters(t.Work[work].text(), columns[0]),
		})
	}
}

// bindRestored gives parameters the constants that a restored partial index
// asks for.
func (t *task) bindRestored(c index.Candidate) {
	if c.Predicate == "" {
		return
	}
	for _, cond := range t.predicateOf(c) {
		if len(cond.Values) == 0 || cond.Op != index.Equal && cond.Op != index.In {
			continue
		}
		for _, w := range c.Wants {
			t.bind(w, binding{
				column: cond.Column, value: cond.Values[0], why: "as in the predicate of the dropped index",
				numbers: whatif.Parameters(t.Work[w].text(), cond.Column),
			})
		}
	}
}

// predicateOf reads the predicate of an index as conditions.
func (t *task) predicateOf(c index.Candidate) []index.Cond {
	s, err := query.Analyze("SELECT 1 FROM "+whatif.Quote(c.Schema, c.Table)+" WHERE "+c.Predicate, t.options)
	if err != nil || len(s.Blocks) != 1 || len(s.Blocks[0].Tables) != 1 {
		return nil
	}
	all, _ := conditions(s.Blocks[0].Tables[0].Conditions)
	return all
}

// Bounds of a value that is worth a try as "the rare one".
const (
	rareShare = 0.05
	fewValues = 20
)

// bindRare gives a parameter on a skewed column its rarest common value: a
// generic plan takes all values for equally frequent, and the rare one is the
// one that queues and sweeps ask for. It returns the demands with the value as
// a constant, none if nothing is skewed. A value that could be a secret is not
// taken: it would stand in the proposal.
func (t *task) bindRare(ctx context.Context, work int) (out []index.Demand) {
	for _, d := range demands(t.catalog, work, t.shapes[work]) {
		changed := false
		for i, c := range d.Conds {
			if c.Op != index.Equal && c.Op != index.In || len(c.Values) > 0 || c.Join || c.Expr != "" {
				continue
			}
			v, ok := t.rarest(ctx, d.Table, c.Column)
			if ok && query.Harmless(c.Column, v.Text) && t.bind(work, binding{
				column: c.Column, value: v.Text, numbers: whatif.Parameters(t.Work[work].text(), c.Column),
				why: fmt.Sprintf("which %s of the rows have", percent(v.Share)),
			}) {
				d.Conds[i].Op, d.Conds[i].Values, changed = index.Equal, []string{v.Text}, true
			}
		}
		if changed {
			out = append(out, d)
		}
	}
	return out
}

// rarest returns the rarest common value of a column with few values.
func (t *task) rarest(ctx context.Context, table *pgvigil.Table, column string) (whatif.Value, bool) {
	values := t.common(ctx, table, column)
	if n := len(values); n < 2 || n > fewValues || values[n-1].Share > rareShare {
		return whatif.Value{}, false
	}
	return values[len(values)-1], true
}

// common returns the common values of a column, of the biggest partition where
// the parent has none; none without a judge that knows.
func (t *task) common(ctx context.Context, table *pgvigil.Table, column string) []whatif.Value {
	lookup, ok := t.Judge.(whatif.Values)
	if !ok {
		return nil
	}
	key := table.Schema + "." + table.Name + "." + column
	if v, known := t.values[key]; known {
		return v
	}
	leaves := t.catalog.Leaves(table)
	slices.SortFunc(leaves, func(a, b *pgvigil.Table) int { return int(b.Pages - a.Pages) })
	for _, l := range append([]*pgvigil.Table{table}, leaves[:min(1, len(leaves))]...) {
		v, err := lookup.CommonValues(ctx, l.Schema, l.Name, column)
		if err != nil {
			t.o.Log.Debug("no common values", "error", err)
			break
		}
		if len(v) > 0 {
			t.values[key] = v
			return v
		}
	}
	t.values[key] = nil
	return nil
}

// shareOf estimates the part of a table's rows that conditions keep, 0 if
// nothing is known.
func (t *task) shareOf(ctx context.Context, table *pgvigil.Table, conds []index.Cond) float64 {
	share := 1.0
	for _, c := range conds {
		part, ok := t.partOf(ctx, table, c)
		if !ok {
			return 0
		}
		share *= part
	}
	return max(share, 1e-6)
}

func (t *task) partOf(ctx context.Context, table *pgvigil.Table, c index.Cond) (float64, bool) {
	col, _ := t.catalog.Column(table, c.Column)
	switch c.Op {
	case index.Null:
		return col.NullFrac, col.NullFrac >= 0
	case index.NotNull:
		return 1 - col.NullFrac, col.NullFrac >= 0
	}
	values := t.common(ctx, table, c.Column)
	if len(values) == 0 {
		return 0, false
	}
	sum, rest := 0.0, 1.0
	for _, v := range values {
		rest -= v.Share
		if slices.ContainsFunc(c.Values, func(s string) bool { return same(s, v.Text) }) {
			sum += v.Share
		}
	}
	switch {
	case c.Op == index.Unlike:
		return 1 - sum, true
	case sum == 0:
		return max(rest, 0) / 10, true
	}
	return sum, true
}

// same compares a constant with a value as the server writes it.
func same(constant, value string) bool {
	return constant == value || constant == "true" && value == "t" || constant == "false" && value == "f"
}

// imply lets a whole index stand in for a partial one, for the statements that
// ask for rows of its predicate only; the others no longer want it.
func (t *task) imply(c *index.Candidate, table *pgvigil.Table, conds []index.Cond) {
	if len(conds) == 0 {
		return
	}
	c.Wants = slices.DeleteFunc(c.Wants, func(work int) bool {
		return slices.ContainsFunc(conds, func(p index.Cond) bool { return !t.implies(work, table, p) })
	})
	if len(c.Wants) > 0 {
		c.Whole = index.Whole(c.Keys, conds)
	}
}

// implies says whether all rows that a statement wants of a table meet p.
func (t *task) implies(work int, table *pgvigil.Table, p index.Cond) bool {
	for _, d := range demands(t.catalog, work, t.shapes[work]) {
		if d.Table != table {
			continue
		}
		for _, c := range d.Conds {
			switch {
			case c.Column != p.Column || c.Expr != p.Expr:
			case p.Op == index.Null && c.Op == index.Null, p.Op == index.NotNull && c.Op != index.Null:
				return true
			case (c.Op == index.Equal || c.Op == index.In) && within(t.valuesOf(work, c), p.Values):
				return true
			}
		}
	}
	return false
}

// valuesOf are the constants of a condition, or what its parameters are bound
// to; nil if one is open.
func (t *task) valuesOf(work int, c index.Cond) []string {
	out := slices.Clone(c.Values)
	if len(out) > 0 {
		return out
	}
	for _, p := range whatif.Parameters(t.Work[work].text(), c.Column) {
		v, ok := t.bound[work][p.Number]
		if !ok {
			return nil
		}
		if p.Array {
			v = strings.Trim(v, `{}"`)
		}
		out = append(out, v)
	}
	return out
}

func within(values, of []string) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(of, v) })
}
