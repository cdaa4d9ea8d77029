package analyzer

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// evidence is what the history knows around the onset of a shift.
type evidence struct {
	v       change.Verdict
	query   pgvigil.Query
	catalog *catalog
	period  time.Duration
	events  []pgvigil.Event // near the onset, on its tables or the server
	// waits counts what its sessions, or all of the server, waited for since
	// the onset; "" is running.
	waits    map[string]int
	sampled  int // sessions of the query seen since the onset
	allWaits map[string]int
	// blockers are who stood in the way of the query's sessions when most sessions
	// of the server waited, in words; "" unknown.
	blockers string
	// oldest is the session with the oldest transaction that may hold back the
	// query's database in the newest sample, oldestXact the age of that.
	oldest     pgvigil.Session
	oldestXact time.Duration
	outside    outsiders
	tables     map[pgvigil.RelationKey]tableMove // by root table
	server     serverMove
}

// tableMove is what a table did per second before and after the onset, its
// partitions added up.
type tableMove struct {
	name          string // of the root table, for people
	before, after tableRate
	live, dead    float64 // gauges, newest
	deadBefore    float64
	modified      float64   // n_mod_since_analyze
	changed       float64   // by how much that rose
	scanned       []float64 // by partition, how many more scans a second since the onset
	parts         []part    // the table, or its partitions
}

// part is one table with its dead rows, and how often it was vacuumed.
type part struct {
	key           pgvigil.RelationKey
	dead, vacuums float64
}

// tableRate is per second.
type tableRate struct {
	seq, seqTuples, idx, ins, upd, hot, del float64
}

func (r *tableRate) add(t pgvigil.TableCounters) {
	r.seq += num(t.SeqScans)
	r.seqTuples += num(t.SeqTuples)
	r.idx += num(t.IndexScans)
	r.ins += num(t.Inserted)
	r.upd += num(t.Updated)
	r.hot += num(t.HotUpdated)
	r.del += num(t.Deleted)
}

func (r *tableRate) over(seconds float64) {
	for _, p := range []*float64{&r.seq, &r.seqTuples, &r.idx, &r.ins, &r.upd, &r.hot, &r.del} {
		*p /= max(1e-3, seconds)
	}
}

func num(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// Passes before and after an onset that evidence is looked for in.
const (
	beforeOnset = 30
	eventBefore = 4
)

// gather reads the evidence for a verdict from the history.
func (b *book) gather(ctx context.Context, v change.Verdict) (*evidence, error) {
	c, err := b.s.tables(ctx, b.history)
	if err != nil {
		return nil, err
	}
	e := &evidence{
		v: v, query: b.s.queries[v.Series.Fingerprint], catalog: c, period: b.s.detector.Period(),
		waits: map[string]int{}, allWaits: map[string]int{}, tables: map[pgvigil.RelationKey]tableMove{},
	}
	e.outside = b.outsiders()
	for _, ev := range b.s.events {
		if e.explains(ev) {
			e.events = append(e.events, ev)
		}
	}
	if err := b.gatherWaits(ctx, e); err != nil {
		return nil, err
	}
	if err := b.gatherTables(ctx, e); err != nil {
		return nil, err
	}
	if err := b.gatherServer(ctx, e); err != nil {
		return nil, err
	}
	return e, nil
}

// harmless events explain no change of speed.
var harmless = []pgvigil.EventKind{
	pgvigil.EventUserCreated, pgvigil.EventUserDropped, pgvigil.EventUserChanged, pgvigil.EventTableRenamed,
	pgvigil.EventConstraintCreated, pgvigil.EventExtensionCreated,
}

// explains says whether an event is near enough in time and place.
func (e *evidence) explains(ev pgvigil.Event) bool {
	if slices.Contains(harmless, ev.Kind) {
		return false
	}
	from := e.v.Onset.Add(-eventBefore * e.period)
	if ev.At.Before(from) || ev.Since.After(e.v.Onset.Add(2*e.period)) || ev.Since.IsZero() && ev.At.After(e.v.Onset.Add(2*e.period)) {
		return false
	}
	if ev.DBID != 0 && e.v.Series.DBID != 0 && ev.DBID != e.v.Series.DBID {
		return false
	}
	if ev.Fingerprint != 0 {
		return e.about(ev)
	}
	return ev.Table == "" || e.v.Kind == pgvigil.KindIncident || e.names(ev)
}

// names says whether the query names the table of an event, or a partition
// relative of it.
func (e *evidence) names(ev pgvigil.Event) bool {
	db, table := cmp.Or(e.v.Series.DBID, ev.DBID), tableOf(ev)
	return slices.ContainsFunc(e.query.Tables, func(t string) bool { return e.catalog.related(db, t, table) })
}

// gatherWaits counts what sessions waited for since the onset.
func (b *book) gatherWaits(ctx context.Context, e *evidence) error {
	samples, err := b.history.Sessions(ctx, b.s.id, pgvigil.Window{From: e.v.Onset, To: b.rec.At.Add(time.Millisecond)})
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	for i, sample := range samples {
		for _, x := range sample.Sessions {
			if x.OwnedByUs || !isClient(x) {
				continue
			}
			if i == len(samples)-1 {
				e.mayHold(x, sample.At)
			}
			if x.State != "active" {
				continue
			}
			w := waitOf(x)
			e.allWaits[w]++
			if x.Fingerprint != 0 && x.Fingerprint == e.v.Series.Fingerprint {
				e.waits[w]++
				e.sampled++
			}
		}
	}
	waits, err := b.history.Waits(ctx, b.s.id, pgvigil.Window{From: e.v.Onset, To: b.rec.At.Add(time.Millisecond)})
	if err != nil {
		return fmt.Errorf("read waits: %w", err)
	}
	e.addWaits(waits)
	return nil
}

// mayHold notes a session of the query's database with a transaction older than
// those seen so far.
func (e *evidence) mayHold(x pgvigil.Session, at time.Time) {
	if x.XactStart.IsZero() || x.DBID != 0 && e.v.Series.DBID != 0 && x.DBID != e.v.Series.DBID {
		return
	}
	if age := at.Sub(x.XactStart); age > e.oldestXact {
		e.oldest, e.oldestXact = x, age
	}
}

// who names a session for people: its text is the normal form, without literals.
func who(x pgvigil.Session) string {
	words := []string{fmt.Sprintf("process %d", x.PID)}
	for _, w := range []struct{ what, name string }{{"application ", x.Application}, {"user ", x.User}, {"", x.State}} {
		if w.name != "" {
			words = append(words, w.what+w.name)
		}
	}
	text := words[0]
	if len(words) > 1 {
		text += " (" + strings.Join(words[1:], ", ") + ")"
	}
	return text
}

// waitOf names what a session waits for as pg_stat_activity does, "Lock:tuple";
// "" is running.
func waitOf(x pgvigil.Session) string {
	if x.WaitType == "" || x.WaitType == "Client" || x.WaitType == "Activity" {
		return ""
	}
	return x.WaitType + ":" + x.WaitEvent
}

func isClient(x pgvigil.Session) bool {
	return x.BackendType == "" || x.BackendType == "client backend"
}

// share returns the part of the waits whose names begin with one of prefixes.
func share(waits map[string]int, prefixes ...string) float64 {
	all, hit := 0, 0
	for w, n := range waits {
		all += n
		for _, p := range prefixes {
			if strings.HasPrefix(w, p) {
				hit += n
				break
			}
		}
	}
	return float64(hit) / float64(max(1, all))
}

// gatherTables compares what the query's tables did before and after the onset.
func (b *book) gatherTables(ctx context.Context, e *evidence) error {
	if len(e.query.Tables) == 0 {
		return nil
	}
	w := pgvigil.Window{From: e.v.Onset.Add(-beforeOnset * e.period), To: b.rec.At.Add(time.Millisecond)}
	list, err := b.history.Relations(ctx, b.s.id, w)
	if err != nil {
		return fmt.Errorf("read relations: %w", err)
	}
	ours := map[pgvigil.RelationKey]bool{}
	for _, t := range e.query.Tables {
		for _, root := range e.catalog.roots(e.v.Series.DBID, t) {
			ours[root] = true
		}
	}
	for _, r := range list {
		root := e.catalog.root(r.Key)
		if _, isTable := e.catalog.tables[r.Key]; !isTable || !ours[root] {
			continue
		}
		m := e.tables[root]
		m.name = e.catalog.label(root)
		m.take(r, e.v.Onset)
		e.tables[root] = m
	}
	return nil
}

// take adds one relation's intervals.
func (m *tableMove) take(r pgvigil.RelationSeries, onset time.Time) {
	var before, after tableRate
	var secBefore, secAfter, vacuums float64
	for _, i := range r.Intervals {
		sec := i.End.Sub(i.Start).Seconds()
		vacuums += num(i.Table.Vacuums) + num(i.Table.AutoVacuums)
		if i.Start.Before(onset) {
			before.add(i.Table)
			secBefore += sec
		} else {
			after.add(i.Table)
			secAfter += sec
		}
	}
	if n := len(r.Intervals); n > 0 {
		first, last := r.Intervals[0].Table, r.Intervals[n-1].Table
		m.live += num(last.LiveTuples)
		m.dead += num(last.DeadTuples)
		m.deadBefore += num(first.DeadTuples)
		m.modified += num(last.ModSinceAn)
		m.changed += max(0, num(last.ModSinceAn)-num(first.ModSinceAn))
		m.parts = append(m.parts, part{r.Key, num(last.DeadTuples), vacuums})
	}
	before.over(secBefore)
	after.over(secAfter)
	m.scanned = append(m.scanned, after.idx+after.seq-before.idx-before.seq)
	m.before.merge(before)
	m.after.merge(after)
}

func (r *tableRate) merge(o tableRate) {
	r.seq += o.seq
	r.seqTuples += o.seqTuples
	r.idx += o.idx
	r.ins += o.ins
	r.upd += o.upd
	r.hot += o.hot
	r.del += o.del
}
