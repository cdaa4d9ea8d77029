package main

import (
	"context"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer"
	"github.com/pgvigil/pgvigil/internal/store"
)

// judgeAgain runs the detector over a server's history as if each pass came
// in now, and returns what it says of the window. It saves nothing.
func judgeAgain(ctx context.Context, h store.History, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Regression, error) {
	var clock time.Time
	dry := &dryHistory{History: h}
	a := analyzer.New(dry, analyzer.Options{Now: func() time.Time { return clock }})
	err := h.EachPass(ctx, id, pgvigil.Window{To: w.To}, func(rec pgvigil.Recorded) error {
		clock = rec.At
		_, err := a.Observe(ctx, rec)
		return err
	})
	if err != nil {
		return nil, err
	}
	var verdicts []pgvigil.Regression
	for _, alert := range dry.alerts {
		if !alert.Verdict.Detected.Before(w.From) {
			verdicts = append(verdicts, alert.Verdict)
		}
	}
	return verdicts, nil
}

// dryHistory keeps alerts in memory instead of the history beneath it. Catalog
// and settings are those of the last pass, as the history keeps no others.
type dryHistory struct {
	store.History
	alerts []pgvigil.Alert
}

// EachPass replays nothing: whoever judges again hands in every pass himself.
func (d *dryHistory) EachPass(context.Context, pgvigil.ServerID, pgvigil.Window, func(pgvigil.Recorded) error) error {
	return nil
}

// Alerts returns those that were raised in this run.
func (d *dryHistory) Alerts(_ context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error) {
	var out []pgvigil.Alert
	for _, a := range d.alerts {
		if (f.ID == 0 || f.ID == a.ID) && (!f.Live || a.State.Live()) {
			out = append(out, a)
		}
	}
	return out, nil
}

// SaveAlert keeps an alert in memory.
func (d *dryHistory) SaveAlert(_ context.Context, a *pgvigil.Alert) error {
	if a.ID == 0 {
		a.ID = int64(len(d.alerts)) + 1
		d.alerts = append(d.alerts, *a)
		return nil
	}
	d.alerts[a.ID-1] = *a
	return nil
}
