package reports

import (
	"cmp"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// bloatFloor is the size under which a relation's bloat is noise.
const bloatFloor = 1 << 20

// bloated lists the tables and indexes from bloatFloor up, by the bytes that a
// rewrite would free; those without an estimate come last, by size.
func bloated(catalog []pgvigil.DatabaseRead, page int64) []Bloat {
	var list []Bloat
	add := func(b Bloat, pages int64) {
		b.Size = pgvigil.Bytes(pages * page)
		if b.Size >= bloatFloor {
			list = append(list, b)
		}
	}
	for _, db := range catalog {
		for _, t := range db.Tables {
			if t.Kind != "p" {
				add(Bloat{DBID: db.OID, Schema: t.Schema, Name: t.Name, Estimate: t.Bloat}, t.Pages)
				add(Bloat{DBID: db.OID, Schema: t.Schema, Name: t.Name, TOAST: true, Estimate: t.TOAST.Bloat}, t.TOAST.Pages)
			}
		}
		for _, i := range db.Indexes {
			add(Bloat{DBID: db.OID, Schema: i.Schema, Name: i.Name, Index: true, Estimate: i.Bloat}, i.Pages)
		}
	}
	slices.SortFunc(list, func(a, b Bloat) int {
		return cmp.Or(cmp.Compare(b.free(), a.free()), cmp.Compare(b.Size, a.Size), cmp.Compare(a.Schema+a.Name, b.Schema+b.Name))
	})
	return list
}

// free is what a rewrite would free, -1 if unknown.
func (b Bloat) free() pgvigil.Bytes {
	if b.Estimate == nil {
		return -1
	}
	return b.Estimate.Bytes
}
