package reports

import (
	"context"
	"time"

	"github.com/pgvigil/pgvigil"
)

// life is when a relation came and went in the window, zero if it did not.
type life struct{ born, died time.Time }

// relationName names a relation of a database as events do.
type relationName struct {
	db     pgvigil.OID
	object string
}

func nameOf(r pgvigil.RelationSeries) relationName {
	return relationName{r.Key.DBID, r.Schema + "." + r.Name}
}

// lives knows when the relations of a server came and went. The history knows a
// size of each relation from the pass that saw it first, so a relation was born
// when its sizes begin. Events would not do: what comes with its table or its
// database is no event of its own.
type lives struct {
	family family
	first  time.Time // of the comparison
	inView map[pgvigil.OID]time.Time
	died   map[relationName]time.Time
	// many is when tables of a database were dropped in such numbers that the
	// event does not name them all.
	many  map[pgvigil.OID]time.Time
	older map[relationName]time.Time // when the sizes of a name begin
}

func livesOf(s sized, f family, all []pgvigil.RelationSeries) lives {
	l := lives{f, s.span.first, s.inView, map[relationName]time.Time{}, map[pgvigil.OID]time.Time{}, map[relationName]time.Time{}}
	for _, e := range s.events {
		if e.Kind == pgvigil.EventTableDropped || e.Kind == pgvigil.EventIndexDropped {
			l.died[relationName{e.DBID, e.Object}] = e.At
			if e.Count > 0 {
				l.many[e.DBID] = e.At
			}
		}
	}
	for _, r := range all {
		n, at := nameOf(r), r.Sizes[0].At
		if was, ok := l.older[n]; !ok || at.Before(was) {
			l.older[n] = at
		}
	}
	return l
}

func (l lives) of(r pgvigil.RelationSeries) (own life) {
	n, at := nameOf(r), r.Sizes[0].At
	if !l.family.holds(r.Key) {
		own.died = l.death(r.Key)
	}
	// One that took over a name that nobody gave up is a rebuilt one: REINDEX
	// CONCURRENTLY makes a new relation.
	rebuilt := l.older[n].Before(at) && l.died[n].IsZero()
	if at.After(l.first) && !at.Equal(l.inView[r.Key.DBID]) && !rebuilt {
		own.born = at
	}
	return own
}

// death is when a relation that the catalog does not have any more was dropped,
// itself or what it belonged to; zero if no event tells.
func (l lives) death(k pgvigil.RelationKey) time.Time {
	for range 8 {
		r := l.family.past[k]
		if at, ok := l.died[nameOf(r)]; ok {
			return at
		}
		if r.Parent == 0 || l.family.holds(pgvigil.RelationKey{DBID: k.DBID, RelID: r.Parent}) {
			break
		}
		k.RelID = r.Parent
	}
	return l.many[k.DBID]
}

// holds says whether the catalog, as last read, has the relation.
func (f family) holds(k pgvigil.RelationKey) bool {
	_, table := f.tables[k]
	_, index := f.indexes[k]
	_, toast := f.toasts[k]
	return table || index || toast
}

// comeIntoView returns when the databases that were there before any pass could
// look into them were looked into first. Their tables did not appear then.
func (g *gatherer) comeIntoView(ctx context.Context, first time.Time) (map[pgvigil.OID]time.Time, error) {
	begun := make(map[pgvigil.OID]time.Time)
	for _, r := range g.relations {
		if len(r.Sizes) == 0 {
			continue
		}
		if was, ok := begun[r.Key.DBID]; !ok || r.Sizes[0].At.Before(was) {
			begun[r.Key.DBID] = r.Sizes[0].At
		}
	}
	inView := make(map[pgvigil.OID]time.Time)
	for db, at := range begun {
		if !at.After(first) {
			continue
		}
		// A database that is compared with the pass before was there at that.
		points, err := g.history.DatabasePoints(ctx, g.id(), pgvigil.Window{From: at, To: at.Add(time.Millisecond)})
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			if p.DBID == db {
				inView[db] = at
			}
		}
	}
	return inView, nil
}

// singly is how many new tables of a database are listed one by one.
const singly = 3

// named is how many of the tables that appeared in numbers are named.
const named = 3

// appeared makes one entry of the tables that appeared in each database, where
// they are too many to list. The order of the list stays.
func appeared(list []Growth) []Growth {
	born := make(map[pgvigil.OID]int)
	for _, g := range list {
		if !g.Born.IsZero() {
			born[g.DBID]++
		}
	}
	all := make(map[pgvigil.OID]*Growth)
	var out []Growth
	for _, g := range list {
		if g.Born.IsZero() || born[g.DBID] <= singly {
			out = append(out, g)
			continue
		}
		sum := all[g.DBID]
		if sum == nil {
			sum = &Growth{DBID: g.DBID, First: g.First, Last: g.Last, Born: g.Born, Sizes: make([]pgvigil.Bytes, len(g.Sizes))}
			all[g.DBID] = sum
		}
		sum.take(g)
	}
	for _, sum := range all {
		sum.settle()
		out = append(out, *sum)
	}
	return out
}

// take adds a table to those that appeared with it, the largest first.
func (g *Growth) take(t Growth) {
	g.Tables++
	g.Partitions += t.Partitions
	g.Indexes += t.Indexes
	g.TOAST += t.TOAST
	if t.Born.Before(g.Born) {
		g.Born = t.Born
	}
	if len(g.Largest) < named {
		g.Largest = append(g.Largest, t.Schema+"."+t.Name)
	}
	for i, size := range t.Sizes {
		g.Sizes[i] += size
	}
}
