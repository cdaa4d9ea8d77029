package interval

import (
	"fmt"

	"github.com/pgvigil/pgvigil"
)

// groupFrom is how many events of one kind in one database between two
// snapshots are told as one.
const groupFrom = 50

// groupKey is what events of a group have in common.
type groupKey struct {
	kind pgvigil.EventKind
	db   pgvigil.OID
}

// group turns many events of a kind into one with a count: whoever creates
// 10,000 tables did one thing.
func group(list []pgvigil.Event) []pgvigil.Event {
	counts := map[groupKey]int{}
	for i := range list {
		counts[groupKey{list[i].Kind, list[i].DBID}]++
	}
	out := list[:0]
	at := map[groupKey]int{}
	for _, e := range list {
		key := groupKey{e.Kind, e.DBID}
		n := counts[key]
		if n < groupFrom {
			out = append(out, e)
			continue
		}
		i, there := at[key]
		if !there {
			at[key] = len(out)
			out = append(out, grouped(e, n))
			continue
		}
		g := &out[i]
		if g.Table != e.Table {
			g.Table = "" // of several
		}
		if e.At.After(g.At) {
			g.At = e.At
		}
		if first := e.Since; !first.IsZero() && (g.Since.IsZero() || first.Before(g.Since)) {
			g.Since = first
		}
	}
	return out
}

// grouped is the first event of a group of n, standing for all.
func grouped(e pgvigil.Event, n int) pgvigil.Event {
	e.Object, e.Count = fmt.Sprintf("%s and %d more", e.Object, n-1), n
	e.Before, e.After = "", ""
	if e.Since.IsZero() {
		e.Since = e.At
	}
	return e
}
