package analyzer

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// book keeps the alerts of one server through one pass.
type book struct {
	*Analyzer
	s       *server
	rec     pgvigil.Recorded
	changed []pgvigil.Alert
}

// us signs the steps that the analyzer takes.
const us = "pgvigil"

// enter takes one verdict into the life of its alert.
func (b *book) enter(ctx context.Context, v change.Verdict) error {
	switch v.Step {
	case change.Suspected:
		b.s.suspects[v.Series] = v
	case change.Cleared:
		delete(b.s.suspects, v.Series)
	case change.Convicted:
		delete(b.s.suspects, v.Series)
		if v.Kind == pgvigil.KindIncident && b.runaway() {
			b.s.held = &v
			return nil
		}
		return b.open(ctx, v)
	case change.Escalated:
		return b.escalate(ctx, v)
	case change.Resolved:
		if v.Kind == pgvigil.KindIncident {
			b.s.held = nil
			if b.s.watches[pgvigil.DetailNeighbour] != nil {
				return nil // the sessions next door are still seen; calm ends it
			}
		}
		return b.close(ctx, keyOf(regression(v)), pgvigil.Resolved, v.Rule)
	case change.NewNormal:
		return b.close(ctx, keyOf(regression(v)), pgvigil.NewNormal, v.Rule)
	}
	return nil
}

// release opens an incident that was held back for a statement that seemed to
// run away, when that has ended and the server still suffers.
func (b *book) release(ctx context.Context) error {
	if b.s.held == nil || b.runaway() {
		return nil
	}
	v := *b.s.held
	b.s.held = nil
	return b.open(ctx, v)
}

// reconcile ends, once after a replay, the alerts on series that the detector
// finds back to normal: what resolved them happened while nobody watched.
func (b *book) reconcile(ctx context.Context) error {
	if !b.s.replayed {
		return nil
	}
	b.s.replayed = false
	live := map[pgvigil.SeriesKey]bool{}
	for _, v := range b.s.detector.Live() {
		live[v.Series] = true
	}
	for k, al := range b.s.alerts {
		if k.kind != pgvigil.KindRegression || live[k.series] || al.Verdict.CauseDetail == pgvigil.DetailHOTLost {
			continue
		}
		if err := b.close(ctx, k, pgvigil.Resolved, "the series is back at its baseline, by the history up to now"); err != nil {
			return err
		}
	}
	return nil
}

// recall takes a verdict of a replayed pass: what was open then is known to the
// history, and only suspicions are not.
func (s *server) recall(v change.Verdict) {
	switch v.Step {
	case change.Suspected:
		s.suspects[v.Series] = v
	case change.Cleared, change.Convicted:
		delete(s.suspects, v.Series)
	}
}

// open opens the alert of a verdict, unless there is one of the same event.
func (b *book) open(ctx context.Context, v change.Verdict) error {
	if !b.worthAnAlert(v) {
		return nil
	}
	r := regression(v)
	k := keyOf(r)
	if b.s.alerts[k] != nil || b.covered(v) || !v.Onset.After(b.s.closed[k]) {
		return nil
	}
	if err := b.name(ctx, v, &r); err != nil {
		return err
	}
	if v.Kind == pgvigil.KindTraffic && v.Factor == 0 && r.CauseDetail != pgvigil.DetailRetentionOff {
		return nil
	}
	return b.raise(ctx, k, r, severityOf(v, r))
}

// worthAnAlert says whether a verdict is more than a line in the report.
// Silence is, if it is a retention job that stopped; that is decided when its
// cause is named.
func (b *book) worthAnAlert(v change.Verdict) bool {
	if v.Kind == pgvigil.KindTraffic && v.Factor == 0 {
		return b.s.queries[v.Series.Fingerprint].Verb == "delete"
	}
	return true
}

// covered says that an incident of the server already tells of what v says: a
// query that only waits with the others is not blamed beside it.
func (b *book) covered(v change.Verdict) bool {
	for k := range b.s.alerts {
		if k.kind != pgvigil.KindIncident {
			continue
		}
		waits := k.detail == pgvigil.DetailLockQueue || k.detail == pgvigil.DetailNeighbour || k.detail == pgvigil.DetailNeverEnds
		if waits && (v.Kind == pgvigil.KindIncident || v.Kind == pgvigil.KindRegression && v.Cause == pgvigil.CauseContention) {
			return true
		}
	}
	return false
}

// raise saves a new open alert.
func (b *book) raise(ctx context.Context, k alertKey, r pgvigil.Regression, sev pgvigil.Severity) error {
	var err error
	r.Coverage, err = b.history.Coverage(ctx, b.s.id, pgvigil.Window{From: r.Onset, To: b.rec.At.Add(time.Millisecond)})
	if err != nil {
		return err
	}
	r.Warnings = append(r.Warnings, r.Coverage.Doubts()...)
	al := &pgvigil.Alert{
		Target: b.s.target, Database: b.s.databases[r.Series.DBID], State: pgvigil.Open, Severity: sev,
		Verdict: r, Query: b.s.queries[r.Series.Fingerprint], Opened: b.rec.At, Updated: b.rec.At,
		History: []pgvigil.AlertStep{{At: b.rec.At, State: pgvigil.Open, Reason: r.Rule, By: us}},
	}
	b.s.alerts[k] = al
	return b.save(ctx, al)
}

func (b *book) save(ctx context.Context, al *pgvigil.Alert) error {
	if err := b.history.SaveAlert(ctx, al); err != nil {
		return fmt.Errorf("save alert: %w", err)
	}
	b.changed = append(b.changed, *al)
	return nil
}

// refresh takes over what people did to an alert meanwhile. It reports false if
// somebody ended it: then it stays ended, and its event is not told again.
func (b *book) refresh(ctx context.Context, k alertKey, al *pgvigil.Alert) (bool, error) {
	list, err := b.history.Alerts(ctx, pgvigil.AlertFilter{ID: al.ID})
	if err != nil {
		return false, fmt.Errorf("read alert %d: %w", al.ID, err)
	}
	if len(list) == 0 {
		return true, nil
	}
	al.State, al.History, al.Closed, al.SilencedUntil = list[0].State, list[0].History, list[0].Closed, list[0].SilencedUntil
	if al.State.Live() {
		return true, nil
	}
	delete(b.s.alerts, k)
	b.s.closed[k] = al.Verdict.Onset
	return false, nil
}

// escalate records that the shift has doubled.
func (b *book) escalate(ctx context.Context, v change.Verdict) error {
	k := keyOf(regression(v))
	al := b.s.alerts[k]
	if al == nil {
		return nil
	}
	if live, err := b.refresh(ctx, k, al); err != nil || !live {
		return err
	}
	r := regression(v)
	al.Verdict.Factor, al.Verdict.After = r.Factor, r.After
	al.Verdict.ExtraMSPerHour, al.Verdict.LoadShare = r.ExtraMSPerHour, r.LoadShare
	al.Severity = graver(al.Severity, severity(v))
	return b.step(ctx, al, al.State, "escalated: "+v.Rule)
}

// close ends an alert.
func (b *book) close(ctx context.Context, k alertKey, state pgvigil.AlertState, reason string) error {
	al := b.s.alerts[k]
	if al == nil {
		return nil
	}
	live, err := b.refresh(ctx, k, al)
	if err != nil || !live {
		return err
	}
	delete(b.s.alerts, k)
	al.Closed = b.rec.At
	return b.step(ctx, al, state, reason)
}

// step writes one step into an alert's history and saves it.
func (b *book) step(ctx context.Context, al *pgvigil.Alert, state pgvigil.AlertState, reason string) error {
	al.State, al.Updated = state, b.rec.At
	if state != pgvigil.Silenced {
		al.SilencedUntil = time.Time{}
	}
	al.History = append(al.History, pgvigil.AlertStep{At: b.rec.At, State: state, Reason: reason, By: us})
	return b.save(ctx, al)
}

// graver returns the severity that reaches people sooner.
func graver(a, b pgvigil.Severity) pgvigil.Severity {
	rank := map[pgvigil.Severity]int{pgvigil.Page: 2, pgvigil.Ticket: 1}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// regression is the verdict in the words of the project; the cause is the
// detector's, from the numbers alone.
func regression(v change.Verdict) pgvigil.Regression {
	r := pgvigil.Regression{
		Kind: v.Kind, Series: v.Series, Onset: v.Onset, Detected: v.At, Factor: v.Factor,
		Before: v.Before, After: v.After, Band: v.Band, ExtraMSPerHour: v.ExtraMSPerHour,
		LoadShare: v.LoadShare, Confidence: confidence(v), Cause: v.Cause, Rule: v.Rule,
	}
	// The detector's factor is net of what the whole server does and of single
	// wild intervals; people get the one that they can compute from the table.
	if f := v.After.MS / v.Before.MS; v.Kind == pgvigil.KindRegression && f > 0 && !math.IsInf(f, 0) {
		r.Factor = f
	}
	for _, k := range v.Queries {
		r.Queries = append(r.Queries, k.Fingerprint)
	}
	return r
}

// age is how long ago t was, in passes.
func (b *book) age(t time.Time) int {
	return int(b.rec.At.Sub(t) / max(time.Millisecond, b.s.detector.Period()))
}
