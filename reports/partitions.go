package reports

import (
	"cmp"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// partitions gathers the sizes of partitions by the table that they are of.
type partitions map[pgvigil.RelationKey]map[pgvigil.RelationKey]*GrowthPart

// add adds what a relation had at first and at last to the partition that it
// belongs to.
func (p partitions) add(o owner, name string, size [2]pgvigil.Bytes) {
	of := p[o.key]
	if of == nil {
		of = make(map[pgvigil.RelationKey]*GrowthPart)
		p[o.key] = of
	}
	part := of[o.leaf]
	if part == nil {
		part = &GrowthPart{Name: name}
		of[o.leaf] = part
	}
	part.Start += size[0]
	part.End += size[1]
}

// of returns the partitions of a table that ever had a size, largest first.
func (p partitions) of(table pgvigil.RelationKey) []GrowthPart {
	var list []GrowthPart
	for _, part := range p[table] {
		if part.Start > 0 || part.End > 0 {
			list = append(list, *part)
		}
	}
	slices.SortFunc(list, func(a, b GrowthPart) int {
		return cmp.Or(cmp.Compare(max(b.Start, b.End), max(a.Start, a.End)), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// name is how people call a relation, one that is gone by its last name.
func (f family) name(k pgvigil.RelationKey) string {
	if t, ok := f.tables[k]; ok {
		return t.Schema + "." + t.Name
	}
	r := f.past[k]
	return r.Schema + "." + r.Name
}

// partRows is how many partitions of a table are listed.
const partRows = 40

// partView is one partition as the page shows it.
type partView struct{ Name, Start, End, Change string }

func partViews(g Growth) (views []partView, rest string) {
	for _, p := range g.Parts[:min(partRows, len(g.Parts))] {
		views = append(views, partView{plain(p.Name, maxName), size(p.Start), size(p.End), signedSize(float64(p.End - p.Start))})
	}
	if more := len(g.Parts) - len(views); more > 0 {
		rest = count(more, "smaller partition is", "smaller partitions are") + " not shown."
	}
	return views, rest
}
