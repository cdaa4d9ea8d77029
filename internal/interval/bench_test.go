package interval

import (
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
)

// BenchmarkNext compares two snapshots of 5,000 statements, a tenth of which
// did something.
func BenchmarkNext(b *testing.B) {
	w := newWorld()
	for i := range int64(5000) {
		w.entries = append(w.entries, pgvigil.Statement{Key: key(i)})
	}
	before := w.snapshot(time.Minute)
	for i := range 500 {
		w.entries[10*i].Counters[pgvigil.Calls]++
	}
	after := w.snapshot(time.Minute)
	_, state := Next(nil, before, 0)
	b.ReportAllocs()
	for b.Loop() {
		if step, _ := Next(state, after, 0); len(step.Statements) != 500 {
			b.Fatalf("%d intervals; want 500", len(step.Statements))
		}
	}
}
