package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// shaper writes the shapes of nodes, each once.
type shaper struct {
	names Names
	known map[*Node]string
}

func newShaper(names Names) *shaper { return &shaper{names, map[*Node]string{}} }

// shape returns a node and all below it in a canonical form. Not in it are
// costs, expressions, aliases, the number of workers and of partitions.
func (s *shaper) shape(n *Node) string {
	if shape, ok := s.known[n]; ok {
		return shape
	}
	var b strings.Builder
	b.WriteString(s.step(n))
	if n.CTE != "" {
		b.WriteString(" of " + n.CTE)
	}
	switch {
	case n.Parent == "InitPlan" || strings.HasPrefix(n.Subplan, "InitPlan") || strings.HasPrefix(n.Subplan, "CTE "):
		b.WriteString(" as InitPlan")
	case n.Parent == "SubPlan" || strings.HasPrefix(n.Subplan, "SubPlan"):
		b.WriteString(" as SubPlan")
	}
	if len(n.Plans) > 0 {
		b.WriteByte('(')
		for _, g := range s.groups(n) {
			b.WriteString(g.shape)
			b.WriteByte(';')
		}
		b.WriteByte(')')
	}
	s.known[n] = b.String()
	return s.known[n]
}

// step is a node in words, without what varies from run to run.
func (s *shaper) step(n *Node) string {
	t := kind(n)
	if n.Direction == "Backward" {
		t += " Backward"
	}
	if x := s.names.index(n); x != "" {
		if n.Type == "Bitmap Index Scan" {
			t += " on " + x
		} else {
			t += " using " + x
		}
	}
	if name := s.names.table(n); name != "" {
		t += " on " + name
	}
	if n.Function != "" {
		t += " on " + n.Function
	}
	return t
}

// kind names a node as EXPLAIN's text does.
func kind(n *Node) string {
	switch {
	case n.Type == "ModifyTable" && n.Operation != "":
		return n.Operation
	case n.Type == "Aggregate":
		return aggregate(n)
	case n.Join != "" && n.Join != "Inner":
		if n.Type == "Nested Loop" {
			return "Nested Loop " + n.Join + " Join"
		}
		return strings.Replace(n.Type, "Join", n.Join+" Join", 1)
	case n.Type == "SetOp" && n.Strategy == "Hashed":
		return "HashSetOp " + n.Command
	case n.Command != "":
		return n.Type + " " + n.Command
	}
	return n.Type
}

func aggregate(n *Node) string {
	t := map[string]string{"Sorted": "GroupAggregate", "Hashed": "HashAggregate", "Mixed": "MixedAggregate"}[n.Strategy]
	if t == "" {
		t = "Aggregate"
	}
	if n.Partial == "Partial" || n.Partial == "Finalize" {
		t = n.Partial + " " + t
	}
	return t
}

// hash is the first 64 bits of the shape's SHA-256, never 0.
func hash(shape string) pgvigil.PlanHash {
	sum := sha256.Sum256([]byte(shape))
	return pgvigil.PlanHash(max(1, binary.BigEndian.Uint64(sum[:])))
}

// maxSteps bounds the steps that are kept.
const maxSteps = 200

// steps lists the nodes top down, equal partitions once.
func (s *shaper) steps(n *Node, out []string) []string {
	if len(out) >= maxSteps {
		return out
	}
	out = append(out, s.step(n))
	for _, g := range s.groups(n) {
		out = s.steps(g.node, out)
	}
	return out
}
