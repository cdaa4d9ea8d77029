package storetest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

// Place is where one history lives: empty at first, opened as often as wanted
// once it is closed.
type Place func(t testing.TB, o store.Options) store.History

// contract is all that a history must do, each part a sentence.
var contract = map[string]func(t *testing.T, p Place){
	"a first snapshot makes its server known and gives nothing":       testFirst,
	"a replay gives what recording gave":                              testReplay,
	"what goes on after a restart is compared with the last snapshot": testReopen,
	"a failed pass is a gap":                                          testFailure,
	"a reset is flagged and counts from zero":                         testReset,
	"the same snapshot twice is recorded once":                        testTwice,
	"an older snapshot is refused":                                    testOlder,
	"a window includes its beginning and not its end":                 testWindow,
	"two targets of one cluster are two servers":                      testServers,
	"a server's clock that jumps back keeps the passes in order":      testClockBack,
	"coverage adds up over a window":                                  testCoverage,
	"a late text relabels the past":                                   testLateText,
	"a better algorithm relabels the past":                            testRelabel,
	"statements with a text are known":                                testKnownTexts,
	"series add statements up and filter":                             testSeries,
	"loads are shares of the server's time":                           testLoads,
	"the catalog is that of the last visit":                           testCatalog,
	"relations have intervals, and sizes where they changed":          testRelations,
	"databases have points":                                           testDatabasePoints,
	"a server has points, each view of its counters a life":           testServerPoints,
	"relations say what they belong to":                               testBelongings,
	"sessions come back as sampled":                                   testSessions,
	"waits add up by minute and query":                                testWaits,
	"waits bear the fingerprints of today":                            testWaitLabels,
	"plans are kept over the time in which they were seen":            testPlans,
	"plans of calls that ran may go by turns":                         testLoggedPlans,
	"notes are kept with their pass":                                  testNotes,
	"queries know who runs them":                                      testUsers,
	"events of people and of passes":                                  testEvents,
	"alerts are kept and filtered":                                    testAlerts,
	"proposals are kept and filtered":                                 testProposals,
	"state is kept by server and name":                                testState,
	"compaction changes no answer":                                    testCompact,
	"what is older than the history is kept is forgotten":             testForget,
	"a write that dies on the way leaves nothing":                     testDying,
	"reads go on while passes are recorded":                           testConcurrency,
	"a pass of 5,000 statements":                                      testLarge,
	"times of any zone come back as UTC":                              testZones,
	"infinities and negative counters are refused":                    testInfinities,
	"hostile strings do no harm":                                      testHostile,
	"empty values are no errors":                                      testEmpty,
}

// Run checks the contract; place makes a new place for each part.
func Run(t *testing.T, place func(t testing.TB) Place) {
	for name, test := range contract {
		t.Run(name, func(t *testing.T) { test(t, place(t)) })
	}
}

// open opens a history that is closed with the test.
func (p Place) open(t testing.TB, o store.Options) store.History {
	t.Helper()
	h := p(t, o)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

// same compares as the history keeps: NaN is NaN, nil is empty.
func same[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// must returns v; err fails the test.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// record records a snapshot that must not fail.
func record(t testing.TB, h store.History, s *pgvigil.Snapshot) pgvigil.Recorded {
	t.Helper()
	return must(h.Record(context.Background(), s))(t)
}

// replayed returns all passes of a server.
func replayed(t testing.TB, h store.History, id pgvigil.ServerID) []pgvigil.Recorded {
	t.Helper()
	return replayedIn(t, h, id, pgvigil.Window{})
}

func replayedIn(t testing.TB, h store.History, id pgvigil.ServerID, w pgvigil.Window) []pgvigil.Recorded {
	t.Helper()
	var list []pgvigil.Recorded
	err := h.EachPass(context.Background(), id, w, func(r pgvigil.Recorded) error {
		list = append(list, r)
		return nil
	})
	return must(list, err)(t)
}

// healthy checks the history's own invariants.
func healthy(t testing.TB, h store.History) {
	t.Helper()
	if c := must(h.Check(context.Background()))(t); !c.OK {
		t.Errorf("check: %q; want no problems", c.Problems)
	}
}

// calls returns the calls of each point of all series of a server, by fingerprint.
func calls(t testing.TB, h store.History, f pgvigil.SeriesFilter) map[pgvigil.Fingerprint][]float64 {
	t.Helper()
	got := map[pgvigil.Fingerprint][]float64{}
	for _, s := range must(h.Series(context.Background(), f))(t) {
		for _, p := range s.Points {
			got[s.Key.Fingerprint] = append(got[s.Key.Fingerprint], p.Counters[pgvigil.Calls])
		}
	}
	return got
}
