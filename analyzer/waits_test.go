package analyzer

import (
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// TestSamplesNameTheBlocker: a query waits behind DDL that nobody saw at a pass.
func TestSamplesNameTheBlocker(t *testing.T) {
	at := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	tree := &pgvigil.BlockingTree{Waiting: 3, SessionSample: pgvigil.SessionSample{
		At: at,
		Sessions: []pgvigil.Session{
			{PID: 1, Application: "console", State: "idle in transaction", Query: "SELECT $1", XactStart: at.Add(-time.Minute)},
			{PID: 2, Application: "deploy", State: "active", Query: "ALTER TABLE jobs ADD COLUMN x int", BlockedBy: []int{1}, XactStart: at.Add(-9 * time.Second)},
			{PID: 3, Fingerprint: 7, BlockedBy: []int{2}},
		},
		Locks: []pgvigil.LockWait{{Waiter: 3, Blocker: 2, LockType: "relation", Relation: "public.jobs"}},
	}}
	v := change.Verdict{Kind: pgvigil.KindRegression, Series: pgvigil.SeriesKey{DBID: 5, Fingerprint: 7}}
	e := &evidence{v: v, waits: map[string]int{}, allWaits: map[string]int{}}
	e.addWaits(pgvigil.Waits{
		Minutes: []pgvigil.WaitMinute{{Start: at, Tree: tree}},
		Counts: []pgvigil.WaitCount{
			{DBID: 5, Fingerprint: 7, State: "active", Type: "Lock", Event: "relation", Samples: 9},
			{DBID: 5, Fingerprint: 7, State: "active", Samples: 1},
			{DBID: 5, Fingerprint: 7, State: "idle in transaction", Type: "Client", Event: "ClientRead", Samples: 50},
			{DBID: 6, Fingerprint: 7, State: "active", Samples: 100},
		},
	})
	if e.sampled != 10 || e.waits["Lock:relation"] != 9 || e.allWaits[""] != 101 {
		t.Errorf("waits %v of %d, all %v; want 9 of 10 for a table", e.waits, e.sampled, e.allWaits)
	}
	var s suspicion
	lockQueue(e, &s)
	said := strings.Join(s.For, "\n")
	for _, want := range []string{"90 % of its sessions", "process 2 of deploy, active, its transaction open for 9s, in the way on public.jobs: ALTER TABLE jobs"} {
		if !strings.Contains(said, want) {
			t.Errorf("evidence %q; want %q in it", said, want)
		}
	}
	if strings.Contains(said, "process 1") {
		t.Errorf("evidence %q blames one that is not in its way", said)
	}
}
