package index

import (
	"math"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Catalog answers questions about one database as a pass read it.
type Catalog struct {
	read    pgvigil.DatabaseRead
	byOID   map[pgvigil.OID]*pgvigil.Table
	byName  map[string][]*pgvigil.Table // lower-cased, with and without schema
	kids    map[pgvigil.OID][]*pgvigil.Table
	indexes map[pgvigil.OID][]Existing
}

// Existing is an index that is there, with its definition as parts.
type Existing struct {
	pgvigil.Index
	// Parts are the parsed definition; zero if it could not be read.
	Parts whatif.Index
}

// NewCatalog indexes what a pass read.
func NewCatalog(read pgvigil.DatabaseRead) *Catalog {
	c := &Catalog{
		read:  read,
		byOID: map[pgvigil.OID]*pgvigil.Table{}, byName: map[string][]*pgvigil.Table{},
		kids: map[pgvigil.OID][]*pgvigil.Table{}, indexes: map[pgvigil.OID][]Existing{},
	}
	for i := range read.Tables {
		t := &read.Tables[i]
		c.byOID[t.Key.RelID] = t
		for _, n := range []string{t.Name, t.Schema + "." + t.Name} {
			c.byName[strings.ToLower(n)] = append(c.byName[strings.ToLower(n)], t)
		}
		if t.Parent != 0 {
			c.kids[t.Parent] = append(c.kids[t.Parent], t)
		}
	}
	for _, x := range read.Indexes {
		e := Existing{Index: x}
		// An index whose definition cannot be read serves nothing; that is safe.
		e.Parts, _ = whatif.ParseIndex(x.Def)
		c.indexes[x.TableID] = append(c.indexes[x.TableID], e)
	}
	return c
}

// Table finds a table as a statement names it, nil if there is none or more
// than one. A partition stands for its topmost parent.
func (c *Catalog) Table(name string) *pgvigil.Table {
	found := c.byName[strings.ToLower(name)]
	if len(found) != 1 {
		return nil
	}
	return c.Top(found[0])
}

// Top returns the topmost partitioned parent of t, or t.
func (c *Catalog) Top(t *pgvigil.Table) *pgvigil.Table {
	for t.Parent != 0 && c.byOID[t.Parent] != nil {
		t = c.byOID[t.Parent]
	}
	return t
}

// ByOID returns a table, nil if there is none.
func (c *Catalog) ByOID(id pgvigil.OID) *pgvigil.Table { return c.byOID[id] }

// Tables returns all tables of the database.
func (c *Catalog) Tables() []pgvigil.Table { return c.read.Tables }

// Children are the direct partitions of t, by name.
func (c *Catalog) Children(t *pgvigil.Table) []*pgvigil.Table {
	kids := slices.Clone(c.kids[t.Key.RelID])
	slices.SortFunc(kids, func(a, b *pgvigil.Table) int { return strings.Compare(a.Name, b.Name) })
	return kids
}

// Leaves are the tables that hold t's rows: t itself or its partitions.
func (c *Catalog) Leaves(t *pgvigil.Table) []*pgvigil.Table {
	if t.Kind != "p" {
		return []*pgvigil.Table{t}
	}
	var out []*pgvigil.Table
	for _, k := range c.Children(t) {
		out = append(out, c.Leaves(k)...)
	}
	return out
}

// Indexes are the indexes of t.
func (c *Catalog) Indexes(t *pgvigil.Table) []Existing { return c.indexes[t.Key.RelID] }

// Rows estimates the rows of t over all partitions.
func (c *Catalog) Rows(t *pgvigil.Table) float64 {
	sum := 0.0
	for _, l := range c.Leaves(t) {
		switch {
		case l.RelTuples >= 0:
			sum += l.RelTuples
		case l.Counters.LiveTuples > 0:
			sum += l.Counters.LiveTuples
		}
	}
	return sum
}

// Counters adds up the counters of t's leaves.
func (c *Catalog) Counters(t *pgvigil.Table) (sum pgvigil.TableCounters) {
	for _, l := range c.Leaves(t) {
		sum.Inserted += positive(l.Counters.Inserted)
		sum.Updated += positive(l.Counters.Updated)
		sum.Deleted += positive(l.Counters.Deleted)
		sum.HotUpdated += positive(l.Counters.HotUpdated)
	}
	return sum
}

func positive(v float64) float64 {
	if v > 0 {
		return v
	}
	return 0
}

// Column finds a column of t by name; statistics that the parent lacks (nobody
// analyzes parents) are taken from its biggest leaf.
func (c *Catalog) Column(t *pgvigil.Table, name string) (pgvigil.Column, bool) {
	col, ok := column(t, name)
	if !ok || t.Kind != "p" || !math.IsNaN(col.Distinct) && col.Distinct != 0 {
		return col, ok
	}
	var big *pgvigil.Table
	for _, l := range c.Leaves(t) {
		if big == nil || l.RelTuples > big.RelTuples {
			big = l
		}
	}
	if big != nil {
		if of, found := column(big, name); found {
			return of, true
		}
	}
	return col, true
}

func column(t *pgvigil.Table, name string) (pgvigil.Column, bool) {
	for _, col := range t.Columns {
		if col.Name == name {
			return col, true
		}
	}
	return pgvigil.Column{}, false
}

// Distinct estimates the number of different values of a column over rows
// rows, at least 1.
func Distinct(col pgvigil.Column, rows float64) float64 {
	d := col.Distinct
	switch {
	case math.IsNaN(d) || d == 0:
		d = guess(col, rows)
	case d < 0:
		d = -d * rows
	}
	return math.Max(1, math.Min(d, math.Max(rows, 1)))
}

// guess is for columns without statistics: few values of a boolean or a name,
// many of anything else.
func guess(col pgvigil.Column, rows float64) float64 {
	if col.Type == "boolean" {
		return 2
	}
	return math.Max(10, rows/10)
}

// PartitionColumns are the columns of a LIST or RANGE partition key, nil if it
// holds an expression.
func PartitionColumns(t *pgvigil.Table) (strategy string, columns []string) {
	strategy, rest, ok := strings.Cut(t.PartitionKey, " (")
	if !ok {
		return "", nil
	}
	for c := range strings.SplitSeq(strings.TrimSuffix(rest, ")"), ", ") {
		if strings.ContainsAny(c, "( ") {
			return strategy, nil
		}
		columns = append(columns, strings.Trim(c, `"`))
	}
	return strategy, columns
}

// Constraints returns all constraints of the database.
func (c *Catalog) Constraints() []pgvigil.Constraint { return c.read.Constraints }
