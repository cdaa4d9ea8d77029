package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

// equal compares as the history keeps: NaN is NaN, nil is empty.
var equal = cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}

// Run checks the whole contract.
func Run(t *testing.T, open Open) {
	tests := map[string]func(t *testing.T, open Open){
		"a replay gives what recording gave": testReplay,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// replayed returns all passes of a server.
func replayed(t testing.TB, h store.History, id pgvigil.ServerID) []pgvigil.Recorded {
	t.Helper()
	var list []pgvigil.Recorded
	err := h.EachPass(context.Background(), id, pgvigil.Window{}, func(r pgvigil.Recorded) error {
		list = append(list, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func testReplay(t *testing.T, open Open) {
	h, w := open(t, store.Options{}), NewWorld(4)
	var want []pgvigil.Recorded
	for i := range 5 {
		s := w.Pass(time.Minute)
		if i == 1 {
			Describe(s, 1, map[int]pgvigil.Fingerprint{0: 0xF000000000000001, 1: 0xF000000000000001, 2: 2, 3: 3})
		}
		want = append(want, record(t, h, s))
		w.Work(0, 10, 1.5, 7)
		w.Work(1, 20, 2.5, 3)
		w.Work(3, i, 0.1, 1)
		if i == 2 {
			w.Databases[0].Indexes = nil
			w.Settings[0].Value = "8192"
		}
	}
	want[1].Points = nil // labelled by query id then
	got := replayed(t, h, want[0].Server)
	got[1].Points = nil
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Errorf("replay differs (-recorded +replayed):\n%s", diff)
	}
}
