package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/query"
)

// watcher carries a pass from the target through the history to the analyzer.
// serve, collect and demo watch through it, so that they judge alike.
type watcher struct {
	history   store.History
	collector *collector.Collector
	analyzer  *analyzer.Analyzer
	log       *slog.Logger
	warned    warned
	// writing is held from the record of a pass to the end of its judgement, and
	// while a person acts on an alert: both read an alert and save it again.
	writing sync.Mutex
}

// watchOptions say how passes are made, as in collector.Options.
type watchOptions struct {
	textEvery time.Duration
	bloat     collector.BloatBudget
}

// newWatcher puts collector and analyzer onto a history.
func newWatcher(h store.History, log *slog.Logger, o watchOptions) *watcher {
	known := func(ctx context.Context, s pgvigil.Server) (func(pgvigil.StatementKey) bool, error) {
		texts, err := h.KnownTexts(ctx, s)
		return func(k pgvigil.StatementKey) bool { return texts[k] >= query.Algorithm }, err
	}
	catalog := func(ctx context.Context, s pgvigil.Server) ([]pgvigil.DatabaseRead, error) {
		return lastCatalog(ctx, h, s)
	}
	plans := &planner{history: h, now: time.Now, top: map[pgvigil.ServerID]dearest{}}
	note := func(ctx context.Context, s pgvigil.Server, name string) ([]byte, error) {
		id, err := serverID(ctx, h, s)
		if err != nil || id == 0 {
			return nil, err
		}
		return h.State(ctx, id, name)
	}
	return &watcher{
		history: h,
		collector: collector.New(collector.Options{
			Log: log, Known: known, Catalog: catalog, TextEvery: o.textEvery, Bloat: o.bloat,
			Plans: plans.wishes, Note: note,
		}),
		analyzer: analyzer.New(h, analyzer.Options{Log: log}),
		log:      log,
	}
}

// lastCatalog is what the history last knew of a server's tables and indexes,
// nil if it does not know the server.
func lastCatalog(ctx context.Context, h store.History, s pgvigil.Server) ([]pgvigil.DatabaseRead, error) {
	id, err := serverID(ctx, h, s)
	if err != nil || id == 0 {
		return nil, err
	}
	return h.Catalog(ctx, id)
}

// passed is what one pass brought.
type passed struct {
	snapshot *pgvigil.Snapshot
	recorded pgvigil.Recorded
	alerts   []pgvigil.Alert // that changed
	took     time.Duration
}

// pass visits one target and takes what it read.
func (w *watcher) pass(ctx context.Context, t pgvigil.Target) (passed, error) {
	start := time.Now()
	snap, err := w.collector.Pass(ctx, t)
	p, err := w.take(ctx, t.Name, snap, err)
	p.took = time.Since(start)
	return p, err
}

// take records a pass and judges it. A failed one is recorded as a gap and
// returned as the error that it was.
func (w *watcher) take(ctx context.Context, target string, snap *pgvigil.Snapshot, failed error) (passed, error) {
	if failed != nil {
		if err := w.history.RecordFailure(context.WithoutCancel(ctx), target, time.Now(), failed.Error()); err != nil {
			w.log.Error("record the failed pass", "target", target, "error", err)
		}
		return passed{}, failed
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	rec, err := w.history.Record(ctx, snap)
	if err != nil {
		w.collector.GiveBack(target, snap.Waits)
		return passed{}, fmt.Errorf("record the pass over %s: %w", target, err)
	}
	alerts, err := w.analyzer.Observe(ctx, rec)
	if err != nil {
		return passed{}, fmt.Errorf("judge the pass over %s: %w", target, err)
	}
	for _, a := range alerts {
		w.log.Info("alert changed", "target", target, "alert", a.ID, "state", a.State, "cause", a.Verdict.Cause,
			"fingerprint", a.Verdict.Series.Fingerprint.String(), "factor", a.Verdict.Factor)
	}
	return passed{snapshot: snap, recorded: rec, alerts: alerts}, nil
}

// sayNew logs the warnings of a pass that its target did not have before.
func (w *watcher) sayNew(log *slog.Logger, target string, list []pgvigil.Warning) {
	w.warned.say(log, target, list)
}
