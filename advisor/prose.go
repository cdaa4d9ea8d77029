package advisor

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
)

// positions are the names that judges give to proposed indexes in plans.
var positions = regexp.MustCompile(`using \[\d+\]`)

// reason is the one sentence of a verified proposal.
func reason(c index.Choice, p pgvigil.Proposal) string {
	verb := "an index on"
	switch {
	case c.Existing != "":
		verb = "rebuilding the invalid index over"
	case c.Kind == "restore":
		verb = "bringing back the dropped index on"
	}
	return fmt.Sprintf("%s %s (%s) lowers the planner's cost of %s from %s to %s",
		verb, p.Table, strings.Join(p.Columns, ", "), statements(used(c)), cost(p.Evidence.CostBefore), cost(p.Evidence.CostAfter))
}

// used counts the statements that would use the choice.
func used(c index.Choice) (n int) {
	for _, q := range c.Queries {
		if q.Uses {
			n++
		}
	}
	return n
}

func statements(n int) string {
	if n == 1 {
		return "one statement"
	}
	return fmt.Sprintf("%d statements", n)
}

// cost writes a planner cost with three digits that count.
func cost(c pgvigil.Cost) string {
	if c >= 100 {
		return fmt.Sprintf("%.0f", float64(c))
	}
	return fmt.Sprintf("%.3g", float64(c))
}

func bytes(b pgvigil.Bytes) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, i := float64(b), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if v >= 10 || i == 0 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// tell is one paragraph: the facts, then what the model said and the facts
// bear, and how it came about.
func (t *task) tell(c index.Choice, p pgvigil.Proposal, table *pgvigil.Table) string {
	s := prose(c, p, table)
	if said := t.said(worksOf(c), table); len(said) > 0 {
		s += fmt.Sprintf(" %s adds: %s", t.o.Model.Name(), strings.Join(said, " "))
	}
	return s + " (" + upper(t.voice) + ".)"
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func worksOf(c index.Choice) (out []int) {
	for _, q := range c.Queries {
		out = append(out, q.Work)
	}
	return out
}

// prose says the facts.
func prose(c index.Choice, p pgvigil.Proposal, table *pgvigil.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s).", upper(p.Reason), p.Evidence.Method)
	if c.Size > 0 {
		fmt.Fprintf(&b, " It takes about %s.", bytes(c.Size))
	}
	if o := p.Evidence.WriteOverhead; !math.IsNaN(o) {
		fmt.Fprintf(&b, " Writes to %s grow by about %s.", p.Table, percent(o))
	}
	if lost := p.Evidence.LosesHOT; len(lost) > 0 {
		fmt.Fprintf(&b, " Updates that set %s can no longer be HOT.", join(lost))
	}
	if c.Predicate != "" {
		fmt.Fprintf(&b, " It holds only the rows where %s.", c.Predicate)
	}
	if table.Kind == "p" {
		b.WriteString(" The table is partitioned, so each partition gets its part concurrently and the parent's index is put together from them.")
	}
	return b.String()
}
