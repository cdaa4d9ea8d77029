package index

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

const (
	// maxKeys bounds the keys of an index; more pay off rarely.
	maxKeys = 4
	// maxInclude and maxIncludeWidth bound the payload for index-only scans.
	maxInclude      = 3
	maxIncludeWidth = 48
	// maxPerDemand bounds the candidates of one table of one statement.
	maxPerDemand = 40
)

// Generate drafts indexes for one demand, most specific first. What a valid
// existing index serves already is left out; what an invalid one would serve
// is marked.
func (c *Catalog) Generate(d Demand) []Candidate {
	g := &generator{catalog: c, demand: d, seen: map[string]bool{}}
	g.split()
	for _, joins := range g.joinSets() {
		g.whole(joins)
		g.partial(joins)
	}
	for _, c := range g.demand.Either {
		g.add(draft{kind: "either"}, []whatif.Key{c.key()})
	}
	g.contains()
	return g.out
}

type generator struct {
	catalog *Catalog
	demand  Demand
	seen    map[string]bool
	out     []Candidate

	eq, in, ranges, joins, constants, containers []Cond
}

// split sorts the conditions by what an index can do with them.
func (g *generator) split() {
	skip := g.pruned()
	for _, c := range g.demand.Conds {
		switch {
		case c.Expr == "" && slices.Contains(skip, c.Column):
			continue
		case c.Join && c.Op == Equal:
			g.joins = append(g.joins, c)
			continue
		}
		if c.constant() {
			g.constants = append(g.constants, c)
		}
		switch c.Op {
		case Equal, Null:
			g.eq = append(g.eq, c)
		case In:
			g.in = append(g.in, c)
		case Range, Prefix:
			g.ranges = append(g.ranges, c)
		case Contains, Similar:
			g.containers = append(g.containers, c)
		}
	}
	for _, list := range []*[]Cond{&g.eq, &g.in, &g.ranges, &g.joins} {
		g.bySelectivity(*list)
		*list = distinctKeys(*list)
	}
}

// pruned are columns whose condition picks one partition: they are constant in
// it, and so are of no use in its index.
func (g *generator) pruned() []string {
	strategy, columns := PartitionColumns(g.demand.Table)
	if strategy != "LIST" || len(columns) != 1 {
		return nil
	}
	for _, c := range g.demand.Conds {
		if c.Column == columns[0] && c.Expr == "" && (c.Op == Equal || c.Op == In) {
			return columns
		}
	}
	return nil
}

// bySelectivity puts the columns with most values first; NULL tests, which
// pick one value of many, count as the share that statistics give.
func (g *generator) bySelectivity(conds []Cond) {
	rows := g.catalog.Rows(g.demand.Table)
	slices.SortStableFunc(conds, func(a, b Cond) int {
		return cmp.Compare(g.values(b, rows), g.values(a, rows))
	})
}

func (g *generator) values(c Cond, rows float64) float64 {
	col, _ := g.catalog.Column(g.demand.Table, c.Column)
	if c.Op == Null {
		if col.NullFrac > 0 {
			return 1 / col.NullFrac
		}
		return 1
	}
	return Distinct(col, rows)
}

func distinctKeys(conds []Cond) []Cond {
	seen := map[string]bool{}
	return slices.DeleteFunc(conds, func(c Cond) bool {
		k := c.key().SQL()
		was := seen[k]
		seen[k] = true
		return was
	})
}

// joinSets are the sets of join columns worth trying: none, when the table is
// read first, and all, when it is looked into for each row of another.
func (g *generator) joinSets() [][]Cond {
	if len(g.joins) == 0 {
		return [][]Cond{nil}
	}
	return [][]Cond{g.joins, nil}
}

// whole drafts indexes over all rows.
func (g *generator) whole(joins []Cond) {
	g.variants(distinctKeys(slices.Concat(joins, g.eq)), g.in, draft{})
}

// partial drafts indexes over the rows that constants select: all constants
// together, then each alone.
func (g *generator) partial(joins []Cond) {
	sets := [][]Cond{g.constants}
	if len(g.constants) > 1 {
		for _, c := range g.constants {
			sets = append(sets, []Cond{c})
		}
	}
	for _, set := range sets {
		g.partialOver(joins, set)
	}
}

func (g *generator) partialOver(joins, constants []Cond) {
	readable, folded, ok := Predicate(g.demand.Table, constants)
	if !ok {
		return
	}
	where := draft{kind: "partial", conds: constants, Index: whatif.Index{Predicate: readable, Folded: folded}}
	eq := without(distinctKeys(slices.Concat(joins, g.eq)), constants)
	in := without(g.in, constants)
	g.variants(eq, in, where)
	if len(eq)+len(in)+len(g.ranges)+len(g.demand.Order) == 0 {
		g.add(where, []whatif.Key{constants[0].key()})
	}
}

func without(conds, gone []Cond) []Cond {
	return slices.DeleteFunc(slices.Clone(conds), func(c Cond) bool {
		return slices.ContainsFunc(gone, func(d Cond) bool { return d.Column == c.Column && d.Op == c.Op })
	})
}

// draft is a candidate in the making: what all its variants have in common.
type draft struct {
	whatif.Index
	kind    string // wins over what a variant is called
	conds   []Cond // of the predicate
	ordered bool
}

func (d draft) as(kind string) draft {
	if d.kind == "" {
		d.kind = kind
	}
	return d
}

// variants drafts the arrangements of one set of conditions: an equality
// prefix, then one range, a list, or the ORDER BY tail.
func (g *generator) variants(eq, in []Cond, base draft) {
	prefix := keys(eq)
	if len(g.demand.Order) > 0 {
		d := base.as("order")
		d.ordered = g.demand.Limited
		g.add(d, extend(prefix, g.demand.Order))
	}
	for _, r := range g.ranges {
		g.add(base.as("range"), extend(prefix, []whatif.Key{r.key()}))
		if len(in) > 0 {
			g.add(base.as("list"), extend(extend(prefix, keys(in)), []whatif.Key{r.key()}))
		}
	}
	if len(in) > 0 {
		g.add(base.as("list"), extend(prefix, keys(in)))
	}
	g.add(base.as("equality"), prefix)
	g.covering(base, eq, in)
	for _, c := range slices.Concat(eq, in) {
		g.add(base.as("equality"), []whatif.Key{c.key()})
	}
}

func keys(conds []Cond) []whatif.Key {
	out := make([]whatif.Key, len(conds))
	for i, c := range conds {
		out[i] = c.key()
	}
	return out
}

// extend appends keys that are not there yet.
func extend(prefix, more []whatif.Key) []whatif.Key {
	out := slices.Clone(prefix)
	for _, k := range more {
		if !slices.ContainsFunc(out, func(o whatif.Key) bool { return o.Column == k.Column && o.Expr == k.Expr }) {
			out = append(out, k)
		}
	}
	return out
}

// covering drafts an index that holds all columns that the statement reads.
func (g *generator) covering(base draft, eq, in []Cond) {
	if g.demand.Columns == nil || g.demand.Locking {
		return
	}
	keyed := extend(keys(eq), keys(in))
	for _, r := range g.ranges[:min(1, len(g.ranges))] {
		keyed = extend(keyed, []whatif.Key{r.key()})
	}
	if len(g.demand.Order) > 0 && len(g.ranges) == 0 {
		keyed = extend(keys(eq), g.demand.Order)
	}
	width := 0
	for _, name := range g.demand.Columns {
		if slices.ContainsFunc(keyed, func(k whatif.Key) bool { return k.Column == name }) {
			continue
		}
		col, ok := g.catalog.Column(g.demand.Table, name)
		if !ok {
			return
		}
		width += columnWidth(col)
		base.Include = append(slices.Clone(base.Include), name)
	}
	if n := len(base.Include); n == 0 || n > maxInclude || width > maxIncludeWidth {
		return
	}
	base.kind = "covering"
	g.add(base, keyed)
}

// contains drafts GIN indexes for arrays, jsonb and trigrams.
func (g *generator) contains() {
	for _, c := range g.containers {
		col, _ := g.catalog.Column(g.demand.Table, c.Column)
		k := c.key()
		switch {
		case c.Expr != "":
			continue
		case c.Op == Similar:
			k.Class = "gin_trgm_ops"
		case !strings.HasSuffix(col.Type, "[]") && col.Type != "jsonb":
			continue
		}
		g.add(draft{kind: "contains", Index: whatif.Index{Method: "gin"}}, []whatif.Key{k})
	}
}

// add keeps a draft unless it is empty, known, too wide or served already.
func (g *generator) add(d draft, ks []whatif.Key) {
	t, x := g.demand.Table, d.Index
	if len(ks) == 0 || len(g.out) >= maxPerDemand || !g.exist(ks) {
		return
	}
	x.Schema, x.Table, x.Keys = t.Schema, t.Name, ks[:min(len(ks), maxKeys)]
	x.Whole = Whole(x.Keys, d.conds)
	if g.seen[x.Definition()] {
		return
	}
	g.seen[x.Definition()] = true
	served, valid := g.catalog.servedBy(t, x)
	if served != "" && valid {
		return
	}
	g.out = append(g.out, Candidate{
		Index: x, Kind: d.kind, Author: Rules, Wants: []int{g.demand.Work}, Existing: served,
		Conds: d.conds, Ordered: d.ordered,
	})
}

// Whole are the keys of an index over all rows that does nearly what one over
// the rows that conds select does: columns that must equal one value in front,
// lists behind.
func Whole(ks []whatif.Key, conds []Cond) []whatif.Key {
	var front, behind []whatif.Key
	for _, c := range conds {
		switch c.Op {
		case Equal, Null:
			front = append(front, c.key())
		case In:
			behind = append(behind, c.key())
		}
	}
	return extend(extend(front, ks), behind)
}

func (g *generator) exist(ks []whatif.Key) bool {
	return !slices.ContainsFunc(ks, func(k whatif.Key) bool {
		_, ok := column(g.demand.Table, k.Column)
		return !ok
	})
}

// Restore drafts an index from the definition of one that was dropped. ok is
// false if the definition cannot be read or its table is gone.
func (c *Catalog) Restore(def string, wants []int) (Candidate, *pgvigil.Table, bool) {
	x, err := whatif.ParseIndex(def)
	if err != nil {
		return Candidate{}, nil, false
	}
	t := c.Table(strings.ToLower(strings.TrimPrefix(x.Schema+"."+x.Table, ".")))
	if t == nil {
		return Candidate{}, nil, false
	}
	for _, k := range x.Keys {
		if _, ok := column(t, k.Column); !ok && k.Expr == "" {
			return Candidate{}, nil, false
		}
	}
	// The index of one partition comes back on the parent: the others miss it too.
	if x.Table != t.Name {
		x.Name = ""
	}
	x.Schema, x.Table = t.Schema, t.Name
	if served, valid := c.servedBy(t, x); served != "" && valid {
		return Candidate{}, nil, false
	}
	return Candidate{Index: x, Kind: "restore", Author: Rules, Wants: wants}, t, true
}
