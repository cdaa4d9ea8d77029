package plan

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// ours are the settings that stand under Settings because pgvigil set them.
var ours = []string{"jit", "plan_cache_mode", "search_path", "enable_partition_pruning"}

// Describe returns what is kept of a plan: hash, cost, steps, and its text
// without constants. Whose it is and when it was seen is left to the caller.
func (t Tree) Describe(names Names) pgvigil.Plan {
	s := newShaper(names)
	p := pgvigil.Plan{
		Hash: hash(s.shape(&t.Node)), Cost: pgvigil.Cost(finite(t.Total)), Steps: s.steps(&t.Node, nil), Text: text(s, &t.Node),
	}
	for _, name := range slices.Sorted(maps.Keys(t.Settings)) {
		if !slices.Contains(ours, name) {
			p.Settings = append(p.Settings, pgvigil.Setting{Name: name, Value: plainValue(t.Settings[name])})
		}
	}
	return p
}

// settingValue is what the settings that change plans look like.
var settingValue = regexp.MustCompile(`^[A-Za-z0-9_.+-]{1,32}$`)

func plainValue(v string) string {
	if settingValue.MatchString(v) {
		return v
	}
	return "..."
}

func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return 0
	}
	return v
}

// Bounds of the text.
const (
	maxLines = 120
	maxText  = 32 << 10
)

// text renders a plan as EXPLAIN does.
func text(s *shaper, n *Node) string {
	w := writer{shaper: s}
	w.node(n, 1, 0)
	if w.left > 0 {
		fmt.Fprintf(&w.b, "... %d more nodes\n", w.left)
	}
	return strings.TrimSuffix(w.b.String(), "\n")
}

type writer struct {
	*shaper
	b     strings.Builder
	lines int
	left  int // nodes over the bound
}

func (w *writer) node(n *Node, count, depth int) {
	if w.lines > maxLines || w.b.Len() > maxText {
		w.left++
	} else {
		w.line(n, count, depth)
	}
	for _, g := range w.groups(n) {
		w.node(g.node, g.count, depth+1)
	}
}

func (w *writer) line(n *Node, count, depth int) {
	indent := strings.Repeat("  ", min(depth, 40))
	if n.Subplan != "" {
		w.detail(indent, n.Subplan)
	}
	if depth > 0 {
		w.b.WriteString(indent + "-> ")
	}
	w.b.WriteString(w.step(n))
	if n.Alias != "" && n.Alias != n.Relation && count == 1 {
		w.b.WriteString(" " + n.Alias)
	}
	fmt.Fprintf(&w.b, "  (cost=%.2f..%.2f rows=%.0f width=%.0f)", finite(n.Startup), finite(n.Total), finite(n.Rows), finite(n.Width))
	if count > 1 {
		fmt.Fprintf(&w.b, "  and %d more partitions like this", count-1)
	}
	w.b.WriteByte('\n')
	w.lines++
	w.expressions(n, indent+"     ")
}

func (w *writer) detail(indent, text string) {
	w.b.WriteString(indent + text + "\n")
	w.lines++
}

// expressions writes what a node compares and sorts by, masked.
func (w *writer) expressions(n *Node, indent string) {
	for _, d := range []struct{ name, text string }{
		{"Group Key", strings.Join(n.GroupKey, ", ")},
		{"Sort Key", strings.Join(n.SortKey, ", ")},
		{"Presorted Key", strings.Join(n.Presorted, ", ")},
		{"Index Cond", n.IndexCond},
		{"Recheck Cond", n.Recheck},
		{"TID Cond", n.TidCond},
		{"Hash Cond", n.HashCond},
		{"Merge Cond", n.MergeCond},
		{"Join Filter", n.JoinCond},
		{"Cache Key", n.CacheKey},
		{"One-Time Filter", n.OneTime},
		{"Filter", n.Filter},
	} {
		if d.text != "" {
			w.detail(indent, d.name+": "+shorten(query.MaskExpression(d.text)))
		}
	}
	if n.Removed > 0 {
		w.detail(indent, fmt.Sprintf("Subplans Removed: %.0f", finite(n.Removed)))
	}
	if n.Workers > 0 {
		w.detail(indent, fmt.Sprintf("Workers Planned: %.0f", finite(n.Workers)))
	}
}

// maxExpression bounds one expression: lists of a thousand items tell nothing.
const maxExpression = 500

func shorten(s string) string {
	if runes := []rune(s); len(runes) > maxExpression {
		return string(runes[:maxExpression]) + " ..."
	}
	return s
}
