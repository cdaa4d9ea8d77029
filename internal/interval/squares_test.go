package interval

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/pgvigil/pgvigil"
)

// entry is what pg_stat_statements keeps of one statement's times.
type entry struct{ calls, total, mean, variance float64 }

// call counts as pgss_store does.
func (e *entry) call(ms float64) {
	e.calls++
	e.total += ms
	old := e.mean
	e.mean += (ms - old) / e.calls
	e.variance += (ms - old) * (ms - e.mean)
}

// read is what the collector makes of it.
func (e *entry) read() pgvigil.Counters {
	var c pgvigil.Counters
	c[pgvigil.Calls], c[pgvigil.ExecMS] = e.calls, e.total
	c[pgvigil.ExecSqMS] = pgvigil.SumOfSquares(e.calls, e.total, math.Sqrt(e.variance/e.calls))
	return c
}

// life is an entry after so many calls of a mean time and a relative deviation.
func life(calls, mean, deviation float64) *entry {
	return &entry{calls, calls * mean, mean, calls * deviation * deviation * mean * mean}
}

// moments returns mean and standard deviation.
func moments(list []float64) (mean, sd float64) {
	for _, v := range list {
		mean += v / float64(len(list))
	}
	for _, v := range list {
		sd += (v - mean) * (v - mean) / float64(len(list))
	}
	return mean, math.Sqrt(sd)
}

// TestDeviationAfterABillionCalls is right, or said to be unknown.
func TestDeviationAfterABillionCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		power := func(from, to float64, name string) float64 {
			return math.Pow(10, rapid.Float64Range(from, to).Draw(t, name))
		}
		e := life(math.Round(power(0, 10, "calls")), power(-3, 4, "mean"), power(-4, 4, "deviation"))
		before := e.read()
		typical, spread := e.mean*power(-4, 2, "now"), power(-4, 0, "spread")
		list := make([]float64, rapid.IntRange(1, 300).Draw(t, "new calls"))
		for i := range list {
			list[i] = typical * (1 + spread*rapid.SampledFrom([]float64{-0.9, 0, 0, 1, 5}).Draw(t, "call"))
			e.call(list[i])
		}
		got := difference(before, e.read())
		mean, sd := moments(list)
		if d := math.Abs(got.SD() - sd); len(list) > 1 && d > 0.02*sd && d > 0.1*mean {
			t.Fatalf("sd = %v; want %v, mean %v", got.SD(), sd, mean)
		}
	})
}

// TestUsualDeviationsAreKnown: what is unknown is rare.
func TestUsualDeviationsAreKnown(t *testing.T) {
	tests := map[string]struct {
		calls, mean, deviation, now float64
		known                       bool
	}{
		"a billion calls like those before":       {1e9, 5, 1, 5, true},
		"a billion calls, ten times faster now":   {1e9, 5, 1, 0.5, true},
		"a billion calls, hardly any deviation":   {1e9, 5, 1e-4, 5, true},
		"a million calls, a stall among them":     {1e6, 0.05, 1000, 0.05, true},
		"a billion calls, stalls of hours before": {1e9, 0.05, 1000, 0.05, false},
		"first calls": {1, 0.05, 0, 0.05, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := life(tt.calls, tt.mean, tt.deviation)
			before := e.read()
			for i := range 1000 {
				e.call(tt.now * (1 + 0.5*float64(i%2)))
			}
			got := difference(before, e.read()).SD()
			if known := !math.IsNaN(got); known != tt.known {
				t.Fatalf("sd = %v; known: %v", got, tt.known)
			}
			if want := 0.25 * tt.now; tt.known && math.Abs(got-want) > 0.02*want {
				t.Errorf("sd = %v; want %v", got, want)
			}
		})
	}
}

// TestSquaresOfSomeCallsAreNoneOfAll: a deviation is of all calls or unknown.
func TestSquaresOfSomeCallsAreNoneOfAll(t *testing.T) {
	one, other := life(10, 5, 1).read(), life(10, 5, 1).read()
	other[pgvigil.ExecSqMS] = math.NaN()
	if sd := one.Add(other).SD(); !math.IsNaN(sd) {
		t.Errorf("sd of known and unknown calls = %v; want NaN", sd)
	}
	if sd := one.Add(one).SD(); math.Abs(sd-5) > 1e-9 {
		t.Errorf("sd of known calls = %v; want 5", sd)
	}
}
