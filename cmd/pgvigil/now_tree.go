package main

import (
	"cmp"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
)

// queue is who waits for whom.
type queue struct {
	blockers map[int][]int // of each that waits
	waiters  map[int][]int // of each that somebody waits for
}

func queueOf(s *collector.Scene) queue {
	q := queue{map[int][]int{}, map[int][]int{}}
	for _, w := range s.Locks {
		if !slices.Contains(q.blockers[w.Waiter], w.Blocker) {
			q.blockers[w.Waiter] = append(q.blockers[w.Waiter], w.Blocker)
			q.waiters[w.Blocker] = append(q.waiters[w.Blocker], w.Waiter)
		}
	}
	return q
}

// roots are those that others wait for and that wait for nobody; of a circle,
// which the server itself will break, the one with the most waiters.
func (q queue) roots() []int {
	var list []int
	for pid := range q.waiters {
		if len(q.blockers[pid]) == 0 {
			list = append(list, pid)
		}
	}
	if len(list) == 0 && len(q.waiters) > 0 {
		list = append(list, q.byWaiters()[0])
	}
	slices.SortFunc(list, func(a, b int) int { return cmp.Or(cmp.Compare(len(q.behind(b)), len(q.behind(a))), cmp.Compare(a, b)) })
	return list
}

func (q queue) byWaiters() []int {
	var list []int
	for pid := range q.waiters {
		list = append(list, pid)
	}
	slices.SortFunc(list, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(q.waiters[b]), len(q.waiters[a])), cmp.Compare(a, b))
	})
	return list
}

// behind are all that wait for pid, directly or behind one another.
func (q queue) behind(pid int) map[int]bool {
	seen := map[int]bool{}
	for list := []int{pid}; len(list) > 0; list = list[1:] {
		for _, w := range q.waiters[list[0]] {
			if !seen[w] && w != pid {
				seen[w] = true
				list = append(list, w)
			}
		}
	}
	return seen
}

// freed are those that no longer wait, or only behind one another, once pid is
// out of the way.
func (q queue) freed(pid int) map[int]bool {
	gone := map[int]bool{pid: true}
	for again := true; again; {
		again = false
		for waiter, blockers := range q.blockers {
			if !gone[waiter] && !slices.ContainsFunc(blockers, func(b int) bool { return !gone[b] }) {
				gone[waiter], again = true, true
			}
		}
	}
	delete(gone, pid)
	return gone
}

// blockingTree lists the roots with those behind them. One that waits for
// several stands under the nearest to a root, once.
func blockingTree(s *collector.Scene) []blockerObject {
	q := queueOf(s)
	sessions := map[int]pgvigil.Session{}
	for _, x := range s.Sessions {
		sessions[x.PID] = x
	}
	list := []blockerObject{}
	placed := map[int]bool{}
	for _, root := range q.roots() {
		placed[root] = true
		list = append(list, node(s, q, sessions, root, placed))
	}
	return list
}

// node is pid with those that wait for it. A waiter that is also behind another
// waiter of pid is left to that one: it is the queue that holds it up.
func node(s *collector.Scene, q queue, sessions map[int]pgvigil.Session, pid int, placed map[int]bool) blockerObject {
	x, known := sessions[pid]
	if !known {
		x = pgvigil.Session{PID: pid}
	}
	n := blockerObject{sessionObject: sessionOf(s, x), WaitsFor: waitOf(s, pid), HoldsUp: len(q.behind(pid)), Blocks: []blockerObject{}}
	direct := slices.Clone(q.waiters[pid])
	slices.SortFunc(direct, func(a, b int) int { return cmp.Or(cmp.Compare(len(q.behind(b)), len(q.behind(a))), cmp.Compare(a, b)) })
	var mine []int
	for _, w := range direct {
		later := slices.ContainsFunc(q.blockers[w], func(b int) bool { return b != pid && slices.Contains(direct, b) && !q.behind(w)[b] })
		if !placed[w] && !later {
			placed[w] = true
			mine = append(mine, w)
		}
	}
	for _, w := range mine {
		n.Blocks = append(n.Blocks, node(s, q, sessions, w, placed))
	}
	return n
}
