package storetest

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

func testLateText(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(3)
	record(t, h, w.Pass(time.Minute))
	w.Work(0, 1, 1, 1)
	w.Work(1, 2, 1, 1)
	r := record(t, h, w.Pass(time.Minute))
	if len(r.Points) != 2 {
		t.Fatalf("%d points without a text; want 2, by query id", len(r.Points))
	}
	unknown := r.Points[0].Series.Fingerprint
	if q := must(h.Queries(ctx, []pgvigil.Fingerprint{unknown, 77}))(t); len(q) != 1 || q[unknown].Method != pgvigil.ByQueryID {
		t.Errorf("query without a text: %+v; want one by query id", q)
	}
	w.Work(0, 10, 1, 1)
	w.Work(1, 20, 1, 1)
	texts := map[int]pgvigil.Fingerprint{0: 9, 1: 9}
	r = record(t, h, Describe(w.Pass(time.Minute), 1, texts))
	if len(r.Points) != 1 || r.Points[0].Series.Fingerprint != 9 {
		t.Errorf("points with the text: %+v; want one of fingerprint 9", r.Points)
	}
	same(t, "the past too", map[pgvigil.Fingerprint][]float64{9: {3, 30}}, calls(t, h, pgvigil.SeriesFilter{Server: r.Server}))
	same(t, "query", Query(9, 1), must(h.Queries(ctx, []pgvigil.Fingerprint{9}))(t)[9])
	w.Work(0, 5, 1, 1)
	stale := Describe(w.Pass(time.Minute), 0, map[int]pgvigil.Fingerprint{0: 5})
	if r = record(t, h, stale); r.Points[0].Series.Fingerprint != 9 {
		t.Errorf("an older algorithm relabelled to %v", r.Points[0].Series.Fingerprint)
	}
	s := w.Pass(time.Minute)
	s.Queries = map[pgvigil.StatementKey]pgvigil.Query{Key(0): {Fingerprint: 0, Method: pgvigil.ByQueryID, Algorithm: 3}}
	record(t, h, s)
	same(t, "a text that was lost", map[pgvigil.Fingerprint][]float64{9: {3, 30, 5}}, calls(t, h, pgvigil.SeriesFilter{Server: r.Server}))
	healthy(t, h)
}

func testRelabel(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(3)
	record(t, h, Describe(w.Pass(time.Minute), 1, map[int]pgvigil.Fingerprint{0: 9, 1: 10}))
	for i := range 3 {
		w.Work(i, i+1, 1, 1)
	}
	r := record(t, h, w.Pass(time.Minute))
	better := func(q pgvigil.Query) pgvigil.Query {
		q.Fingerprint, q.Algorithm = 0xAAAAAAAAAAAAAAAA, 2
		return q
	}
	if n := must(h.Relabel(ctx, 2, better))(t); n != 2 {
		t.Errorf("Relabel changed %d queries; want 2", n)
	}
	got := calls(t, h, pgvigil.SeriesFilter{Server: r.Server})
	if len(got) != 2 || len(got[0xAAAAAAAAAAAAAAAA]) != 1 || got[0xAAAAAAAAAAAAAAAA][0] != 3 {
		t.Errorf("calls %v; want 3 of the new fingerprint and those of the one without text", got)
	}
	q := must(h.Queries(ctx, []pgvigil.Fingerprint{9, 10, 0xAAAAAAAAAAAAAAAA}))(t)
	if len(q) != 1 || q[0xAAAAAAAAAAAAAAAA].Algorithm != 2 {
		t.Errorf("queries %+v; want the new one alone", q)
	}
	if n := must(h.Relabel(ctx, 2, better))(t); n != 0 {
		t.Errorf("Relabel once more changed %d queries; want 0", n)
	}
	known := must(h.KnownTexts(ctx, w.Server))(t)
	same(t, "known", map[pgvigil.StatementKey]int{Key(0): 2, Key(1): 2}, known)
	healthy(t, h)
}

func testKnownTexts(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(3)
	same(t, "before the first pass", map[pgvigil.StatementKey]int{}, must(h.KnownTexts(ctx, w.Server))(t))
	record(t, h, Describe(w.Pass(time.Minute), 4, map[int]pgvigil.Fingerprint{1: 9}))
	same(t, "after it", map[pgvigil.StatementKey]int{Key(1): 4}, must(h.KnownTexts(ctx, w.Server))(t))
}

func testSeries(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(3)
	w.Statements[2].Key.DBID = 5
	s := Describe(w.Pass(time.Minute), 1, map[int]pgvigil.Fingerprint{0: 9, 1: 1<<63 + 1})
	s.Queries[w.Statements[2].Key] = Query(9, 1)
	id := record(t, h, s).Server
	for range 2 {
		for i := range 3 {
			w.Work(i, i+1, 2, 1)
		}
		record(t, h, w.Pass(time.Minute))
	}
	tests := map[string]struct {
		filter pgvigil.SeriesFilter
		want   map[pgvigil.SeriesKey]float64 // calls of the last point
	}{
		"all": {pgvigil.SeriesFilter{Server: id}, map[pgvigil.SeriesKey]float64{
			{Server: id, DBID: 16384, Fingerprint: 9}: 1, {Server: id, DBID: 16384, Fingerprint: 1<<63 + 1}: 2, {Server: id, DBID: 5, Fingerprint: 9}: 3,
		}},
		"one database": {pgvigil.SeriesFilter{Server: id, Database: 5}, map[pgvigil.SeriesKey]float64{{Server: id, DBID: 5, Fingerprint: 9}: 3}},
		"one fingerprint": {pgvigil.SeriesFilter{Server: id, Fingerprints: []pgvigil.Fingerprint{1<<63 + 1}}, map[pgvigil.SeriesKey]float64{
			{Server: id, DBID: 16384, Fingerprint: 1<<63 + 1}: 2,
		}},
		"an unknown fingerprint": {pgvigil.SeriesFilter{Server: id, Fingerprints: []pgvigil.Fingerprint{4}}, nil},
		"another server":         {pgvigil.SeriesFilter{Server: id + 1}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := map[pgvigil.SeriesKey]float64{}
			for _, s := range must(h.Series(context.Background(), tt.filter))(t) {
				if len(s.Points) != 2 || !s.Points[0].End.Equal(s.Points[1].Start) {
					t.Errorf("points %+v; want two in order of time", s.Points)
				}
				got[s.Key] = s.Points[len(s.Points)-1].Counters[pgvigil.Calls]
			}
			same(t, "series", tt.want, got)
		})
	}
}

func testLoads(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(3)
	id := record(t, h, Describe(w.Pass(time.Minute), 1, map[int]pgvigil.Fingerprint{0: 1, 1: 2, 2: 3})).Server
	for range 2 {
		w.Work(0, 10, 1, 1)
		w.Work(1, 10, 6, 1)
		w.Work(2, 10, 3, 1)
		record(t, h, w.Pass(time.Minute))
	}
	list := must(h.Loads(ctx, id, pgvigil.Window{}, 2))(t)
	if len(list) != 2 || list[0].Series.Fingerprint != 2 || list[0].Share != 0.6 || list[1].Share != 0.3 || list[0].Counters[pgvigil.Calls] != 20 {
		t.Errorf("loads %+v; want fingerprints 2 and 3 with 0.6 and 0.3", list)
	}
	if got := list[0].Counters.SD(); math.Abs(got) > 1e-9 {
		t.Errorf("the deviation of equal times is %v; want 0", got)
	}
	w.Work(1, 10, 6, 1)
	w.Statements[1].Counters[pgvigil.ExecSqMS] = 0 // as rounding would hide it
	record(t, h, w.Pass(time.Minute))
	hidden := must(h.Loads(ctx, id, pgvigil.Window{}, 1))(t)
	if got := hidden[0].Counters.SD(); !math.IsNaN(got) || hidden[0].Counters[pgvigil.Calls] != 30 {
		t.Errorf("the deviation of times of which some are unknown is %v of %v calls; want NaN of 30", got, hidden[0].Counters[pgvigil.Calls])
	}
	if got := list[0].Counters[pgvigil.WALBuffersFull]; got == got {
		t.Errorf("the sum of an unknown metric is %v; want NaN", got)
	}
}
