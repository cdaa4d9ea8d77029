package collector

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/bloat"
	"github.com/pgvigil/pgvigil/query"
)

// catalog is what changes rarely in one database. It is read completely every
// CatalogEvery, and at once for tables and indexes that are new.
type catalog struct {
	readAt time.Time
	// definedAt is readAt by the server's clock.
	definedAt time.Time
	tables    map[pgvigil.OID]*tableShape
	indexes   map[pgvigil.OID]*indexShape
	// objectsAt is the readAt at which sequences and extensions were read.
	objectsAt  time.Time
	sequences  []pgvigil.Sequence
	extensions []pgvigil.Extension
}

// tableShape is a table's definition and the statistics of its columns.
type tableShape struct {
	sign        tableSign
	columns     []pgvigil.Column
	layout      []bloat.Column // by attnum-1, dropped ones included
	key, bound  string
	constraints []pgvigil.Constraint
}

// indexShape is an index's definition.
type indexShape struct {
	table      pgvigil.OID
	def        string
	predicate  string
	constraint string
	keyCount   int
	columns    []indexColumn
}

// indexColumn is one key or payload column of an index.
type indexColumn struct {
	name   string // of the column, else the expression
	attnum int    // in the table; 0 for an expression
	layout bloat.Column
	// equal says that equal values have equal bytes, so that duplicates merge.
	equal bool
}

// catalog returns what is remembered of the database.
func (v *visit) catalog() *catalog {
	c := v.memory.catalogs[v.db.OID]
	if c == nil {
		c = &catalog{tables: map[pgvigil.OID]*tableShape{}, indexes: map[pgvigil.OID]*indexShape{}}
		v.memory.catalogs[v.db.OID] = c
	}
	return c
}

// readCatalog brings the catalog up to date. Definitions that would wait for a
// lock keep their last known value.
func (v *visit) readCatalog(ctx context.Context) error {
	c := v.catalog()
	due := v.Now().Sub(c.readAt) >= v.CatalogEvery
	var fresh []pgvigil.OID // nil: all
	if !due {
		if fresh = c.unknown(v.tables, v.indexes); len(fresh) == 0 {
			c.prune(v.tables, v.indexes)
			return nil
		}
	}
	next := &catalog{tables: map[pgvigil.OID]*tableShape{}, indexes: map[pgvigil.OID]*indexShape{}}
	err := v.readShapes(ctx, next, fresh)
	if sqlState(err) == stateLockTimeout {
		v.warn("catalog-stale", fmt.Sprintf("definitions in database %s may be old: a lock is held on a table", v.db.Name), "")
		err = nil
		due = false
	}
	if err != nil {
		return fmt.Errorf("read the catalog: %w", err)
	}
	c.merge(next)
	if due {
		c.readAt, c.definedAt = v.Now(), v.snap.At
	}
	c.sign(v.tables)
	c.prune(v.tables, v.indexes)
	if v.due = due; due {
		v.warnStatistics(c)
	}
	return nil
}

// readShapes reads the shapes of the given tables and of their indexes; of all
// if the list is nil. What needs no lock comes first, so that it is there even
// when a lock ends the rest.
func (v *visit) readShapes(ctx context.Context, c *catalog, tables []pgvigil.OID) error {
	var ids []int64
	for _, oid := range tables {
		ids = append(ids, int64(oid))
	}
	for _, step := range []struct {
		query string
		scan  func(*catalog, pgx.Rows) error
	}{
		{"columns", scanColumn},
		{"index_definitions", scanIndexDefinition},
		{"index_columns", scanIndexColumn},
		{"partitions", scanPartition},
		{"constraints", scanConstraint},
	} {
		rows, err := v.conn.Query(ctx, load(step.query), ids)
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := step.scan(c, rows); err != nil {
				rows.Close()
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (c *catalog) tableShape(oid pgvigil.OID) *tableShape {
	s := c.tables[oid]
	if s == nil {
		s = &tableShape{}
		c.tables[oid] = s
	}
	return s
}

func scanColumn(c *catalog, rows pgx.Rows) error {
	var table pgvigil.OID
	var col pgvigil.Column
	var length int
	var align, generated string
	var dropped, late bool
	var width *int
	var nulls, distinct, correlation *float64
	err := rows.Scan(&table, &col.Num, &col.Name, &col.Type, &col.NotNull, &length, &align, &dropped, &late, &generated,
		&width, &nulls, &distinct, &correlation)
	if err != nil {
		return err
	}
	col.NullFrac, col.Distinct, col.Correlation = orNaN(nulls), orNaN(distinct), orNaN(correlation)
	layout := bloat.Column{Len: length, Align: align, Width: math.NaN(), NullFrac: col.NullFrac, Distinct: col.Distinct, Dropped: dropped, Late: late}
	if width != nil {
		col.AvgWidth = *width
		layout.Width = float64(*width)
	}
	if generated == "v" { // computed when read, never stored
		layout = bloat.Column{Len: length, Align: align, Width: 0, NullFrac: 1}
	}
	s := c.tableShape(table)
	s.layout = append(s.layout, layout)
	if !dropped {
		s.columns = append(s.columns, col)
	}
	return nil
}

func scanIndexDefinition(c *catalog, rows pgx.Rows) error {
	var oid pgvigil.OID
	var s indexShape
	var def, predicate *string
	if err := rows.Scan(&oid, &s.table, &def, &predicate, &s.keyCount, &s.constraint); err != nil {
		return err
	}
	s.def, s.predicate = masked(def), masked(predicate)
	c.indexes[oid] = &s
	return nil
}

func scanIndexColumn(c *catalog, rows pgx.Rows) error {
	var oid pgvigil.OID
	var num, length int
	var align string
	var width *int
	var nulls, distinct *float64
	var col indexColumn
	if err := rows.Scan(&oid, &num, &col.attnum, &col.name, &length, &align, &col.equal, &width, &nulls, &distinct); err != nil {
		return err
	}
	col.layout = bloat.Column{Len: length, Align: align, Width: math.NaN(), NullFrac: orNaN(nulls), Distinct: orNaN(distinct)}
	if width != nil {
		col.layout.Width = float64(*width)
	}
	if col.attnum == 0 {
		col.name = query.MaskDefinition(col.name)
	}
	if s := c.indexes[oid]; s != nil {
		s.columns = append(s.columns, col)
	}
	return nil
}

func scanPartition(c *catalog, rows pgx.Rows) error {
	var oid pgvigil.OID
	var key, bound *string
	if err := rows.Scan(&oid, &key, &bound); err != nil {
		return err
	}
	s := c.tableShape(oid)
	s.key, s.bound = masked(key), masked(bound)
	return nil
}

func scanConstraint(c *catalog, rows pgx.Rows) error {
	var k pgvigil.Constraint
	var def *string
	if err := rows.Scan(&k.TableID, &k.Name, &k.Kind, &def, &k.Validated, &k.RefTableID); err != nil {
		return err
	}
	k.Def = masked(def)
	s := c.tableShape(k.TableID)
	s.constraints = append(s.constraints, k)
	return nil
}

// unknown returns the tables whose shape is not known, or has changed, or that
// have an index whose shape is not known. It is never nil.
func (c *catalog) unknown(tables []tableRow, indexes []indexRow) []pgvigil.OID {
	list := []pgvigil.OID{}
	listed := map[pgvigil.OID]bool{}
	add := func(table pgvigil.OID) {
		if !listed[table] {
			listed[table] = true
			list = append(list, table)
		}
	}
	for i := range tables {
		if s := c.tables[tables[i].Key.RelID]; s == nil || s.sign != tables[i].shape {
			add(tables[i].Key.RelID)
		}
	}
	for i := range indexes {
		if c.indexes[indexes[i].Key.RelID] == nil {
			add(indexes[i].TableID)
		}
	}
	return list
}

// merge takes over what was read. Where a lock hid a definition, the old one stays.
func (c *catalog) merge(next *catalog) {
	for oid, s := range next.tables {
		if old := c.tables[oid]; old != nil {
			s.keep(old)
		}
		c.tables[oid] = s
	}
	for oid, s := range next.indexes {
		if old := c.indexes[oid]; old != nil {
			s.keep(old)
		}
		c.indexes[oid] = s
	}
}

func (s *tableShape) keep(old *tableShape) {
	if s.columns == nil {
		s.columns, s.layout = old.columns, old.layout
	}
	if s.constraints == nil {
		s.constraints = old.constraints
	}
	s.key, s.bound = orOld(s.key, old.key), orOld(s.bound, old.bound)
	for i := range s.constraints {
		k := &s.constraints[i]
		for _, o := range old.constraints {
			if o.Name == k.Name {
				k.Def = orOld(k.Def, o.Def)
			}
		}
	}
}

func (s *indexShape) keep(old *indexShape) {
	if s.def == "" {
		s.def, s.predicate, s.columns = old.def, old.predicate, old.columns
	}
}

// sign notes what each table looked like when its shape was read.
func (c *catalog) sign(tables []tableRow) {
	for i := range tables {
		c.tableShape(tables[i].Key.RelID).sign = tables[i].shape
	}
}

// prune forgets what is no longer there.
func (c *catalog) prune(tables []tableRow, indexes []indexRow) {
	here := make(map[pgvigil.OID]bool, len(tables)+len(indexes))
	for i := range tables {
		here[tables[i].Key.RelID] = true
	}
	for i := range indexes {
		here[indexes[i].Key.RelID] = true
	}
	for oid := range c.tables {
		if !here[oid] {
			delete(c.tables, oid)
		}
	}
	for oid := range c.indexes {
		if !here[oid] {
			delete(c.indexes, oid)
		}
	}
}

func orNaN(f *float64) float64 {
	if f == nil {
		return math.NaN()
	}
	return *f
}

// masked returns a definition without the constants that could be a secret, ""
// for NULL.
func masked(def *string) string {
	if def == nil {
		return ""
	}
	return query.MaskDefinition(*def)
}

func orOld(now, old string) string {
	if now == "" {
		return old
	}
	return now
}
