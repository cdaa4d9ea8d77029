package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

// busy lets a part of the statements work, by numbers as real ones have.
func (w *World) busy(r *rand.Rand, part float64) {
	for i := range w.Statements {
		if r.Float64() < part {
			w.Work(i, 1+r.IntN(500), 20*r.Float64(), float64(r.IntN(300)))
			c := &w.Statements[i].Counters
			c[pgvigil.SharedRead] += float64(r.IntN(20))
			c[pgvigil.PlanMS] += r.Float64()
			c[pgvigil.WALBytes] += float64(r.IntN(100_000))
		}
	}
}

// describeAll gives every statement a text and a fingerprint of its own.
func describeAll(s *pgvigil.Snapshot) *pgvigil.Snapshot {
	fps := map[int]pgvigil.Fingerprint{}
	for i := range s.Statements.List {
		fps[i] = pgvigil.Fingerprint(i + 1)
	}
	return Describe(s, 1, fps)
}

// Bench measures a store. size, if not nil, returns the bytes that it takes.
func Bench(b *testing.B, place func(t testing.TB) Place, size func() int64) {
	for _, part := range []float64{0.1, 1} {
		b.Run(fmt.Sprintf("Record/statements=5000/active=%v", part), func(b *testing.B) { benchRecord(b, place(b), part) })
	}
	benchRead(b, place(b), size)
}

func benchRecord(b *testing.B, p Place, part float64) {
	h, w, r := p.open(b, store.Options{}), NewWorld(5000), rand.New(rand.NewPCG(1, 2))
	record(b, h, describeAll(w.Pass(time.Minute)))
	points := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		w.busy(r, part)
		s := w.Pass(time.Minute)
		b.StartTimer()
		points += len(record(b, h, s).Points)
	}
	b.ReportMetric(float64(points)/float64(b.N), "rows/op")
}

// The history that reads are measured on: 1,000 statements, half of them
// active, over two days with a pass every 10 minutes.
const (
	benchStatements = 1000
	benchPasses     = 288
	benchEvery      = 10 * time.Minute
)

func benchRead(b *testing.B, p Place, size func() int64) {
	now := func() time.Time { return start.Add(benchPasses*benchEvery + 48*time.Hour) }
	h, w, r := p.open(b, store.Options{CloseAfter: time.Hour, Now: now}), NewWorld(benchStatements), rand.New(rand.NewPCG(1, 2))
	id := record(b, h, describeAll(w.Pass(benchEvery))).Server
	rows := 0
	for range benchPasses {
		w.busy(r, 0.5)
		rows += len(record(b, h, w.Pass(benchEvery)).Points)
	}
	reads := map[string]func() int{
		"Series/one": func() int {
			f := pgvigil.SeriesFilter{Server: id, Fingerprints: []pgvigil.Fingerprint{77}}
			return len(must(h.Series(context.Background(), f))(b))
		},
		"Loads/top=50": func() int { return len(must(h.Loads(context.Background(), id, pgvigil.Window{}, 50))(b)) },
		"EachPass":     func() int { return len(replayed(b, h, id)) },
	}
	for _, when := range []string{"recorded", "compacted"} {
		if when == "compacted" {
			if err := h.Compact(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
		for name, read := range reads {
			b.Run(fmt.Sprintf("%s/rows=%d/%s", name, rows, when), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if read() == 0 {
						b.Fatal("nothing was read")
					}
				}
				if size != nil {
					b.ReportMetric(float64(size())/float64(rows), "bytes/row")
				}
			})
		}
	}
}
