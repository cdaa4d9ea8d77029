package plan

import (
	"regexp"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// Names says what the names in a plan stand for. Keys are in lower case.
type Names struct {
	// Tables leads from "schema.partition" to "schema.table", and from a bare
	// name that only one table bears to its whole name (of a partition to that
	// of its table).
	Tables map[string]string
	// Indexes leads from the bare name of a partition's index to the bare name
	// of the index of the table that it is attached to.
	Indexes map[string]string
}

// NamesOf returns the names of a database.
func NamesOf(tables []pgvigil.Table, indexes []pgvigil.Index) Names {
	names := Names{Tables: map[string]string{}, Indexes: map[string]string{}}
	roots := map[pgvigil.OID]*pgvigil.Table{}
	for i := range tables {
		roots[tables[i].Key.RelID] = &tables[i]
	}
	bare := map[string]int{}
	for i := range tables {
		bare[strings.ToLower(tables[i].Name)]++
	}
	for i := range tables {
		t := &tables[i]
		root := t
		for depth := 0; roots[root.Parent] != nil && depth < maxDepth; depth++ {
			root = roots[root.Parent]
		}
		whole := root.Schema + "." + root.Name
		if root != t {
			names.Tables[strings.ToLower(t.Schema+"."+t.Name)] = whole
		}
		if name := strings.ToLower(t.Name); bare[name] == 1 {
			names.Tables[name] = whole
		}
	}
	names.attach(indexes)
	return names
}

// attach maps the indexes of partitions. A bare name that means indexes of
// several parents is left out.
func (names Names) attach(indexes []pgvigil.Index) {
	at := map[pgvigil.OID]*pgvigil.Index{}
	for i := range indexes {
		at[indexes[i].Key.RelID] = &indexes[i]
	}
	other := map[string]bool{}
	for i := range indexes {
		root := &indexes[i]
		for depth := 0; at[root.Parent] != nil && depth < maxDepth; depth++ {
			root = at[root.Parent]
		}
		name := strings.ToLower(indexes[i].Name)
		if was, ok := names.Indexes[name]; ok && was != root.Name {
			other[name] = true
		}
		names.Indexes[name] = root.Name
	}
	for name := range other {
		delete(names.Indexes, name)
	}
}

// table returns what a node scans, partitions as their table, "" if nothing.
func (names Names) table(n *Node) string {
	if n.Relation == "" {
		return ""
	}
	full := n.Relation
	if n.Schema != "" {
		full = temporary.ReplaceAllString(n.Schema, "pg_temp") + "." + n.Relation
	}
	if root, ok := names.Tables[strings.ToLower(full)]; ok {
		return root
	}
	return full
}

// temporary are the schemas of temporary tables, one a session.
var temporary = regexp.MustCompile(`^pg_temp(_\d+)?$`)

// index returns the index that a node uses, that of a partition as the one it
// is attached to.
func (names Names) index(n *Node) string {
	if root, ok := names.Indexes[strings.ToLower(n.Index)]; ok {
		return root
	}
	return n.Index
}

// group is a node that stands for several of one shape.
type group struct {
	node  *Node
	shape string
	count int
}

// groups returns the children of a node, those of an append that have one
// shape as one: a partition more or less is no other plan. The order of
// different shapes follows their first.
func (s *shaper) groups(n *Node) []group {
	var out []group
	folds := n.Type == "Append" || n.Type == "Merge Append"
	at := map[string]int{}
	for i := range n.Plans {
		c := &n.Plans[i]
		shape := s.shape(c)
		if j, ok := at[shape]; ok && folds {
			out[j].count++
			continue
		}
		at[shape] = len(out)
		out = append(out, group{c, shape, 1})
	}
	return out
}
