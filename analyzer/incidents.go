package analyzer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// symptom is what a sample of activity shows of an incident.
type symptom struct {
	name   string // what there is at most one live incident of
	cause  pgvigil.Cause
	detail string
	since  time.Time
	rule   string
	hurt   []pgvigil.Fingerprint // worst first
	series pgvigil.SeriesKey     // the statement that is to blame, if one is
	factor float64
	weight float64 // which of several to tell
	// beyond are how many times its limit each kind of evidence is.
	beyond  []float64
	related []string // reasons for the cause
}

// watch follows one symptom from pass to pass.
type watch struct {
	seen  int // passes with it, with no calm between
	clean int // passes in a row without
	first time.Time
}

// An incident is told after sureAfter passes with its symptom, and is over after
// calmAfter in a row without.
const (
	sureAfter = 2
	calmAfter = 3
)

// activity is what the samples of past passes showed.
type activity struct {
	sample    pgvigil.SessionSample
	rollbacks map[pgvigil.OID][]float64       // by pass, newest last
	running   map[pgvigil.SeriesKey]time.Time // when a session was last seen running it
	outside   []outsideSample
}

// incidents looks at the activity of this pass.
func (b *book) incidents(ctx context.Context) error {
	from := b.rec.Previous
	if from.IsZero() || b.rec.At.Sub(from) > time.Hour {
		from = b.rec.At.Add(-time.Hour)
	}
	samples, err := b.history.Sessions(ctx, b.s.id, pgvigil.Window{From: from.Add(time.Millisecond), To: b.rec.At.Add(time.Second)})
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	if len(samples) == 0 {
		return nil
	}
	sample := samples[len(samples)-1]
	b.s.activity.sample = sample
	if _, err := b.s.tables(ctx, b.history); err != nil {
		return err
	}
	b.countOutside(sample)
	found := lockQueues(sample)
	never := b.neverEnds(sample)
	found = append(found, never...)
	full, err := b.connections(ctx, from)
	if err != nil {
		return err
	}
	found = append(found, full...)
	found = append(found, b.neighbours()...)
	late, err := b.timeouts(ctx, sample, from)
	if err != nil {
		return err
	}
	return b.follow(ctx, append(found, late...))
}

// follow opens and ends incidents by what this pass showed.
func (b *book) follow(ctx context.Context, found []symptom) error {
	shown := map[string]bool{}
	for _, y := range found {
		shown[y.name] = true
		w := b.s.watches[y.name]
		if w == nil {
			w = &watch{first: b.rec.At}
			b.s.watches[y.name] = w
		}
		w.seen++
		w.clean = 0
		if w.seen < sureAfter {
			continue
		}
		if err := b.openIncident(ctx, y); err != nil {
			return err
		}
	}
	return b.calm(ctx, shown)
}

// calm ends the incidents whose symptom is gone, those of an earlier run of
// this program too.
func (b *book) calm(ctx context.Context, shown map[string]bool) error {
	for k := range b.s.alerts {
		if k.kind == pgvigil.KindIncident && k.detail != pgvigil.DetailNeighbour && b.s.watches[k.detail] == nil {
			b.s.watches[k.detail] = &watch{}
		}
	}
	for name, w := range b.s.watches {
		if shown[name] || name == pgvigil.DetailNeighbour && b.s.detector.Suffers() {
			continue
		}
		if w.clean++; w.clean < calmAfter {
			continue
		}
		delete(b.s.watches, name)
		k := alertKey{kind: pgvigil.KindIncident, series: pgvigil.SeriesKey{Server: b.s.id}, detail: name}
		if err := b.close(ctx, k, pgvigil.Resolved, fmt.Sprintf("not seen in %d passes in a row", w.clean)); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) openIncident(ctx context.Context, y symptom) error {
	r := pgvigil.Regression{
		Kind: pgvigil.KindIncident, Series: y.series, Queries: y.hurt, Onset: y.since, Detected: b.rec.At,
		Factor: y.factor, Confidence: y.confidence(b.s.watches[y.name].seen), Cause: y.cause, CauseDetail: y.detail, Rule: y.rule,
		Causes: []pgvigil.CauseEvidence{{Cause: y.cause, Detail: y.detail, Score: 5, For: append([]string{y.rule}, y.related...)}},
	}
	r.Series.Server = b.s.id
	k := keyOf(r)
	if al := b.s.alerts[k]; al != nil {
		return b.specify(ctx, k, al, r)
	}
	if !r.Onset.After(b.s.closed[k]) {
		return nil
	}
	for _, e := range b.s.events {
		// Tables are analyzed all day; that explains a plan, never an incident.
		if e.Kind != pgvigil.EventAnalyzed && !e.At.Before(y.since.Add(-eventBefore*b.s.detector.Period())) {
			r.Events = append(r.Events, e)
		}
	}
	sev := pgvigil.Page
	if y.detail == pgvigil.DetailNeverEnds {
		sev = pgvigil.Ticket
	}
	return b.raise(ctx, k, r, sev)
}

// specify gives an incident that was told by its numbers alone the finer cause
// that showed later.
func (b *book) specify(ctx context.Context, k alertKey, al *pgvigil.Alert, r pgvigil.Regression) error {
	if al.Verdict.CauseDetail != "" || r.CauseDetail == "" {
		return nil
	}
	if live, err := b.refresh(ctx, k, al); err != nil || !live {
		return err
	}
	v := &al.Verdict
	v.CauseDetail, v.Causes = r.CauseDetail, append(r.Causes, v.Causes...)
	v.Confidence = max(v.Confidence, r.Confidence)
	return b.step(ctx, al, al.State, "cause: "+string(r.Cause)+", "+r.CauseDetail)
}

// incidentName is the key under which there is one live incident.
func incidentName(r pgvigil.Regression) string {
	if r.Cause == pgvigil.CauseDatabase {
		return pgvigil.DetailNeighbour
	}
	return r.CauseDetail
}

// queueFrom is how many sessions must wait for locks on tables.
const queueFrom = 2

// lockQueues finds sessions that wait for a lock on a table behind one that
// wants to change it: waiters and those who hold them up, root first.
func lockQueues(sample pgvigil.SessionSample) []symptom {
	byPID := map[int]pgvigil.Session{}
	for _, x := range sample.Sessions {
		byPID[x.PID] = x
	}
	waiting := map[int]bool{}
	blockers := map[int]int{}
	y := symptom{name: pgvigil.DetailLockQueue, cause: pgvigil.CauseContention, detail: pgvigil.DetailLockQueue, since: sample.At, factor: 1}
	exclusive := false
	relation := ""
	for _, l := range sample.Locks {
		if l.LockType != "relation" || byPID[l.Waiter].OwnedByUs {
			continue
		}
		if !waiting[l.Waiter] {
			waiting[l.Waiter] = true
			y.hurt = appendNew(y.hurt, byPID[l.Waiter].Fingerprint)
		}
		blockers[l.Blocker]++
		exclusive = exclusive || l.Mode == "AccessExclusiveLock" || l.Mode == "ExclusiveLock" || l.Mode == "ShareRowExclusiveLock"
		if relation == "" {
			relation = l.Relation
		}
		if !l.Since.IsZero() && l.Since.Before(y.since) {
			y.since = l.Since
		}
	}
	if len(waiting) < queueFrom {
		return nil
	}
	y.beyond = []float64{float64(len(waiting)) / queueFrom}
	y.rule = fmt.Sprintf("%d sessions wait for a lock on a table (limit %d)", len(waiting), queueFrom)
	if relation != "" {
		y.rule += ", the first on " + relation
	}
	if exclusive {
		y.related = append(y.related, "one of them wants a lock that no reader may hold beside it, and the others queue up behind it")
	}
	for pid := range blockers {
		if root := byPID[pid]; !waiting[pid] && root.PID != 0 {
			y.related = append(y.related, who(root)+" holds what the first one waits for, since "+root.XactStart.UTC().Format(time.RFC3339))
		}
	}
	slices.Sort(y.related)
	return []symptom{y}
}

func appendNew(list []pgvigil.Fingerprint, f pgvigil.Fingerprint) []pgvigil.Fingerprint {
	if f == 0 || slices.Contains(list, f) {
		return list
	}
	return append(list, f)
}
