package collector

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pgvigil/pgvigil"
)

// answer is what a server that holds these entries says to known states, as
// statements.sql does.
func answer(server map[int64]float64, known []int64) reply {
	state := func(id int64, calls float64) int64 { return id*1_000_000 + int64(calls) }
	var r reply
	here := map[int64]bool{}
	for id, calls := range server {
		s := state(id, calls)
		here[s] = true
		if slices.Contains(known, s) {
			continue
		}
		st := pgvigil.Statement{Key: pgvigil.StatementKey{QueryID: id}}
		st.Counters[pgvigil.Calls] = calls
		r.list, r.states = append(r.list, st), append(r.states, s)
	}
	for i, s := range known {
		if !here[s] {
			r.stale = append(r.stale, i)
		}
	}
	return r
}

// TestWhatIsRememberedAndWhatCameIsTheWhole: whatever happens to the entries,
// memory and reply together are what a read in full gives.
func TestWhatIsRememberedAndWhatCameIsTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server := map[int64]float64{}
		var e entries
		for range rapid.IntRange(1, 10).Draw(t, "reads") {
			for range rapid.IntRange(0, 6).Draw(t, "happenings") {
				id := rapid.Int64Range(1, 8).Draw(t, "id")
				switch rapid.IntRange(0, 5).Draw(t, "what") {
				case 0:
					delete(server, id)
				case 1:
					clear(server)
				case 2: // evicted, and back
					server[id] = 1
				default:
					server[id]++
				}
			}
			handedOut := slices.Clone(e.list)
			before := e
			now, ok := e.with(answer(server, e.states))
			if !ok {
				t.Fatal("the reply was refused")
			}
			e = now
			whole, _ := entries{}.with(answer(server, nil))
			if diff := gocmp.Diff(sorted(whole.list), sorted(e.list)); diff != "" {
				t.Fatalf("entries (-whole +composed):\n%s", diff)
			}
			if len(e.states) != len(e.list) {
				t.Fatalf("%d states of %d entries", len(e.states), len(e.list))
			}
			if !slices.Equal(handedOut, before.list) {
				t.Fatal("the list that was handed out before has changed")
			}
		}
	})
}

func sorted(list []pgvigil.Statement) []pgvigil.Statement {
	return slices.SortedFunc(slices.Values(list), func(a, b pgvigil.Statement) int { return cmp.Compare(a.Key.QueryID, b.Key.QueryID) })
}

func TestAReplyThatCannotBeMeantIsRefused(t *testing.T) {
	known, _ := entries{}.with(answer(map[int64]float64{1: 1, 2: 1}, nil))
	for name, stale := range map[string][]int{
		"a number that was not sent": {2},
		"a number below the first":   {-1},
		"one number twice":           {0, 0},
	} {
		if _, ok := known.with(reply{stale: stale}); ok {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestNumericsOfAnySize are decoded as whole numbers.
func TestNumericsOfAnySize(t *testing.T) {
	tests := map[string]struct {
		bytes []byte
		want  float64
		bad   bool
	}{
		"nothing":              {bytes: []byte{0, 0, 0, 0, 0, 0, 0, 0}},
		"12,345":               {bytes: []byte{0, 2, 0, 1, 0, 0, 0, 0, 0, 1, 0x09, 0x29}, want: 12_345},
		"trailing zeros":       {bytes: []byte{0, 1, 0, 2, 0, 0, 0, 0, 0, 7}, want: 700_000_000},
		"below zero":           {bytes: []byte{0, 1, 0, 0, 0x40, 0, 0, 0, 0, 7}, bad: true},
		"not a number":         {bytes: []byte{0, 0, 0, 0, 0xC0, 0, 0, 0}, bad: true},
		"shorter than it says": {bytes: []byte{0, 3, 0, 0, 0, 0, 0, 0, 0, 7}, bad: true},
		"empty":                {bytes: []byte{}, bad: true},
	}
	for name, tt := range tests {
		var v values
		if got := v.numeric(tt.bytes); got != tt.want || (v.err != nil) != tt.bad {
			t.Errorf("%s: %v, %v; want %v, error: %v", name, got, v.err, tt.want, tt.bad)
		}
	}
}
