package collector

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pgvigil/pgvigil"
)

// tally is what the samples of a target added up to since the last pass. The
// sampler fills it, the pass empties it. It is bounded, whatever the server does
// and however long no pass succeeds.
type tally struct {
	mu      sync.Mutex
	minutes map[int64]*minuteTally // by Unix minute
	calls   callBook
	phrases phrasebook
	// words and labels are the sampler's alone.
	words, labels map[string]string
	// returned is what a pass took and could not be kept.
	returned []pgvigil.Waits
}

// Bounds of a tally: minutes that wait for a pass, and different counts of one.
// What is over counts without its query.
const (
	maxMinutes = 60
	maxCounts  = 300
)

// minuteTally is one minute.
type minuteTally struct {
	samples int
	cost    time.Duration
	counts  map[waitKey]int
	tree    *tree
}

// waitKey is what sessions are counted by.
type waitKey struct {
	db               pgvigil.OID
	queryID          int64
	fingerprint      pgvigil.Fingerprint
	state, typ, name string
}

func newTally() *tally {
	return &tally{minutes: map[int64]*minuteTally{}, calls: newCallBook(), phrases: newPhrasebook(), words: map[string]string{}, labels: map[string]string{}}
}

// add takes one sample into account.
func (t *tally) add(list []sighting, clock sampleClock) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.minute(clock.at)
	m.samples++
	m.cost += clock.cost
	for i := range list {
		x := &list[i]
		if !x.counts() {
			continue
		}
		fp := t.phrases.known[x.text].fingerprint
		if x.state != idle {
			m.count(waitKey{x.dbid, x.text.queryID, fp, x.state, x.waitType, x.waitEvent})
		}
		if x.backend == clientBackend {
			t.calls.follow(x, fp, clock.at)
		}
	}
	t.calls.lose(clock.at)
}

// counts says whether the session is somebody's, and works for a query.
func (x *sighting) counts() bool {
	return !x.ours() && (x.backend == clientBackend || x.backend == "parallel worker")
}

// minute returns the tally of the minute of at, in place of the oldest if there
// are too many.
func (t *tally) minute(at time.Time) *minuteTally {
	n := at.Unix() / 60
	m := t.minutes[n]
	if m == nil {
		if len(t.minutes) >= maxMinutes {
			delete(t.minutes, slices.Min(slices.Collect(maps.Keys(t.minutes))))
		}
		m = &minuteTally{counts: map[waitKey]int{}}
		t.minutes[n] = m
	}
	return m
}

func (m *minuteTally) count(k waitKey) {
	if _, ok := m.counts[k]; !ok && len(m.counts) >= maxCounts {
		k.queryID, k.fingerprint = 0, 0
	}
	m.counts[k]++
}

// unknown returns sessions whose texts nobody knows yet, n at most.
func (t *tally) unknown(list []sighting, n int) (pids []int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	asked := map[phrase]bool{}
	for i := range list {
		x := &list[i]
		if _, known := t.phrases.known[x.text]; known || x.state == idle || x.ours() || asked[x.text] {
			continue
		}
		asked[x.text] = true
		if pids = append(pids, int32(x.pid)); len(pids) == n {
			break
		}
	}
	return pids
}

// learn notes what a text means.
func (t *tally) learn(p phrase, q pgvigil.Query) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phrases.learn(p, q)
}

// take empties the tally into what a snapshot carries. name fills in the names
// of relations.
func (t *tally) take(name func(map[pgvigil.RelationKey]string)) pgvigil.Waits {
	t.mu.Lock()
	defer t.mu.Unlock()
	names := map[pgvigil.RelationKey]string{}
	for _, m := range t.minutes {
		m.tree.relations(names)
	}
	name(names)
	var w pgvigil.Waits
	for _, back := range t.returned {
		join(&w, back)
	}
	t.returned = nil
	for _, n := range slices.Sorted(maps.Keys(t.minutes)) {
		m := t.minutes[n]
		start := time.Unix(60*n, 0).UTC()
		w.Minutes = append(w.Minutes, pgvigil.WaitMinute{Start: start, Samples: m.samples, Cost: m.cost, Tree: m.tree.named(names)})
		w.Counts = append(w.Counts, m.list(start)...)
	}
	clear(t.minutes)
	w.Calls = append(w.Calls, t.calls.take()...)
	if len(t.phrases.fresh) > 0 {
		if w.Queries == nil {
			w.Queries = map[pgvigil.Fingerprint]pgvigil.Query{}
		}
		maps.Copy(w.Queries, t.phrases.fresh)
		clear(t.phrases.fresh)
	}
	return w
}

// list returns the counts of a minute, most first.
func (m *minuteTally) list(start time.Time) []pgvigil.WaitCount {
	list := make([]pgvigil.WaitCount, 0, len(m.counts))
	for k, n := range m.counts {
		list = append(list, pgvigil.WaitCount{
			Minute: start, DBID: k.db, QueryID: k.queryID, Fingerprint: k.fingerprint,
			State: k.state, Type: k.typ, Event: k.name, Samples: n,
		})
	}
	slices.SortFunc(list, func(a, b pgvigil.WaitCount) int {
		return cmp.Or(cmp.Compare(b.Samples, a.Samples), cmp.Compare(a.DBID, b.DBID), cmp.Compare(a.QueryID, b.QueryID),
			cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.State, b.State), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Event, b.Event))
	})
	return list
}

// giveBack returns what a pass took along and nobody kept; the next pass takes
// it again.
func (t *tally) giveBack(w pgvigil.Waits) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.returned = append(t.returned, w)
	if n := len(t.returned) - maxMinutes; n > 0 {
		t.returned = t.returned[n:]
	}
}

// join appends what was sampled later. Minutes and calls may be there twice;
// the history adds them up.
func join(w *pgvigil.Waits, later pgvigil.Waits) {
	w.Minutes = append(w.Minutes, later.Minutes...)
	w.Counts = append(w.Counts, later.Counts...)
	w.Calls = append(w.Calls, later.Calls...)
	if w.Queries == nil {
		w.Queries = later.Queries
		return
	}
	maps.Copy(w.Queries, later.Queries)
}
