package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

func testServerPoints(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(1)
	reset := start.Add(-time.Hour)
	pass := func(c pgvigil.ServerCounters, wal time.Time) (*pgvigil.Snapshot, pgvigil.Recorded) {
		s := w.Pass(time.Minute)
		s.Counters, s.Resets = c, pgvigil.ServerResets{"pg_stat_checkpointer": reset, "pg_stat_wal": wal}
		s.State = pgvigil.ServerState{
			Connections: pgvigil.Connections{Used: 7, Limit: 100, Reserved: 3},
			Holders:     []pgvigil.Holder{{Kind: pgvigil.HeldBySlot, Name: "old", Age: 1 << 40}},
			Sequences:   []pgvigil.Sequence{{Schema: "public", Name: "jobs_id_seq", First: 1, Limit: 1<<31 - 1, Last: 1 << 30, Known: true}},
		}
		return s, record(t, h, s)
	}
	first, one := pass(pgvigil.ServerCounters{pgvigil.CheckpointsTimed: 3, pgvigil.ServerWALBytes: 100}, reset)
	second, two := pass(pgvigil.ServerCounters{pgvigil.CheckpointsTimed: 5, pgvigil.ServerWALBytes: 150, pgvigil.IOReadMS: 9}, reset)
	third, three := pass(pgvigil.ServerCounters{pgvigil.CheckpointsTimed: 5, pgvigil.ServerWALBytes: 20}, two.At.Add(time.Second))
	want := []pgvigil.ServerPoint{
		{Start: one.At, End: one.At, State: first.State},
		{Start: one.At, End: two.At, State: second.State, Counters: pgvigil.ServerCounters{pgvigil.CheckpointsTimed: 2, pgvigil.ServerWALBytes: 50}},
		{Start: two.At, End: three.At, State: third.State, Flags: pgvigil.AfterReset, Counters: pgvigil.ServerCounters{pgvigil.CheckpointsTimed: 0, pgvigil.ServerWALBytes: 20}},
	}
	ctx := context.Background()
	same(t, "points", want, must(h.ServerPoints(ctx, one.Server, pgvigil.Window{}))(t))
	same(t, "points of a window", want[1:2], must(h.ServerPoints(ctx, one.Server, pgvigil.Window{From: two.At, To: three.At}))(t))
	if len(three.Events) != 1 || three.Events[0].Kind != pgvigil.EventReset || three.Events[0].Object != "pg_stat_wal" {
		t.Errorf("events %+v; want the reset of pg_stat_wal", three.Events)
	}
	healthy(t, h)
}

// testBelongings: partitions, indexes and TOAST tables say what they belong to.
func testBelongings(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(1)
	d := &w.Databases[0]
	d.Tables[0].Parent = 20002
	d.Tables[1].Kind, d.Tables[1].TOAST = "p", pgvigil.TOAST{RelID: 20009, Pages: 4, Live: 12, Dead: 3}
	id := record(t, h, w.Pass(time.Minute)).Server
	got := map[string]string{}
	for _, r := range must(h.Relations(context.Background(), id, pgvigil.Window{}))(t) {
		got[r.Name] = fmt.Sprint(r.Kind, " of ", r.Parent)
	}
	same(t, "relations", map[string]string{
		"jobs": "r of 20002", "pipelines": "p of 0", "jobs_status_idx": "i of 20001", "pg_toast_20002": "t of 20002",
	}, got)
}
