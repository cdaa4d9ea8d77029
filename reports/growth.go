package reports

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/pgvigil/pgvigil"
)

// defaultBlockSize is Postgres's unless it was built otherwise.
const defaultBlockSize = 8192

// blockSize reads block_size of the settings, in bytes.
func blockSize(list []pgvigil.Setting) int64 {
	for _, s := range list {
		if s.Name != "block_size" {
			continue
		}
		if n, err := strconv.ParseInt(s.Value, 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return defaultBlockSize
}

// part is what a relation is of the table that it is added to.
type part int

const (
	isTable part = iota
	isPartition
	isIndex
	isTOAST
)

// owner is the table that a relation's size is added to.
type owner struct {
	key  pgvigil.RelationKey
	leaf pgvigil.RelationKey
	part part
}

// family knows which table each relation belongs to: from the catalog, and for
// what is not there any more from the history.
type family struct {
	tables  map[pgvigil.RelationKey]pgvigil.Table
	indexes map[pgvigil.RelationKey]pgvigil.Index
	toasts  map[pgvigil.RelationKey]pgvigil.OID // TOAST table -> its table
	past    map[pgvigil.RelationKey]pgvigil.RelationSeries
}

func familyOf(catalog []pgvigil.DatabaseRead, relations []pgvigil.RelationSeries) family {
	f := family{
		make(map[pgvigil.RelationKey]pgvigil.Table), make(map[pgvigil.RelationKey]pgvigil.Index),
		make(map[pgvigil.RelationKey]pgvigil.OID), make(map[pgvigil.RelationKey]pgvigil.RelationSeries, len(relations)),
	}
	for _, db := range catalog {
		for _, t := range db.Tables {
			f.tables[t.Key] = t
			if t.TOAST.RelID != 0 {
				f.toasts[pgvigil.RelationKey{DBID: t.Key.DBID, RelID: t.TOAST.RelID}] = t.Key.RelID
			}
		}
		for _, i := range db.Indexes {
			f.indexes[i.Key] = i
		}
	}
	for _, r := range relations {
		r.Sizes, r.Intervals = nil, nil
		f.past[r.Key] = r
	}
	return f
}

// above returns what a relation belongs to, and what it is of it; false if it
// belongs to nothing.
func (f family) above(k pgvigil.RelationKey) (pgvigil.RelationKey, part, bool) {
	up, what := pgvigil.OID(0), isTable
	if t, ok := f.tables[k]; ok {
		up, what = t.Parent, isPartition
	} else if i, ok := f.indexes[k]; ok {
		up, what = i.TableID, isIndex
	} else if of, ok := f.toasts[k]; ok {
		up, what = of, isTOAST
	} else if r, ok := f.past[k]; ok {
		up, what = r.Parent, map[string]part{"i": isIndex, "t": isTOAST}[r.Kind]
		if what == isTable {
			what = isPartition
		}
	}
	return pgvigil.RelationKey{DBID: k.DBID, RelID: up}, what, up != 0
}

// owner follows index to table, TOAST to table and partition to parent. part
// says what the relation is of the outermost table, leaf is the partition that
// it belongs to.
func (f family) owner(r pgvigil.RelationSeries) owner {
	o := owner{key: r.Key, leaf: r.Key}
	for range 8 { // partitions of partitions, and a history that may be damaged
		up, what, ok := f.above(o.key)
		if !ok {
			break
		}
		if o.part == isTable {
			o.part = what
		}
		if what == isIndex || what == isTOAST {
			o.leaf = up
		}
		o.key = up
	}
	return o
}

// span is the time over which sizes are compared.
type span struct{ first, last time.Time }

// at returns the i-th of n+1 equal steps.
func (s span) at(i, n int) time.Time {
	return s.first.Add(s.last.Sub(s.first) * time.Duration(i) / time.Duration(n))
}

// sized are the readings that growth works on.
type sized struct {
	catalog   []pgvigil.DatabaseRead
	relations []pgvigil.RelationSeries
	events    []pgvigil.Event
	span      span
	page      int64 // bytes
	// inView says when each database that was there before it could be looked
	// into came into view.
	inView map[pgvigil.OID]time.Time
}

// growth adds up the sizes of tables with all that belongs to them: those that
// appeared in numbers first, then those that changed most. Tables that kept
// their size are left out.
func growth(s sized) []Growth {
	if !s.span.last.After(s.span.first) {
		return nil
	}
	f := familyOf(s.catalog, s.relations)
	all := s.all()
	lives := livesOf(s, f, all)
	byTable, parts := make(map[pgvigil.RelationKey]*Growth), make(partitions)
	for _, r := range all {
		o, l := f.owner(r), lives.of(r)
		g := byTable[o.key]
		if g == nil {
			g = &Growth{DBID: o.key.DBID, Schema: r.Schema, Name: r.Name, First: s.span.first, Last: s.span.last, Sizes: make([]pgvigil.Bytes, sparkSteps+1)}
			if t, ok := f.tables[o.key]; ok {
				g.Schema, g.Name = t.Schema, t.Name
			}
			byTable[o.key] = g
		}
		if r.Key == o.key && l.died.IsZero() {
			g.Born = l.born
		}
		g.add(r, o.part, l, s.page)
		if o.leaf != o.key {
			parts.add(o, f.name(o.leaf), [2]pgvigil.Bytes{
				pgvigil.Bytes(lived(r, l, g.First) * s.page), pgvigil.Bytes(lived(r, l, g.Last) * s.page),
			})
		}
	}
	for key, g := range byTable {
		g.Parts = parts.of(key)
	}
	return settleGrowth(byTable)
}

// all are the relations with sizes. The history keeps a size when it changes,
// so those of the catalog without any had the same size all the time.
func (s sized) all() []pgvigil.RelationSeries {
	var list []pgvigil.RelationSeries
	changed := make(map[pgvigil.RelationKey]bool)
	for _, r := range s.relations {
		if len(r.Sizes) > 0 {
			changed[r.Key] = true
			list = append(list, r)
		}
	}
	constant := func(k pgvigil.RelationKey, schema, name string, pages int64) {
		if !changed[k] && pages > 0 {
			list = append(list, pgvigil.RelationSeries{Key: k, Schema: schema, Name: name, Sizes: []pgvigil.SizePoint{{At: s.span.first, Pages: pages}}})
		}
	}
	for _, db := range s.catalog {
		for _, t := range db.Tables {
			constant(t.Key, t.Schema, t.Name, t.Pages)
			constant(pgvigil.RelationKey{DBID: t.Key.DBID, RelID: t.TOAST.RelID}, "pg_toast", "", t.TOAST.Pages)
		}
		for _, i := range db.Indexes {
			constant(i.Key, i.Schema, i.Name, i.Pages)
		}
	}
	return list
}

// lived is a relation's size at a time: nothing before it was created or after
// it was dropped.
func lived(r pgvigil.RelationSeries, l life, at time.Time) int64 {
	if l.born.After(at) || (!l.died.IsZero() && !l.died.After(at)) {
		return 0
	}
	return sizeAt(r.Sizes, at)
}

// add adds one relation's sizes.
func (g *Growth) add(r pgvigil.RelationSeries, p part, l life, page int64) {
	s := span{g.First, g.Last}
	var size pgvigil.Bytes
	for i := range g.Sizes {
		size = pgvigil.Bytes(lived(r, l, s.at(i, len(g.Sizes)-1)) * page)
		g.Sizes[i] += size
	}
	switch p {
	case isIndex:
		g.Indexes += size
	case isTOAST:
		g.TOAST += size
	case isPartition:
		g.Partitions++
	}
}

// settleGrowth derives start, end and rate, gathers the tables that appeared
// in numbers, and orders by change.
func settleGrowth(byTable map[pgvigil.RelationKey]*Growth) []Growth {
	var grown []Growth
	for _, g := range byTable {
		g.settle()
		if g.Start != g.End || !g.Born.IsZero() {
			grown = append(grown, *g)
		}
	}
	slices.SortFunc(grown, byChange)
	grown = appeared(grown)
	slices.SortFunc(grown, func(a, b Growth) int { return cmp.Or(cmp.Compare(min(b.Tables, 1), min(a.Tables, 1)), byChange(a, b)) })
	return grown
}

// byChange orders the largest change first.
func byChange(a, b Growth) int {
	change := func(g Growth) pgvigil.Bytes { return max(g.End-g.Start, g.Start-g.End) }
	return cmp.Or(cmp.Compare(change(b), change(a)), cmp.Compare(a.Schema+a.Name, b.Schema+b.Name), cmp.Compare(a.DBID, b.DBID))
}

// settle derives start, end and rate from the sizes.
func (g *Growth) settle() {
	g.Start, g.End = g.Sizes[0], g.Sizes[len(g.Sizes)-1]
	g.PerDay = math.NaN()
	if took := g.Last.Sub(g.First); took >= time.Hour {
		g.PerDay = float64(g.End-g.Start) / (took.Hours() / 24)
	}
}

// sizeAt is the size in pages last read at or before t, else the first.
func sizeAt(sizes []pgvigil.SizePoint, t time.Time) int64 {
	i, _ := slices.BinarySearchFunc(sizes, t, func(p pgvigil.SizePoint, t time.Time) int {
		if p.At.After(t) {
			return 1
		}
		return -1
	})
	return sizes[max(i-1, 0)].Pages
}
