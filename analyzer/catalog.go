package analyzer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// catalog is what the evidence needs of the tables and indexes of all databases.
type catalog struct {
	tick    int
	parent  map[pgvigil.RelationKey]pgvigil.RelationKey // partition -> partitioned table
	tables  map[pgvigil.RelationKey]pgvigil.Table
	indexes map[pgvigil.RelationKey][]pgvigil.Index     // by table
	owner   map[pgvigil.RelationKey]pgvigil.RelationKey // table of an index; a table is its own
	named   map[tableName][]pgvigil.RelationKey
}

// tableName is the unqualified lower-case name of tables of a database, 0 for
// any: schemas may hold several of that name.
type tableName struct {
	db   pgvigil.OID
	name string
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
		tick: s.detector.Tick(), parent: map[pgvigil.RelationKey]pgvigil.RelationKey{}, tables: map[pgvigil.RelationKey]pgvigil.Table{},
		indexes: map[pgvigil.RelationKey][]pgvigil.Index{}, owner: map[pgvigil.RelationKey]pgvigil.RelationKey{},
		named: map[tableName][]pgvigil.RelationKey{},
	}
	for _, db := range list {
		s.databases[db.OID] = db.Name
		s.visited[db.OID] = db.Visited
		c.add(db)
	}
	s.catalog = c
	return c, nil
}

func (c *catalog) add(db pgvigil.DatabaseRead) {
	for _, t := range db.Tables {
		c.tables[t.Key], c.owner[t.Key] = t, t.Key
		if t.Parent != 0 {
			c.parent[t.Key] = pgvigil.RelationKey{DBID: t.Key.DBID, RelID: t.Parent}
		}
		name := strings.ToLower(t.Name)
		for _, n := range []tableName{{t.Key.DBID, name}, {0, name}} {
			c.named[n] = append(c.named[n], t.Key)
		}
	}
	for _, i := range db.Indexes {
		t := pgvigil.RelationKey{DBID: i.Key.DBID, RelID: i.TableID}
		c.indexes[t] = append(c.indexes[t], i)
		c.owner[i.Key] = t
	}
}

// find returns the tables of a database, 0 for any, that a name may mean: one
// without a schema means those of all schemas, for nobody knows the
// search_path of a query.
func (c *catalog) find(db pgvigil.OID, name string) []pgvigil.RelationKey {
	list := c.named[tableName{db, unqualified(name)}]
	schema := schemaOf(name)
	if schema == "" {
		return list
	}
	var out []pgvigil.RelationKey
	for _, k := range list {
		if strings.ToLower(c.tables[k].Schema) == schema {
			out = append(out, k)
		}
	}
	return out
}

// root returns the partitioned table that a partition belongs to, at any depth,
// or the table itself.
func (c *catalog) root(k pgvigil.RelationKey) pgvigil.RelationKey {
	for range 8 {
		p, ok := c.parent[k]
		if _, known := c.tables[p]; !ok || !known {
			break
		}
		k = p
	}
	return k
}

// roots returns the roots of the tables that a name may mean.
func (c *catalog) roots(db pgvigil.OID, name string) []pgvigil.RelationKey {
	var out []pgvigil.RelationKey
	for _, k := range c.find(db, name) {
		if r := c.root(k); !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// family returns the unqualified name of a table and those of the partitioned
// tables above it.
func (c *catalog) family(db pgvigil.OID, name string) []string {
	out := []string{unqualified(name)}
	for _, r := range c.roots(db, name) {
		if above := strings.ToLower(c.tables[r].Name); !slices.Contains(out, above) {
			out = append(out, above)
		}
	}
	return out
}

// related says whether two names may mean the same table of a database, or
// partitions of the same. Tables that the catalog does not hold go by name.
func (c *catalog) related(db pgvigil.OID, a, b string) bool {
	as, bs := c.roots(db, a), c.roots(db, b)
	if len(as) == 0 || len(bs) == 0 {
		return unqualified(a) == unqualified(b)
	}
	return slices.ContainsFunc(as, func(k pgvigil.RelationKey) bool { return slices.Contains(bs, k) })
}

// label names a table for people: with its schema if the database holds
// another of its name.
func (c *catalog) label(k pgvigil.RelationKey) string {
	t := c.tables[k]
	name := strings.ToLower(t.Name)
	if len(c.named[tableName{k.DBID, name}]) > 1 {
		return strings.ToLower(t.Schema) + "." + name
	}
	return name
}

// unqualified cuts the schema off a name, in lower case without quotes.
func unqualified(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToLower(strings.Trim(name, `"`))
}

// schemaOf returns the schema that a name says, in lower case without quotes,
// or "".
func schemaOf(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return unqualified(name[:i])
}

// tableOf names the table of an event, with its schema where the event's object
// tells it: an index lives in the schema of its table.
func tableOf(e pgvigil.Event) string {
	if schema, _, ok := strings.Cut(e.Object, "."); ok && e.Table != "" {
		return schema + "." + e.Table
	}
	return e.Table
}
