package analyzer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
)

// addWaits adds what a sampler saw since the onset to what the passes saw: some
// sixty times as much.
func (e *evidence) addWaits(w pgvigil.Waits) {
	for _, c := range w.Counts {
		if c.State != "active" {
			continue
		}
		name := waitOf(pgvigil.Session{WaitType: c.Type, WaitEvent: c.Event})
		e.allWaits[name] += c.Samples
		if c.Fingerprint != 0 && c.Fingerprint == e.v.Series.Fingerprint && (c.DBID == e.v.Series.DBID || c.DBID == 0 || e.v.Series.DBID == 0) {
			e.waits[name] += c.Samples
			e.sampled += c.Samples
		}
	}
	worst := 0
	for _, m := range w.Minutes {
		if m.Tree == nil || m.Tree.Waiting <= worst {
			continue
		}
		if said := blockersOf(m.Tree, e.v.Series.Fingerprint); said != "" {
			e.blockers, worst = said, m.Tree.Waiting
		}
	}
}

// mostBlockers is how many blockers are named.
const mostBlockers = 3

// blockersOf names who blocks the sessions of a query in a tree, those that wait
// themselves too: the DDL at the head of a queue waits for another.
func blockersOf(t *pgvigil.BlockingTree, f pgvigil.Fingerprint) string {
	by := map[int]bool{}
	for _, x := range t.Sessions {
		if f != 0 && x.Fingerprint == f {
			for _, pid := range x.BlockedBy {
				by[pid] = true
			}
		}
	}
	var named []string
	for _, x := range t.Sessions {
		if by[x.PID] && (f == 0 || x.Fingerprint != f) && len(named) < mostBlockers {
			named = append(named, blockerName(t, x))
		}
	}
	return strings.Join(named, "; ")
}

// blockerName says who a blocker is, what it does, and what for.
func blockerName(t *pgvigil.BlockingTree, x pgvigil.Session) string {
	said := fmt.Sprintf("process %d", x.PID)
	if x.Application != "" {
		said += " of " + x.Application
	}
	if x.State != "" {
		said += ", " + x.State
	}
	if !x.XactStart.IsZero() {
		said += ", its transaction open for " + t.At.Sub(x.XactStart).Round(time.Second).String()
	}
	if i := slices.IndexFunc(t.Locks, func(l pgvigil.LockWait) bool { return l.Blocker == x.PID && l.Relation != "" }); i >= 0 {
		said += ", in the way on " + t.Locks[i].Relation
	}
	if x.Query != "" {
		said += ": " + x.Query
	}
	return said
}

// blamed adds who was in the way to a cause that something speaks for.
func (e *evidence) blamed(s *suspicion) {
	if e.blockers != "" {
		s.pro(0.5, "blocked by %s", e.blockers)
	}
}
