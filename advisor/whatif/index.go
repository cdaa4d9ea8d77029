package whatif

import (
	"strings"
)

// Index is an index as typed parts; code renders all DDL from them. A zero
// Method means btree.
type Index struct {
	// Name is "" for a hypothetical index that nobody will create.
	Name   string
	Schema string
	Table  string
	Method string
	Unique bool
	Keys   []Key
	// Include are payload columns.
	Include []string
	// Predicate is the WHERE of a partial index as people read it, and Folded
	// the same with its constants folded. HypoPG does not fold, and an index
	// with an unfolded predicate is never used; "" means Predicate itself.
	Predicate string
	Folded    string
	// Whole are the keys of an index over all rows that can stand in for a
	// partial one where a judge cannot hold that; nil if nothing can.
	Whole []Key
	// PreferWhole asks a judge that has stand-ins for one.
	PreferWhole bool
	// Storage is what stands between keys and predicate: NULLS NOT DISTINCT,
	// WITH, TABLESPACE; the server's own text, of restored indexes only.
	Storage string
}

// Key is one key of an index: a column, or an expression with its parentheses
// where the grammar needs them.
type Key struct {
	Column string
	Expr   string // wins over Column
	Class  string // operator class, "" is the default
	Desc   bool
	// Nulls is "", "first" or "last"; "" is what the direction implies.
	Nulls string
}

// SQL renders the key as in CREATE INDEX.
func (k Key) SQL() string {
	s := k.Expr
	if s == "" {
		s = Quote(k.Column)
	}
	if k.Class != "" {
		s += " " + k.Class
	}
	if k.Desc {
		s += " DESC"
	}
	if k.Nulls != "" {
		s += " NULLS " + strings.ToUpper(k.Nulls)
	}
	return s
}

// DDL says how an index is to be created.
type DDL struct {
	Concurrently bool
	// Only leaves the partitions of a partitioned table alone.
	Only bool
}

// SQL renders the statement that creates the index.
func (x Index) SQL(d DDL) string { return x.render(d, x.Predicate) }

// hypothetical renders the statement that HypoPG understands.
func (x Index) hypothetical() string {
	p := x.Folded
	if p == "" {
		p = x.Predicate
	}
	x.Name, x.Unique, x.Storage = "", false, ""
	return x.render(DDL{}, p)
}

func (x Index) render(d DDL, predicate string) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if x.Unique {
		b.WriteString("UNIQUE ")
	}
	b.WriteString("INDEX ")
	if d.Concurrently {
		b.WriteString("CONCURRENTLY ")
	}
	if x.Name != "" {
		b.WriteString(Quote(x.Name) + " ")
	}
	b.WriteString("ON ")
	if d.Only {
		b.WriteString("ONLY ")
	}
	b.WriteString(Quote(x.Schema, x.Table))
	b.WriteString(x.Tail(predicate))
	return b.String()
}

// Tail renders what follows the table: method, keys, payload and predicate. It
// is equal for equal indexes, whatever their names.
func (x Index) Tail(predicate string) string {
	var b strings.Builder
	if x.Method != "" && x.Method != "btree" {
		b.WriteString(" USING " + Quote(x.Method))
	}
	keys := make([]string, len(x.Keys))
	for i, k := range x.Keys {
		keys[i] = k.SQL()
	}
	b.WriteString(" (" + strings.Join(keys, ", ") + ")")
	if len(x.Include) > 0 {
		cols := make([]string, len(x.Include))
		for i, c := range x.Include {
			cols[i] = Quote(c)
		}
		b.WriteString(" INCLUDE (" + strings.Join(cols, ", ") + ")")
	}
	if x.Storage != "" {
		b.WriteString(" " + x.Storage)
	}
	if predicate != "" {
		b.WriteString(" WHERE " + predicate)
	}
	return b.String()
}

// Definition identifies what the index is, without its name.
func (x Index) Definition() string {
	return Quote(x.Schema, x.Table) + x.Tail(x.Predicate)
}

// KeyNames are the keys as text: columns, or expressions.
func (x Index) KeyNames() []string {
	out := make([]string, len(x.Keys))
	for i, k := range x.Keys {
		out[i] = k.Column
		if k.Expr != "" {
			out[i] = k.Expr
		}
	}
	return out
}
