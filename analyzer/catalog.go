package analyzer

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// catalog is what the evidence needs of tables and indexes, by unqualified
// lower-case names.
type catalog struct {
	tick    int
	parent  map[string]string // partition -> partitioned table
	tables  map[string]pgvigil.Table
	indexes map[string][]pgvigil.Index // by table
	owner   map[pgvigil.RelationKey]string
}

// catalogLife is how many passes a read of the catalog is good for.
const catalogLife = 20

// tables reads the catalog unless it was read a moment ago.
func (s *server) tables(ctx context.Context, h History) (*catalog, error) {
	if c := s.catalog; c != nil && s.detector.Tick()-c.tick < catalogLife {
		return c, nil
	}
	list, err := h.Catalog(ctx, s.id)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	c := &catalog{
		tick: s.detector.Tick(), parent: map[string]string{}, tables: map[string]pgvigil.Table{},
		indexes: map[string][]pgvigil.Index{}, owner: map[pgvigil.RelationKey]string{},
	}
	for _, db := range list {
		s.databases[db.OID] = db.Name
		s.visited[db.OID] = len(db.Tables) > 0
		c.add(db)
	}
	s.catalog = c
	return c, nil
}

func (c *catalog) add(db pgvigil.DatabaseRead) {
	byID := map[pgvigil.OID]string{}
	for _, t := range db.Tables {
		byID[t.Key.RelID] = strings.ToLower(t.Name)
	}
	for _, t := range db.Tables {
		name := strings.ToLower(t.Name)
		c.tables[name] = t
		c.owner[t.Key] = name
		if p := byID[t.Parent]; t.Parent != 0 && p != "" {
			c.parent[name] = p
		}
	}
	for _, i := range db.Indexes {
		t := strings.ToLower(i.Table)
		c.indexes[t] = append(c.indexes[t], i)
		c.owner[i.Key] = t
	}
}

// root returns the partitioned table that a partition belongs to, at any depth,
// or the name itself.
func (c *catalog) root(name string) string {
	for range 8 {
		p, ok := c.parent[name]
		if !ok {
			break
		}
		name = p
	}
	return name
}

// family returns a table's name and those of the partitioned tables above it.
func (c *catalog) family(name string) []string {
	name = unqualified(name)
	out := []string{name}
	if r := c.root(name); r != name {
		out = append(out, r)
	}
	return out
}

// related says whether two tables are the same, or partitions of the same.
func (c *catalog) related(a, b string) bool {
	return c.root(unqualified(a)) == c.root(unqualified(b))
}
