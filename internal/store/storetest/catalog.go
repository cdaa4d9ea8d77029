package storetest

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

func testCatalog(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(1)
	visited := w.Pass(time.Minute)
	id := record(t, h, visited).Server
	same(t, "catalog", visited.Databases, must(h.Catalog(ctx, id))(t))
	same(t, "settings", visited.Settings, must(h.Settings(ctx, id))(t))

	w.Databases[0].Stats.Commits = 5
	s := w.Pass(time.Minute)
	s.Databases[0].Visited, s.Databases[0].Tables, s.Databases[0].Indexes = false, nil, nil
	s.Settings = nil
	record(t, h, s)
	want := visited.Databases[0]
	want.Stats.Commits = 5
	same(t, "catalog of the last visit, statistics of the last pass", []pgvigil.DatabaseRead{want}, must(h.Catalog(ctx, id))(t))
	same(t, "settings as last read", visited.Settings, must(h.Settings(ctx, id))(t))
}

func testRelations(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(1)
	first := record(t, h, w.Pass(time.Minute))
	jobs := &w.Databases[0].Tables[0]
	jobs.Counters.SeqScans, jobs.Pages = 3, 120
	jobs.Counters.HeapBlocksRead = math.NaN()
	jobs.Bloat = &pgvigil.Bloat{Share: 0.25, Bytes: 1 << 20, Method: "estimate", Error: math.NaN()}
	second := record(t, h, w.Pass(time.Minute))
	jobs.Name = "ci_jobs"
	w.Databases[0].Indexes[0].Scans = 9
	w.Databases[0].Indexes[0].TuplesRd = 90
	record(t, h, w.Pass(time.Minute))

	list := must(h.Relations(ctx, first.Server, pgvigil.Window{}))(t)
	if len(list) != 3 {
		t.Fatalf("%d relations; want 3", len(list))
	}
	byID := map[pgvigil.OID]pgvigil.RelationSeries{}
	for _, r := range list {
		byID[r.Key.RelID] = r
	}
	got := byID[20001]
	if got.Name != "ci_jobs" || len(got.Intervals) != 1 || got.Intervals[0].Table.SeqScans != 3 || !math.IsNaN(got.Intervals[0].Table.HeapBlocksRead) {
		t.Errorf("jobs: %+v; want its new name and an interval of 3 scans", got)
	}
	same(t, "interval", second.Relations, got.Intervals)
	want := []pgvigil.SizePoint{
		{At: first.At, Pages: 100},
		{At: second.At, Pages: 120, Bloat: jobs.Bloat},
	}
	same(t, "sizes where they changed", want, got.Sizes)
	if x := byID[20003]; x.Name != "jobs_status_idx" || len(x.Intervals) != 1 || x.Intervals[0].Table.IndexScans != 9 || x.Intervals[0].Table.IndexTuples != 90 {
		t.Errorf("index: %+v; want 9 scans of 90 entries", x)
	}
	after := must(h.Relations(ctx, first.Server, pgvigil.Window{From: second.At.Add(time.Second)}))(t)
	if len(after) != 1 || after[0].Key.RelID != 20003 {
		t.Errorf("relations of the last pass: %+v; want the index alone", after)
	}
	late := must(h.Relations(ctx, first.Server, pgvigil.Window{From: second.At}))(t)
	for _, r := range late {
		if r.Key.RelID == 20001 {
			same(t, "sizes with the one at the start of the window", want, r.Sizes)
		}
	}
	if len(late) != 2 {
		t.Errorf("%d relations from the second pass on; want table and index", len(late))
	}
	w.Databases[0].Tables = w.Databases[0].Tables[1:]
	record(t, h, w.Pass(time.Minute))
	if n := len(must(h.Relations(ctx, first.Server, pgvigil.Window{}))(t)); n != 3 {
		t.Errorf("%d relations after one was dropped; want 3 still", n)
	}
}

func testDatabasePoints(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(1)
	first := record(t, h, w.Pass(time.Minute))
	d := &w.Databases[0].Stats
	d.Commits, d.Backends, d.SizeBytes, d.XIDAge, d.IdleInTxMS = 7, 3, 2<<30, 12345, math.NaN()
	second := record(t, h, w.Pass(time.Minute))
	d.Commits, d.IdleInTxMS = 9, 4
	third := record(t, h, w.Pass(time.Minute))
	want := []pgvigil.DatabasePoint{
		{Start: first.At, End: second.At, DBID: 16384, Stats: pgvigil.DatabaseStats{
			Commits: 7, Backends: 3, SizeBytes: 2 << 30, XIDAge: 12345, IdleInTxMS: math.NaN(),
		}},
		{Start: second.At, End: third.At, DBID: 16384, Stats: pgvigil.DatabaseStats{
			Commits: 2, Backends: 3, SizeBytes: 2 << 30, XIDAge: 12345, IdleInTxMS: math.NaN(),
		}},
	}
	same(t, "points", want, must(h.DatabasePoints(context.Background(), first.Server, pgvigil.Window{}))(t))
}

func testSessions(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(1)
	s := w.Pass(time.Minute)
	s.Sessions = []pgvigil.Session{{
		PID: 77, DBID: 16384, State: "active", WaitType: "Lock", Query: "UPDATE jobs SET status = $1", Fingerprint: 1<<63 + 1,
		Tags: map[string]string{"controller": "jobs"}, XactStart: start, BlockedBy: []int{78},
	}}
	s.Locks = []pgvigil.LockWait{{Waiter: 77, Blocker: 78, Mode: "ShareLock", Since: start}}
	id := record(t, h, s).Server
	record(t, h, w.Pass(time.Minute))
	want := []pgvigil.SessionSample{{At: s.At, Sessions: s.Sessions, Locks: s.Locks}}
	same(t, "sessions", want, must(h.Sessions(context.Background(), id, pgvigil.Window{}))(t))
}

func testEvents(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(4)
	all := someWork(t, h, w)
	id := all[0].Server
	mark := pgvigil.Event{
		Server: id, DBID: 16384, At: all[1].At.Add(time.Second).In(time.FixedZone("CEST", 7200)), Kind: pgvigil.EventDeploy,
		Object: "v1.2", After: "v1.2", Source: "user",
	}
	mark.ID = must(h.AddEvent(ctx, mark))(t)
	mark.At = mark.At.UTC()
	want := append([]pgvigil.Event{mark}, all[3].Events...)
	same(t, "events", want, must(h.Events(ctx, id, pgvigil.Window{}))(t))
	same(t, "in a window", []pgvigil.Event{mark}, must(h.Events(ctx, id, pgvigil.Window{From: mark.At, To: all[3].At}))(t))
	same(t, "replay shows those of passes only", all, replayed(t, h, id))
	healthy(t, h)
}
