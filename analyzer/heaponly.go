package analyzer

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// A new index costs a table its heap-only updates when, for as many passes as
// a stall may last, the share of them is well below what it was. The calls
// themselves need not be slower yet: they write more WAL, and the table and its
// indexes begin to bloat.
const (
	heapOnlyFall   = 0.4 // of the share, [0, 1]
	heapOnlyBack   = 0.2
	heapOnlyPasses = 13
	heapOnlyLeast  = 30 // updates that must have been seen
)

// updates counts the updates of one table by pass.
type updates struct {
	at       []time.Time
	all, hot []float64
}

const updatesKept = 120

func (u *updates) add(at time.Time, all, hot float64) {
	if n := len(u.at); n > 0 && u.at[n-1].Equal(at) {
		u.all[n-1] += all
		u.hot[n-1] += hot
		return
	}
	u.at, u.all, u.hot = append(u.at, at), append(u.all, all), append(u.hot, hot)
	if n := len(u.at) - updatesKept; n > 0 {
		u.at, u.all, u.hot = u.at[n:], u.all[n:], u.hot[n:]
	}
}

// share returns the share of heap-only updates in w, and how many updates and
// passes it is of.
func (u *updates) share(w pgvigil.Window) (share, all float64, passes int) {
	var hot float64
	for i, at := range u.at {
		if (w.From.IsZero() || !at.Before(w.From)) && (w.To.IsZero() || at.Before(w.To)) {
			all += u.all[i]
			hot += u.hot[i]
			passes++
		}
	}
	return hot / max(1, all), all, passes
}

// newIndex is an index whose cost is being watched.
type newIndex struct {
	event  pgvigil.Event
	table  pgvigil.RelationKey // root
	name   string              // its, for people
	before float64             // share of heap-only updates
	of     float64             // updates that it is of
	alert  alertKey
	told   bool
}

// heapOnly follows the share of heap-only updates of all tables, and says when
// an index has cost them.
func (b *book) heapOnly(ctx context.Context, events []pgvigil.Event) error {
	if err := b.countUpdates(ctx, events); err != nil {
		return err
	}
	for i := 0; i < len(b.s.newIndexes); i++ {
		x := &b.s.newIndexes[i]
		u := b.s.updates[x.table]
		from := b.rec.At.Add(-heapOnlyPasses * b.s.detector.Period())
		if from.Before(x.event.At) {
			from = x.event.At.Add(time.Millisecond)
		}
		now, all, n := u.share(pgvigil.Window{From: from})
		switch {
		case x.told && now > x.before-heapOnlyBack && all > 0:
			if err := b.close(ctx, x.alert, pgvigil.Resolved, fmt.Sprintf("%.0f %% of the updates of %s are HOT again", 100*now, x.name)); err != nil {
				return err
			}
			x.told = false
			fallthrough
		case !x.told && b.age(x.event.At) > updatesKept:
			b.s.newIndexes = append(b.s.newIndexes[:i], b.s.newIndexes[i+1:]...)
			i--
		case !x.told && n >= heapOnlyPasses-1 && all >= heapOnlyLeast && now < x.before-heapOnlyFall:
			if err := b.heapOnlyLost(ctx, x, now, all); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *book) countUpdates(ctx context.Context, events []pgvigil.Event) error {
	if len(b.rec.Relations) == 0 && len(events) == 0 {
		return nil
	}
	c, err := b.s.tables(ctx, b.history)
	if err != nil {
		return err
	}
	for _, r := range b.rec.Relations {
		if table, ok := c.owner[r.Key]; ok && num(r.Table.Updated) > 0 {
			root := c.root(table)
			if b.s.updates[root] == nil {
				b.s.updates[root] = &updates{}
			}
			b.s.updates[root].add(r.End, r.Table.Updated, num(r.Table.HotUpdated))
		}
	}
	for _, e := range events {
		if e.Kind == pgvigil.EventIndexCreated {
			b.watchIndex(c, e)
		}
	}
	return nil
}

// watchIndex begins to watch what a new index costs the updates of its table.
func (b *book) watchIndex(c *catalog, e pgvigil.Event) {
	until := e.At
	if !e.Since.IsZero() {
		until = e.Since.Add(time.Millisecond)
	}
	for _, root := range c.roots(e.DBID, tableOf(e)) {
		u := b.s.updates[root]
		if u == nil {
			continue
		}
		if before, all, _ := u.share(pgvigil.Window{To: until}); all >= heapOnlyLeast && before > heapOnlyFall {
			b.s.newIndexes = append(b.s.newIndexes, newIndex{event: e, table: root, name: c.label(root), before: before, of: all})
		}
	}
}

// heapOnlyLost raises the alert on the update that writes most to the table.
func (b *book) heapOnlyLost(ctx context.Context, x *newIndex, now, of float64) error {
	key, ok := b.busiestUpdate(x.table)
	if !ok {
		return nil
	}
	before, after, ok := b.s.detector.Around(key, x.event.At)
	if !ok {
		return nil
	}
	rule := fmt.Sprintf("%.0f %% of the updates of %s are HOT in the last %d passes, %.0f %% before index %s was created (limit: a fall by %.0f points); a call writes %.0f bytes of WAL, %.0f before",
		100*now, x.name, heapOnlyPasses, 100*x.before, x.event.Object, 100*heapOnlyFall, after.WALBytes, before.WALBytes)
	base, _ := b.s.detector.Baseline(key)
	r := pgvigil.Regression{
		Kind: pgvigil.KindRegression, Series: key, Onset: x.event.At, Detected: b.rec.At, Factor: after.MS / max(1e-6, before.MS),
		Before: before, After: after, Band: base.MS, ExtraMSPerHour: max(0, after.MS-before.MS) * after.CallsPerHour,
		Confidence: fellBy(x.before, x.of, now, of), Cause: pgvigil.CauseBloat, CauseDetail: pgvigil.DetailHOTLost, Rule: rule,
		Causes: []pgvigil.CauseEvidence{{Cause: pgvigil.CauseBloat, Detail: pgvigil.DetailHOTLost, Score: 8, For: []string{rule}}},
		Events: []pgvigil.Event{x.event},
	}
	x.told, x.alert = true, keyOf(r)
	if al := b.s.alerts[x.alert]; al != nil {
		return b.costsHeapOnly(ctx, x.alert, al, r)
	}
	return b.raise(ctx, x.alert, r, pgvigil.Ticket)
}

// costsHeapOnly gives the alert that is open on the update already its cause:
// lost heap-only updates bloat a table, however little time they cost yet.
func (b *book) costsHeapOnly(ctx context.Context, k alertKey, al *pgvigil.Alert, r pgvigil.Regression) error {
	if live, err := b.refresh(ctx, k, al); err != nil || !live {
		return err
	}
	v := &al.Verdict
	v.Cause, v.CauseDetail, v.Causes = r.Cause, r.CauseDetail, r.Causes
	al.Severity = graver(al.Severity, pgvigil.Ticket)
	return b.step(ctx, al, al.State, r.Rule)
}

// fellBy is the probability that a share of so many is really smaller than
// before, by the difference of two proportions.
func fellBy(before, of, after, ofAfter float64) float64 {
	p := (before*of + after*ofAfter) / max(1, of+ofAfter)
	sd := math.Sqrt(max(1e-4, p*(1-p)) * (1/max(1, of) + 1/max(1, ofAfter)))
	return probability(change.Defaults().Prior + change.Evidence((before-after)/sd))
}

// busiestUpdate returns the update on a table that spends most.
func (b *book) busiestUpdate(table pgvigil.RelationKey) (pgvigil.SeriesKey, bool) {
	var best pgvigil.SeriesKey
	most := -1.0
	t := b.s.catalog.tables[table]
	for k := range b.s.naming(b.s.catalog, table.DBID, t.Schema+"."+t.Name) {
		p, ok := b.s.detector.Recent(k, heapOnlyPasses)
		if !ok || b.s.queries[k.Fingerprint].Verb != "update" {
			continue
		}
		if ms := p.MS * p.CallsPerHour; ms > most || ms == most && k.Fingerprint < best.Fingerprint {
			best, most = k, ms
		}
	}
	return best, most >= 0
}
