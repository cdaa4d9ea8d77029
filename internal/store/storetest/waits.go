package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

// sampled is half a minute of sampling: two sessions run statement i, one of
// them behind a lock for as many samples as waited.
func sampled(minute time.Time, i, waited int) pgvigil.Waits {
	count := func(kind, event string, n int) pgvigil.WaitCount {
		return pgvigil.WaitCount{
			Minute: minute, DBID: 16384, QueryID: Key(i).QueryID, Fingerprint: 0xF0 + pgvigil.Fingerprint(i),
			State: "active", Type: kind, Event: event, Samples: n,
		}
	}
	tree := &pgvigil.BlockingTree{Waiting: waited, SessionSample: pgvigil.SessionSample{
		At:       minute.Add(10 * time.Second),
		Sessions: []pgvigil.Session{{PID: 5, DBID: 16384, QueryID: Key(i).QueryID, Fingerprint: 0xF0, BlockedBy: []int{6}, Query: "SELECT $1"}, {PID: 6, Application: "deploy"}},
		Locks:    []pgvigil.LockWait{{Waiter: 5, Blocker: 6, Mode: "AccessShareLock", LockType: "relation", Relation: "public.jobs", Since: minute}},
	}}
	call := pgvigil.SampledCall{
		PID: 5, DBID: 16384, QueryID: Key(i).QueryID, Fingerprint: 0xF0, State: "active", Start: start,
		Seen: minute.Add(time.Duration(waited) * time.Second), Waits: map[string]int{"Lock:relation": waited}, BlockedBy: []int{6},
	}
	return pgvigil.Waits{
		Minutes: []pgvigil.WaitMinute{{Start: minute, Samples: 30, Cost: 25 * time.Millisecond, Tree: tree}},
		Counts:  []pgvigil.WaitCount{count("", "", 30), count("Lock", "relation", waited)},
		Calls:   []pgvigil.SampledCall{call},
		Queries: map[pgvigil.Fingerprint]pgvigil.Query{0xF0: Query(0xF0, 1)},
	}
}

// testWaits has two passes share a minute, and learns the statement's text late.
func testWaits(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(2)
	minute := w.Now
	first := w.Pass(30 * time.Second)
	first.Waits = sampled(minute, 0, 9)
	first.Footprint = pgvigil.Footprint{LongestLock: 1234 * time.Microsecond, OldestXmin: 7, Stopped: 2}
	id := record(t, h, first).Server
	if f := replayed(t, h, id)[0].Footprint; f != first.Footprint {
		t.Errorf("footprint %+v; want %+v", f, first.Footprint)
	}
	second := w.Pass(30 * time.Second)
	second.Waits = sampled(minute, 0, 12)
	record(t, h, second)
	third := w.Pass(time.Minute)
	third.Waits = sampled(minute.Add(time.Minute), 1, 3)
	record(t, h, third)

	got := must(h.Waits(ctx, id, pgvigil.Window{To: minute.Add(time.Minute)}))(t)
	label := func(f pgvigil.Fingerprint) pgvigil.Waits {
		want := sampled(minute, 0, 12)
		want.Queries = nil
		want.Minutes[0].Samples, want.Minutes[0].Cost = 60, 50*time.Millisecond
		want.Counts[0].Samples, want.Counts[1].Samples = 60, 21
		for i := range want.Counts {
			want.Counts[i].QueryID, want.Counts[i].Fingerprint = 0, f
		}
		return want
	}
	same(t, "the first minute", label(0xF0), got)
	if q := must(h.Queries(ctx, []pgvigil.Fingerprint{0xF0}))(t); q[0xF0].Text == "" {
		t.Errorf("queries %v; want the sampled text", q)
	}

	inside := pgvigil.Window{From: minute.Add(90 * time.Second), To: minute.Add(2 * time.Minute)}
	if got = must(h.Waits(ctx, id, inside))(t); len(got.Minutes) != 1 || !got.Minutes[0].Start.Equal(minute.Add(time.Minute)) || len(got.Counts) != 2 {
		t.Errorf("the second half of the second minute: %+v; want that minute", got)
	}

	record(t, h, Describe(w.Pass(time.Minute), 1, map[int]pgvigil.Fingerprint{0: 0x77}))
	got = must(h.Waits(ctx, id, pgvigil.Window{To: minute.Add(time.Minute)}))(t)
	same(t, "the first minute, labelled late", label(0x77).Counts, got.Counts)
	healthy(t, h)
}

// testWaitLabels: what is sampled without a query id bears the fingerprint of
// its text, and a better algorithm's after it.
func testWaitLabels(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(1)
	s := Describe(w.Pass(time.Minute), 1, map[int]pgvigil.Fingerprint{0: 1<<63 + 9})
	s.Waits = sampled(w.Now, 0, 1)
	s.Waits.Queries[0x51] = Query(0x51, 1)
	s.Waits.Counts[0].QueryID, s.Waits.Counts[0].Fingerprint = 0, 0x51
	s.Waits.Counts[1].QueryID, s.Waits.Counts[1].Fingerprint = 12345, 0
	id := record(t, h, s).Server
	fingerprints := func() (list []pgvigil.Fingerprint) {
		for _, c := range must(h.Waits(ctx, id, pgvigil.Window{}))(t).Counts {
			list = append(list, c.Fingerprint)
		}
		return list
	}
	before := fingerprints()
	if len(before) != 2 || before[0] != 0x51 || before[1] == 0 {
		t.Errorf("fingerprints %v; want that of the text, and one made of the query id", before)
	}
	if f := must(h.Waits(ctx, id, pgvigil.Window{}))(t).Calls[0].Fingerprint; f != 1<<63+9 {
		t.Errorf("fingerprint of the call %v; want that of the statement", f)
	}
	better := func(q pgvigil.Query) pgvigil.Query {
		q.Fingerprint, q.Algorithm = q.Fingerprint+1, 2
		return q
	}
	if _, err := h.Relabel(ctx, 2, better); err != nil {
		t.Fatal(err)
	}
	same(t, "relabelled", []pgvigil.Fingerprint{0x52, before[1]}, fingerprints())
	healthy(t, h)
}
