package whatif

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// node is one node of EXPLAIN (FORMAT JSON).
type node struct {
	Type      string  `json:"Node Type"`
	Strategy  string  `json:"Strategy"`
	Join      string  `json:"Join Type"`
	Relation  string  `json:"Relation Name"`
	Alias     string  `json:"Alias"`
	Index     string  `json:"Index Name"`
	Direction string  `json:"Scan Direction"`
	Startup   float64 `json:"Startup Cost"`
	Total     float64 `json:"Total Cost"`
	Rows      float64 `json:"Plan Rows"`
	Width     int     `json:"Plan Width"`
	IndexCond string  `json:"Index Cond"`
	HashCond  string  `json:"Hash Cond"`
	MergeCond string  `json:"Merge Cond"`
	JoinCond  string  `json:"Join Filter"`
	Filter    string  `json:"Filter"`
	Removed   int     `json:"Subplans Removed"`
	// SortKey and the like are lists of text.
	SortKey []string `json:"Sort Key"`
	Plans   []node   `json:"Plans"`
}

func parsePlan(raw []byte) (node, error) {
	var top []struct {
		Plan node `json:"Plan"`
	}
	if err := json.Unmarshal(raw, &top); err != nil {
		return node{}, fmt.Errorf("read the plan: %w", err)
	}
	if len(top) != 1 {
		return node{}, fmt.Errorf("read the plan: %d plans, want 1", len(top))
	}
	return top[0].Plan, nil
}

// names collects the indexes that the plan names, each once.
func (n node) names(seen map[string]bool) {
	if n.Index != "" {
		seen[n.Index] = true
	}
	for _, p := range n.Plans {
		p.names(seen)
	}
}

// maxNodes bounds the plan text: 1,000 partitions make 1,000 equal lines.
const maxNodes = 40

// text renders the plan as EXPLAIN does, with rename applied to index names.
func (n node) text(rename func(string) string) string {
	p := planText{rename: rename}
	p.write(n, 0)
	if p.nodes > maxNodes {
		fmt.Fprintf(&p.b, "... %d more nodes\n", p.nodes-maxNodes)
	}
	return strings.TrimSuffix(p.b.String(), "\n")
}

type planText struct {
	b      strings.Builder
	rename func(string) string
	nodes  int
}

func (p *planText) write(n node, depth int) {
	if p.nodes++; p.nodes <= maxNodes {
		p.line(n, depth)
	}
	for _, c := range n.Plans {
		p.write(c, depth+1)
	}
}

func (p *planText) line(n node, depth int) {
	indent := strings.Repeat("  ", depth)
	if depth > 0 {
		p.b.WriteString(indent + "-> ")
	}
	p.b.WriteString(n.title(p.rename))
	fmt.Fprintf(&p.b, "  (cost=%.2f..%.2f rows=%.0f width=%d)\n", n.Startup, n.Total, n.Rows, n.Width)
	for _, d := range []struct{ name, text string }{
		{"Index Cond", n.IndexCond},
		{"Hash Cond", n.HashCond},
		{"Merge Cond", n.MergeCond},
		{"Join Filter", n.JoinCond},
		{"Filter", n.Filter},
		{"Sort Key", strings.Join(n.SortKey, ", ")},
	} {
		if d.text != "" {
			fmt.Fprintf(&p.b, "%s     %s: %s\n", indent, d.name, query.MaskDefinition(d.text))
		}
	}
	if n.Removed > 0 {
		fmt.Fprintf(&p.b, "%s     Subplans Removed: %d\n", indent, n.Removed)
	}
}

func (n node) title(rename func(string) string) string {
	t := n.Type
	if n.Join != "" && n.Join != "Inner" {
		t = strings.Replace(t, "Join", n.Join+" Join", 1)
	}
	if n.Direction == "Backward" {
		t += " Backward"
	}
	if n.Index != "" {
		t += " using " + rename(n.Index)
	}
	if n.Relation != "" {
		t += " on " + n.Relation
	}
	if n.Alias != "" && n.Alias != n.Relation {
		t += " " + n.Alias
	}
	return t
}

// plan turns a node into a Plan; known maps the names of the given indexes to
// their positions.
func (n node) plan(known map[string]int) Plan {
	seen := map[string]bool{}
	n.names(seen)
	p := Plan{Cost: pgvigil.Cost(math.Max(0, n.Total))}
	for i := range maxPosition(known) + 1 {
		for name, at := range known {
			if at == i && seen[name] {
				p.Used = append(p.Used, i)
				break
			}
		}
	}
	for name := range seen {
		if _, ours := known[name]; !ours {
			p.Names = append(p.Names, name)
		}
	}
	p.Text = n.text(func(name string) string {
		if at, ours := known[name]; ours {
			return fmt.Sprintf("[%d]", at)
		}
		return name
	})
	return p
}

func maxPosition(known map[string]int) int {
	top := -1
	for _, at := range known {
		top = max(top, at)
	}
	return top
}
