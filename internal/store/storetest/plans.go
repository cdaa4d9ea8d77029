package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

// planOf is a plan as a pass hands it over.
func planOf(s *pgvigil.Snapshot, source pgvigil.PlanSource, hash pgvigil.PlanHash, step string) *pgvigil.Snapshot {
	s.Plans = append(s.Plans, pgvigil.Plan{
		DBID: 16384, Fingerprint: 1<<63 + 7, Source: source, Hash: hash, First: s.At, Last: s.At, Cost: 12.5,
		Text: step + "  (cost=0.00..12.50 rows=1 width=4)", Steps: []string{"Limit", step}, Role: "app",
	})
	return s
}

func testPlans(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(1)
	const index, seq = "Index Scan using jobs_pkey on public.jobs", "Seq Scan on public.jobs"
	first := record(t, h, planOf(w.Pass(time.Minute), pgvigil.ByExplain, 1<<63+1, index))
	again := record(t, h, planOf(w.Pass(time.Minute), pgvigil.ByExplain, 1<<63+1, index))
	refused := w.Pass(time.Minute)
	refused.Plans = []pgvigil.Plan{{
		DBID: 16384, Fingerprint: 1<<63 + 7, Source: pgvigil.ByExplain, First: refused.At, Last: refused.At,
		Refused: pgvigil.Warning{Code: pgvigil.RefusedRights, Text: "the role may not read public.jobs", Remedy: "GRANT"},
	}}
	no := record(t, h, refused)
	other := record(t, h, planOf(w.Pass(time.Minute), pgvigil.ByExplain, 2, seq))

	list := must(h.Plans(ctx, pgvigil.PlanFilter{Server: first.Server}))(t)
	if len(list) != 3 || list[0].Hash != 1<<63+1 || list[1].Refused.Code != pgvigil.RefusedRights || list[2].Hash != 2 {
		t.Fatalf("plans = %+v; want the index, the refusal, the scan", list)
	}
	if !list[0].First.Equal(first.At) || !list[0].Last.Equal(again.At) || list[0].Text == "" || list[0].Server != first.Server {
		t.Errorf("plan seen twice = %+v; want it from %v to %v", list[0], first.At, again.At)
	}
	same(t, "events of a plan that was seen before", nil, append(again.Events, no.Events...))
	want := []pgvigil.Event{{
		ID: 1, Server: first.Server, DBID: 16384, At: other.At, Since: again.At, Kind: pgvigil.EventPlanChanged, Object: "8000000000000007",
		Before: index, After: seq, Source: "explain", Fingerprint: 1<<63 + 7,
	}}
	same(t, "event", want, other.Events)
	same(t, "replay", []pgvigil.Event(nil), replayed(t, h, first.Server)[1].Events)
	same(t, "replay of the change", want, replayed(t, h, first.Server)[3].Events)
	in := must(h.Plans(ctx, pgvigil.PlanFilter{Window: pgvigil.Window{From: no.At, To: other.At}}))(t)
	if len(in) != 1 || in[0].Refused.Code == "" {
		t.Errorf("plans of the third minute = %+v; want the refusal alone", in)
	}
	none := must(h.Plans(ctx, pgvigil.PlanFilter{Server: first.Server, Fingerprints: []pgvigil.Fingerprint{5}}))(t)
	same(t, "plans of another query", nil, none)
	healthy(t, h)
}

func testLoggedPlans(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(1)
	plans := []pgvigil.PlanHash{1, 2, 1, 2, 3}
	events := 0
	var id pgvigil.ServerID
	for _, hash := range plans {
		rec := record(t, h, planOf(w.Pass(time.Minute), pgvigil.ByAutoExplain, hash, "Seq Scan on public.jobs"))
		id = rec.Server
		events += len(rec.Events)
	}
	list := must(h.Plans(context.Background(), pgvigil.PlanFilter{Server: id}))(t)
	if len(list) != 3 || events != 2 {
		t.Errorf("%d plans, %d events; want 3 of calls that go by turns, and an event for each new one", len(list), events)
	}
}

func testNotes(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(1)
	s := w.Pass(time.Minute)
	s.Notes = map[string][]byte{"log": []byte("here")}
	id := record(t, h, s).Server
	same(t, "note", []byte("here"), must(h.State(ctx, id, "log"))(t))
	s = w.Pass(time.Minute)
	s.Notes = map[string][]byte{"log": []byte("there")}
	s.Plans = []pgvigil.Plan{{}}
	s.Server.Target = ""
	if _, err := h.Record(ctx, s); err == nil {
		t.Error("a snapshot without target was recorded")
	}
	same(t, "note of a pass that was not kept", []byte("here"), must(h.State(ctx, id, "log"))(t))
}

func testUsers(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(2)
	w.Statements[1].Key.UserID = 11
	id := record(t, h, Describe(w.Pass(time.Minute), 1, map[int]pgvigil.Fingerprint{0: 7})).Server
	got := must(h.Users(context.Background(), id, []pgvigil.Fingerprint{7}))(t)
	same(t, "users", map[pgvigil.SeriesKey][]pgvigil.OID{{Server: id, DBID: 16384, Fingerprint: 7}: {10}}, got)
}
