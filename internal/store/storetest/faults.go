package storetest

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

// days records a pass every two hours over three days and returns what was recorded.
func days(t testing.TB, h store.History) []pgvigil.Recorded {
	t.Helper()
	w := NewWorld(5)
	var list []pgvigil.Recorded
	for i := range 36 {
		s := w.Pass(2 * time.Hour)
		if i == 0 {
			Describe(s, 1, map[int]pgvigil.Fingerprint{0: 1, 1: 1, 2: 2, 3: 3})
		}
		s.Waits = sampled(w.Now.Truncate(time.Minute), 0, 1)
		list = append(list, record(t, h, s))
		for j := range 5 {
			if (i+j)%3 > 0 {
				w.Work(j, i+j, 1.1, 3)
			}
		}
	}
	return list
}

func testCompact(t *testing.T, p Place) {
	ctx := context.Background()
	h := p.open(t, store.Options{CloseAfter: time.Hour, Now: func() time.Time { return start.Add(60 * time.Hour) }})
	want := days(t, h)
	id := want[0].Server
	series := must(h.Series(ctx, pgvigil.SeriesFilter{Server: id}))(t)
	loads := must(h.Loads(ctx, id, pgvigil.Window{}, 10))(t)
	for range 2 {
		if err := h.Compact(ctx); err != nil {
			t.Fatal(err)
		}
		same(t, "passes", want, replayed(t, h, id))
		same(t, "series", series, must(h.Series(ctx, pgvigil.SeriesFilter{Server: id}))(t))
		nearly(t, loads, must(h.Loads(ctx, id, pgvigil.Window{}, 10))(t))
		healthy(t, h)
	}
}

// nearly compares loads: a database may add up in any order.
func nearly(t testing.TB, want, got []pgvigil.LoadShare) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("loads (-want +got):\n%s", diff)
	}
}

func testForget(t *testing.T, p Place) {
	ctx := context.Background()
	now := start.Add(72 * time.Hour)
	h := p.open(t, store.Options{CloseAfter: time.Hour, Keep: 24 * time.Hour, Now: func() time.Time { return now }})
	all := days(t, h)
	id := all[0].Server
	if err := h.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	left := replayed(t, h, id)
	if len(left) != 13 {
		t.Errorf("%d passes left; want those of the last 24 hours, both ends included", len(left))
	}
	same(t, "the rest", all[len(all)-len(left):], left)
	if lives := must(h.Incarnations(ctx, id, pgvigil.Window{}))(t); len(lives) != 2 || lives[0].Proof != pgvigil.FirstRead {
		t.Errorf("incarnations %+v; want those in force, of statements and of tables, though they began before", lives)
	}
	if waits := must(h.Waits(ctx, id, pgvigil.Window{}))(t); len(waits.Minutes) != 13 || len(waits.Counts) != 26 {
		t.Errorf("%d minutes of sampling and %d counts left; want 13 and 26", len(waits.Minutes), len(waits.Counts))
	}
	healthy(t, h)
	now = now.Add(1000 * time.Hour)
	if err := h.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	w := NewWorld(5)
	w.Now = start.Add(100 * time.Hour)
	for i := range 5 {
		w.Work(i, 1e4, 1.1, 3)
	}
	r := record(t, h, w.Pass(time.Hour))
	if len(r.Points) != 5 || r.Server != id {
		t.Errorf("after all was forgotten: %+v; want 5 points, by query id", r)
	}
	healthy(t, h)
}

// dying is a context that ends at the n-th question whether it has.
type dying struct {
	context.Context
	left atomic.Int64
	done chan struct{}
	once sync.Once
}

func dyingAfter(n int) *dying {
	d := &dying{Context: context.Background(), done: make(chan struct{})}
	d.left.Store(int64(n))
	return d
}

func (d *dying) tick() {
	if d.left.Add(-1) < 0 {
		d.once.Do(func() { close(d.done) })
	}
}

func (d *dying) Done() <-chan struct{} {
	d.tick()
	return d.done
}

func (d *dying) Err() error {
	d.tick()
	select {
	case <-d.done:
		return context.Canceled
	default:
		return nil
	}
}

// testDying ends a Record at every point at which it asks, until one succeeds.
func testDying(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(4)
	before := someWork(t, h, w)
	id := before[0].Server
	s := Describe(w.Pass(time.Minute), 2, map[int]pgvigil.Fingerprint{0: 50, 3: 51})
	w.Databases[0].Tables[0].Name = "renamed"
	died := 0
	for n := 0; ; n += 1 + n/12 {
		_, err := h.Record(dyingAfter(n), s)
		if err == nil {
			break
		}
		died++
		if n > 5000 {
			t.Fatalf("it never succeeds: %v", err)
		}
		if n%5 == 0 {
			same(t, "the history after a write that died", before, replayed(t, h, id))
		}
	}
	if died < 5 {
		t.Errorf("it died %d times; want more, so that the test means something", died)
	}
	got := replayed(t, h, id)
	if len(got) != len(before)+1 || len(got[5].Points) != 3 {
		t.Errorf("in the end %d passes, the last %+v; want one more, with 3 points", len(got), got[len(got)-1])
	}
	healthy(t, h)
}

func testConcurrency(t *testing.T, p Place) {
	ctx := context.Background()
	h := p.open(t, store.Options{})
	const passes = 15
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for _, target := range []string{"a", "b"} {
		writers.Go(func() {
			w := NewWorld(20)
			w.Server.Target = target
			for range passes {
				for i := range 20 {
					w.Work(i, i+1, 1, 1)
				}
				if _, err := h.Record(ctx, w.Pass(time.Minute)); err != nil {
					t.Errorf("record: %v", err)
				}
			}
		})
	}
	for id := range pgvigil.ServerID(2) {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				readAll(t, h, id+1)
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	for id := range pgvigil.ServerID(2) {
		if n := len(replayed(t, h, id+1)); n != passes {
			t.Errorf("server %d has %d passes; want %d", id+1, n, passes)
		}
	}
	healthy(t, h)
}

// readAll reads while others write; a pass is there with all of its points.
func readAll(t *testing.T, h store.History, id pgvigil.ServerID) {
	ctx := context.Background()
	n := 0
	err := h.EachPass(ctx, id, pgvigil.Window{}, func(r pgvigil.Recorded) error {
		if n++; n > 1 && len(r.Points) != 20 {
			t.Errorf("pass %d has %d points; want 20", n, len(r.Points))
		}
		return nil
	})
	_, err2 := h.Loads(ctx, id, pgvigil.Window{}, 5)
	_, err3 := h.Catalog(ctx, id)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Errorf("read: %v", err)
	}
}

func testLarge(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(5000)
	fps := map[int]pgvigil.Fingerprint{}
	for i := range 5000 {
		fps[i] = pgvigil.Fingerprint(i%3000 + 1)
	}
	record(t, h, Describe(w.Pass(time.Minute), 1, fps))
	for i := range 5000 {
		w.Work(i, 1, float64(i), 2)
	}
	r := record(t, h, w.Pass(time.Minute))
	if len(r.Points) != 3000 {
		t.Errorf("%d points; want 3000", len(r.Points))
	}
	same(t, "replay", r, replayed(t, h, r.Server)[1])
	healthy(t, h)
}

func testZones(t *testing.T, p Place) {
	h, w := p.open(t, store.Options{}), NewWorld(1)
	zone := time.FixedZone("west", -9*3600)
	var last pgvigil.Recorded
	for range 2 {
		s := w.Pass(time.Minute)
		s.At, s.Clock = s.At.In(zone).Add(333*time.Nanosecond), s.Clock.In(time.Local)
		last = record(t, h, s)
		w.Work(0, 1, 1, 1)
	}
	w.Databases[0].Indexes = nil
	last = record(t, h, w.Pass(time.Minute))
	if !last.At.Equal(w.Now) || last.At.Location() != time.UTC || last.Points[0].Start.Location() != time.UTC || last.Events[0].Since.Location() != time.UTC {
		t.Errorf("recorded at %v with %v and %v; want UTC", last.At, last.Points[0].Start, last.Events[0].Since)
	}
	same(t, "replay", last, replayed(t, h, last.Server)[2])
}

func testInfinities(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(2)
	id := record(t, h, w.Pass(time.Minute)).Server
	tests := map[string]func(s *pgvigil.Snapshot){
		"exec_ms":  func(s *pgvigil.Snapshot) { s.Statements.List[1].Counters[pgvigil.ExecMS] = math.Inf(1) },
		"calls":    func(s *pgvigil.Snapshot) { s.Statements.List[1].Counters[pgvigil.Calls] = -1 },
		"commits":  func(s *pgvigil.Snapshot) { s.Databases[0].Stats.Commits = math.Inf(-1) },
		"inserted": func(s *pgvigil.Snapshot) { s.Databases[0].Tables[0].Counters.Inserted = math.Inf(1) },
		"no time":  func(s *pgvigil.Snapshot) { s.At = time.Time{} },
	}
	for what, spoil := range tests {
		s := w.Pass(time.Minute)
		spoil(s)
		if _, err := h.Record(ctx, s); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("a bad %s: %v; want an error that names it", what, err)
		}
	}
	if n := len(replayed(t, h, id)); n != 1 {
		t.Errorf("%d passes; want 1", n)
	}
	healthy(t, h)
}

func testHostile(t *testing.T, p Place) {
	ctx := context.Background()
	h, w := p.open(t, store.Options{}), NewWorld(1)
	const nasty = "a\x00b\xff'; DROP TABLE passes; --\u202e<script>"
	w.Server.Target = nasty
	w.Databases[0].Name, w.Databases[0].Tables[0].Name, w.Databases[0].Tables[0].Schema = nasty, nasty, nasty
	w.Settings[0].Name = nasty
	s := Describe(w.Pass(time.Minute), 1, map[int]pgvigil.Fingerprint{0: 9})
	q := s.Queries[Key(0)]
	q.Text, q.Verb = nasty, nasty
	s.Queries[Key(0)] = q
	s.Warnings = []pgvigil.Warning{{Code: nasty, Text: nasty}}
	s.Sessions = []pgvigil.Session{{Query: nasty, Application: nasty}}
	record(t, h, s)
	w.Work(0, 1, 1, 1)
	w.Databases[0].Indexes, w.Settings[0].Value = nil, nasty
	last := record(t, h, w.Pass(time.Minute))
	same(t, "replay", last, replayed(t, h, last.Server)[1])
	if got := must(h.Queries(ctx, []pgvigil.Fingerprint{9}))(t)[9].Text; got != nasty {
		t.Errorf("text %q; want it as it was", got)
	}
	if err := h.RecordFailure(ctx, nasty, w.Now, nasty); err != nil {
		t.Error(err)
	}
	a := someAlert()
	a.Target, a.Verdict.Rule = nasty, nasty
	if err := h.SaveAlert(ctx, &a); err != nil {
		t.Error(err)
	}
	same(t, "alert", []pgvigil.Alert{a}, must(h.Alerts(ctx, pgvigil.AlertFilter{Target: nasty}))(t))
	if err := h.SaveState(ctx, 1, nasty, []byte(nasty)); err != nil {
		t.Error(err)
	}
	same(t, "state", []byte(nasty), must(h.State(ctx, 1, nasty))(t))
	if _, err := h.AddEvent(ctx, pgvigil.Event{Server: 1, At: w.Now, Kind: nasty, Object: nasty}); err != nil {
		t.Error(err)
	}
	healthy(t, h)
}

func testEmpty(t *testing.T, p Place) {
	ctx := context.Background()
	h := p.open(t, store.Options{})
	readAll(t, h, 1)
	if c := must(h.Check(ctx))(t); !c.OK || c.Passes != 0 || !c.From.IsZero() {
		t.Errorf("check of an empty history: %+v; want nothing, and that is fine", c)
	}
	if err := h.Compact(ctx); err != nil {
		t.Error(err)
	}
	c := must(h.Coverage(ctx, 1, pgvigil.Window{}))(t)
	if c.Passes != 0 || !math.IsNaN(c.Time) || !math.IsNaN(c.Blocks) {
		t.Errorf("coverage of nothing: %+v; want NaN", c)
	}
	if got := must(h.Queries(ctx, nil))(t); len(got) != 0 {
		t.Errorf("no queries asked for, got %v", got)
	}
	w := NewWorld(0)
	w.Databases, w.Settings, w.Server.PostmasterStart = nil, nil, time.Time{}
	for range 2 {
		s := w.Pass(time.Minute)
		s.Statements, s.Clock = pgvigil.StatementsRead{}, time.Time{}
		record(t, h, s)
	}
	if r := replayed(t, h, 1); len(r) != 2 || len(r[1].Points) != 0 {
		t.Errorf("passes that read nothing: %+v; want two empty ones", r)
	}
	healthy(t, h)
}
