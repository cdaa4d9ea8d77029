package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

func testFirst(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(3)
	w.Work(0, 10, 1, 1)
	s := w.Pass(time.Minute)
	r := record(t, h, s)
	if len(r.Points)+len(r.Relations)+len(r.Events) > 0 || !r.Previous.IsZero() || !r.At.Equal(s.At) || r.Pass == 0 {
		t.Errorf("recorded %+v; want a pass with nothing in it", r)
	}
	want := []pgvigil.ServerInfo{{ID: r.Server, Server: w.Server, FirstSeen: s.At, LastSeen: s.At}}
	same(t, "servers", want, must(h.Servers(context.Background()))(t))
	healthy(t, h)
}

// someWork is a little of everything: two statements of one series, one that
// pauses, an index dropped, a setting changed. It returns what was recorded.
func someWork(t testing.TB, h store.History, w *World) []pgvigil.Recorded {
	t.Helper()
	var list []pgvigil.Recorded
	for i := range 5 {
		s := w.Pass(time.Minute)
		if i == 0 {
			Describe(s, 1, map[int]pgvigil.Fingerprint{0: 0xF000000000000001, 1: 0xF000000000000001, 2: 2})
		}
		list = append(list, record(t, h, s))
		w.Work(0, 10, 1.5, 7)
		w.Work(1, 20, 2.5, 3)
		w.Work(3, i, 0.1, 1)
		if i == 2 {
			w.Databases[0].Indexes = nil
			w.Settings[0].Value = "8192"
		}
	}
	return list
}

func testReplay(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(4)
	want := someWork(t, h, w)
	same(t, "replay", want, replayed(t, h, want[0].Server))
	if n := len(want[3].Events); n != 2 {
		t.Errorf("%d events in the fourth pass; want the index and the setting", n)
	}
	if n := len(want[2].Points); n != 2 {
		t.Errorf("%d points in the third pass; want 2, as two statements are one series", n)
	}
	stop := errors.New("enough")
	n := 0
	err := h.EachPass(context.Background(), want[0].Server, pgvigil.Window{}, func(pgvigil.Recorded) error {
		n++
		return stop
	})
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("a replay that is told to stop: %v after %d passes; want its error after one", err, n)
	}
	healthy(t, h)
}

func testReopen(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(2)
	w.Work(0, 10, 1, 1)
	record(t, h, w.Pass(time.Minute))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = p.open(t, store.Options{})
	w.Work(0, 7, 1, 1)
	r := record(t, h, w.Pass(time.Minute))
	if len(r.Points) != 1 || r.Points[0].Counters[pgvigil.Calls] != 7 || r.Points[0].Flags != 0 {
		t.Errorf("points after reopening: %+v; want one of 7 calls", r.Points)
	}
	same(t, "the second pass", r, replayed(t, h, r.Server)[1])
}

func testFailure(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(2)
	record(t, h, w.Pass(time.Minute))
	for _, after := range []time.Duration{time.Minute, 2 * time.Minute} {
		if err := h.RecordFailure(ctx, "ci", w.Now.Add(after), "connection refused"); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.RecordFailure(ctx, "another", w.Now.Add(time.Minute), "connection refused"); err != nil {
		t.Fatal(err)
	}
	w.Work(0, 5, 1, 1)
	r := record(t, h, w.Pass(3*time.Minute))
	if len(r.Points) != 1 || r.Points[0].Flags != pgvigil.SpansGap || r.Coverage.Expected != 3 {
		t.Errorf("after two failures: %+v; want one point over a gap, and 3 passes expected", r)
	}
	w.Work(0, 5, 1, 1)
	if r = record(t, h, w.Pass(time.Minute)); r.Points[0].Flags != 0 {
		t.Errorf("flags of the pass after: %b; want none", r.Points[0].Flags)
	}
	if err := h.RecordFailure(ctx, "ci", w.Now.Add(time.Minute), "still down"); err != nil {
		t.Fatal(err)
	}
	c := must(h.Coverage(ctx, r.Server, pgvigil.Window{}))(t)
	if c.Passes != 3 || c.Expected != 6 {
		t.Errorf("coverage %+v; want 3 of 6 passes", c)
	}
	healthy(t, h)
}

func testReset(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(2)
	w.Work(0, 100, 1, 1)
	record(t, h, w.Pass(time.Minute))
	w.Reset = w.Now.Add(20 * time.Second)
	w.Statements[0].Counters = zero()
	w.Work(0, 30, 1, 1)
	r := record(t, h, w.Pass(time.Minute))
	if len(r.Points) != 1 || r.Points[0].Counters[pgvigil.Calls] != 30 || r.Points[0].Flags != pgvigil.AfterReset || !r.Points[0].Start.Equal(w.Reset) {
		t.Errorf("points %+v; want 30 calls since the reset", r.Points)
	}
	if len(r.Events) != 1 || r.Events[0].Kind != pgvigil.EventReset || r.Coverage.Resets != 1 {
		t.Errorf("events %+v, resets %d; want one", r.Events, r.Coverage.Resets)
	}
	same(t, "replay", r, replayed(t, h, r.Server)[1])
	proofs := []string{}
	for _, in := range must(h.Incarnations(context.Background(), r.Server, pgvigil.Window{From: r.At}))(t) {
		proofs = append(proofs, string(in.Kind)+": "+in.Proof)
		if !in.Since.Equal(w.Reset) || !in.Seen.Equal(r.At) {
			t.Errorf("incarnation %+v; want one since %s, seen at %s", in, w.Reset, r.At)
		}
	}
	same(t, "proofs", []string{"statements: stats_reset moved"}, proofs)
}

func testTwice(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(2)
	record(t, h, w.Pass(time.Minute))
	w.Work(0, 5, 1, 1)
	s := w.Pass(time.Minute)
	want := record(t, h, s)
	same(t, "recorded again", want, record(t, h, s))
	if n := len(replayed(t, h, want.Server)); n != 2 {
		t.Errorf("%d passes; want 2", n)
	}
	healthy(t, h)
}

func testOlder(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(2)
	old := w.Pass(time.Minute)
	w.Work(0, 5, 1, 1)
	last := record(t, h, w.Pass(time.Minute))
	if _, err := h.Record(context.Background(), old); !errors.Is(err, store.ErrOlder) {
		t.Errorf("recording an older snapshot: %v; want ErrOlder", err)
	}
	if n := len(replayed(t, h, last.Server)); n != 1 {
		t.Errorf("%d passes; want 1", n)
	}
}

func testWindow(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(4)
	all := someWork(t, h, w)
	id := all[0].Server
	inside := pgvigil.Window{From: all[1].At, To: all[3].At}
	same(t, "passes", all[1:3], replayedIn(t, h, id, inside))
	got := calls(t, h, pgvigil.SeriesFilter{Server: id, Window: inside})
	same(t, "calls", map[pgvigil.Fingerprint][]float64{0xF000000000000001: {30, 30}, all[3].Points[1].Series.Fingerprint: {1}}, got)
	if n := len(must(h.DatabasePoints(context.Background(), id, inside))(t)); n != 2 {
		t.Errorf("%d points of the database; want 2", n)
	}
	same(t, "open end", all[4:], replayedIn(t, h, id, pgvigil.Window{From: all[4].At}))
	same(t, "open beginning", all[:1], replayedIn(t, h, id, pgvigil.Window{To: all[1].At}))
}

func testServers(t *testing.T, p Place) {
	h := p.open(t, store.Options{})
	a, b := NewWorld(1), NewWorld(1)
	a.Server.SystemID, b.Server.SystemID = 1<<63+5, 1<<63+5 // more than a signed number holds
	b.Server.Target, b.Server.InRecovery = "standby", true
	first, second := record(t, h, a.Pass(time.Minute)), record(t, h, b.Pass(time.Minute))
	if first.Server == second.Server {
		t.Errorf("both targets are server %d", first.Server)
	}
	rebuilt := NewWorld(1)
	if third := record(t, h, rebuilt.Pass(2*time.Minute)); third.Server == first.Server {
		t.Errorf("a cluster with another system identifier is still server %d", third.Server)
	}
	list := must(h.Servers(context.Background()))(t)
	if len(list) != 3 || list[0].Server.SystemID != 1<<63+5 || !list[1].Server.InRecovery {
		t.Errorf("servers %+v; want three, the first two of one cluster", list)
	}
	a.Work(0, 3, 1, 1)
	if r := record(t, h, a.Pass(time.Minute)); r.Server != first.Server || len(r.Points) != 1 {
		t.Errorf("the first target again: %+v; want a point of server %d", r, first.Server)
	}
	healthy(t, h)
}

func testClockBack(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(1)
	var want []pgvigil.Recorded
	for i := range 4 {
		if i == 2 {
			w.Skew = -time.Hour
		}
		w.Work(0, i+1, 1, 1)
		want = append(want, record(t, h, w.Pass(time.Minute)))
	}
	if f := want[2].Points[0].Flags; f != pgvigil.ClockJump {
		t.Errorf("flags of the pass with the jump: %b; want ClockJump", f)
	}
	same(t, "replay", want, replayed(t, h, want[0].Server))
	fp := want[2].Points[0].Series.Fingerprint
	same(t, "calls", map[pgvigil.Fingerprint][]float64{fp: {2, 3, 4}}, calls(t, h, pgvigil.SeriesFilter{Server: want[0].Server}))
	healthy(t, h)
}

func testCoverage(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(2)
	s := Describe(w.Pass(time.Minute), 1, map[int]pgvigil.Fingerprint{0: 1, 1: 2})
	s.Queries[Key(1)].Tags["application"] = "pgvigil"
	r := record(t, h, s)
	first := w.Now
	for range 4 {
		w.Work(0, 6, 1, 60)
		w.Work(1, 4, 0.5, 60)
		w.Databases[0].Stats.Rollbacks += 3
		w.Databases[0].Stats.BlocksHit += 400 // by statements that nobody saw
		w.Dealloc++
		record(t, h, w.Pass(time.Minute))
	}
	c := must(h.Coverage(ctx, r.Server, pgvigil.Window{}))(t)
	if c.Blocks != 0.6 || c.Time != 1 || c.Passes != 5 || c.Expected != 5 || c.Evicted != 4*250 || len(c.Warnings) == 0 {
		t.Errorf("coverage %+v; want 0.6 of the blocks, all of the time, 5 passes, 1000 evictions and warnings", c)
	}
	// 40 calls were seen; 1000 entries came and went unseen, at least once called.
	if c.CallsMax != 40.0/1040 || c.Calls != c.CallsMax || !(c.CallsMin > 0 && c.CallsMin < c.CallsMax) {
		t.Errorf("calls %v, from %v to %v; want %v at most", c.Calls, c.CallsMin, c.CallsMax, 40.0/1040)
	}
	if c.Rollbacks != 12 || c.Gap != 0 || c.Own != 0.25 {
		t.Errorf("%d rollbacks, gap %v, own %v; want 12, none and a quarter", c.Rollbacks, c.Gap, c.Own)
	}
	c = must(h.Coverage(ctx, r.Server, pgvigil.Window{From: first.Add(time.Second), To: first.Add(90 * time.Second)}))(t)
	if c.Passes != 1 || c.Evicted != 250 {
		t.Errorf("coverage of one pass %+v; want 1 pass and 250 evictions", c)
	}
}
