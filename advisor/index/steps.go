package index

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// maxName is the longest identifier of Postgres, in bytes.
const maxName = 63

// Name makes a name for x that nothing in the database has, of at most 63
// bytes; it is the same for the same definition.
func (c *Catalog) Name(x whatif.Index) string {
	if x.Name != "" && !c.taken(x.Schema, x.Name) {
		return x.Name
	}
	parts := []string{"idx", x.Table}
	for _, k := range x.KeyNames() {
		parts = append(parts, plain(k))
	}
	if x.Predicate != "" {
		parts = append(parts, "partial")
	}
	if len(x.Include) > 0 {
		parts = append(parts, "incl")
	}
	name := plain(strings.Join(parts, "_"))
	if len(name) > maxName || c.taken(x.Schema, name) {
		name = strings.TrimRight(cut(name, maxName-9), "_") + "_" + digest(x.Definition())
	}
	return name
}

// plain turns any text into what needs no quotes.
func plain(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return strings.TrimRight(b.String(), "_")
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

func digest(s string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	return fmt.Sprintf("%08x", h.Sum32())
}

func (c *Catalog) taken(schema, name string) bool {
	for _, x := range c.read.Indexes {
		if x.Schema == schema && x.Name == name {
			return true
		}
	}
	for _, t := range c.read.Tables {
		if t.Schema == schema && t.Name == name {
			return true
		}
	}
	return false
}

// Steps are the statements that create x, which has a name, without blocking
// writes for longer than a moment, and those that undo it. CONCURRENTLY does
// not work on a partitioned table, so there each partition gets its index
// first and the parent's is put together from them.
func (c *Catalog) Steps(x whatif.Index) (steps, undo []pgvigil.Step) {
	t := c.Table(x.Schema + "." + x.Table)
	if t == nil || t.Kind != "p" {
		return c.plainSteps(x)
	}
	steps = c.partitioned(t, x)
	undo = []pgvigil.Step{{
		SQL:  "DROP INDEX " + whatif.Quote(x.Schema, x.Name),
		Note: "takes ACCESS EXCLUSIVE on the table and its partitions for a moment; set lock_timeout before",
	}}
	return steps, undo
}

func (c *Catalog) plainSteps(x whatif.Index) (steps, undo []pgvigil.Step) {
	steps = []pgvigil.Step{{
		SQL: x.SQL(whatif.DDL{Concurrently: true}),
		Note: "takes SHARE UPDATE EXCLUSIVE: reads and writes go on, vacuum and DDL of the table wait; " +
			"it waits for older transactions; if it fails, drop the invalid index that it leaves",
		OutsideTx: true,
	}}
	undo = []pgvigil.Step{{
		SQL:       "DROP INDEX CONCURRENTLY " + whatif.Quote(x.Schema, x.Name),
		Note:      "reads and writes go on; it waits for older transactions",
		OutsideTx: true,
	}}
	return steps, undo
}

// partitioned renders the steps of one level and those below it.
func (c *Catalog) partitioned(t *pgvigil.Table, x whatif.Index) []pgvigil.Step {
	steps := []pgvigil.Step{{
		SQL: x.SQL(whatif.DDL{Only: true}),
		Note: "takes SHARE on " + whatif.Quote(t.Schema, t.Name) +
			" alone for a moment (set lock_timeout before); the index stays invalid until every partition has its part",
	}}
	for _, k := range c.Children(t) {
		part := x
		part.Schema, part.Table, part.Name, part.Unique = k.Schema, k.Name, "", false
		steps = append(steps, c.attach(k, part, x)...)
	}
	return steps
}

// attach renders the steps of one partition: its index, or the one that it has
// already, becomes a part of the parent's.
func (c *Catalog) attach(k *pgvigil.Table, part, whole whatif.Index) (steps []pgvigil.Step) {
	for _, e := range c.Indexes(k) {
		if e.Valid && e.Parent == 0 && serves(e.Parts, part) && serves(part, e.Parts) {
			part.Name = e.Name
		}
	}
	if part.Name == "" {
		part.Name = c.Name(part)
		switch k.Kind {
		case "p":
			steps = c.partitioned(k, part)
		default:
			steps, _ = c.plainSteps(part)
		}
	}
	return append(steps, pgvigil.Step{
		SQL:  "ALTER INDEX " + whatif.Quote(whole.Schema, whole.Name) + " ATTACH PARTITION " + whatif.Quote(part.Schema, part.Name),
		Note: "a moment; the parent's index becomes valid with the last one",
	})
}
