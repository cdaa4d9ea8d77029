package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/internal/server"
	"github.com/pgvigil/pgvigil/reports"
)

// tellAlert says one alert in the words that an on-call engineer would get.
func (d *demo) tellAlert(a pgvigil.Alert) {
	v := a.Verdict
	if !sent(a) {
		d.tell("For the report only, %d %s: %s", a.ID, a.State, alertHeadline(a))
		return
	}
	d.tell("ALERT %d %s (%s): %s", a.ID, a.State, a.Severity, alertHeadline(a))
	if a.State != pgvigil.Open {
		return
	}
	if a.Query.Text != "" {
		d.tell("  query    %s", oneLine(a.Query.Text, 100))
	}
	d.tell("  onset    %s (%.0f s after the fault)", v.Onset.Format("15:04:05"), v.Onset.Sub(d.injected).Seconds())
	d.tell("  cause    %s", causeWords(v))
	if v.Rule != "" {
		d.tell("  because  %s", oneLine(v.Rule, 160))
	}
	for _, e := range v.Events {
		d.tell("  event    %s: %s %s", e.At.Format("15:04:05"), e.Kind, oneLine(e.Object, 80))
	}
}

// advise asks for proposals for the query that the alert names.
func (d *demo) advise(ctx context.Context) error {
	if d.caught == nil || d.caught.Verdict.Kind != pgvigil.KindRegression {
		return nil
	}
	scratch, err := d.stage.scratchDSN(ctx)
	if err != nil {
		return err
	}
	a := adviser{history: d.history, model: d.model, scratch: pgvigil.Secret(scratch), log: quietLog(), writing: &d.watcher.writing}
	d.proposals, err = a.forAlert(ctx, d.target, *d.caught)
	if err != nil {
		return err
	}
	for _, p := range d.proposals {
		d.tellProposal(p)
	}
	if len(d.proposals) == 0 {
		d.tell("No index would help this query: %s", causeWords(d.caught.Verdict))
	}
	return nil
}

// stepsTold is how many statements of a proposal the story shows.
const stepsTold = 3

func (d *demo) tellProposal(p pgvigil.Proposal) {
	e := p.Evidence
	d.tell("PROPOSAL %d, drafted by %s, %s by %s: %s", p.ID, p.Author, e.Verdict, e.Method, oneLine(p.Reason, 160))
	for i, s := range p.Steps {
		if i == stepsTold && len(p.Steps) > stepsTold+1 {
			d.tell("  ... and so on for each partition, %d statements in all (the report has them)", len(p.Steps))
			break
		}
		d.tell("  %s", oneLine(s.SQL, 160))
	}
	if e.Verdict != pgvigil.Unverified {
		d.tell("  planner cost %.0f -> %.0f, size about %s", float64(e.CostBefore), float64(e.CostAfter), sizeWords(e.Size))
	}
}

// apply does what the demo's DBA would: run the verified proposal, and measure.
func (d *demo) apply(ctx context.Context) error {
	p := d.applicable()
	if p == nil || !d.opts.apply {
		return nil
	}
	at := time.Now()
	for _, step := range p.Steps {
		if err := execute(ctx, d.stage.owner, step.SQL); err != nil {
			return err
		}
	}
	d.tell("Applied proposal %d; measuring its outcome over %d passes", p.ID, outcomePasses)
	if err := d.passes(ctx, outcomePasses, nil); err != nil {
		return err
	}
	outcome, err := measureOutcome(ctx, d.history, *p, spans{
		fault: d.injected, applied: at, until: time.Now(), started: d.started,
	})
	if err != nil {
		return err
	}
	p.State, p.Outcome, d.outcome = pgvigil.Applied, outcome, outcome
	for _, q := range outcome.Queries {
		d.tell("OUTCOME: blocks a call %.1f before, %.1f with the fault, %.1f now; ms a call %.2f, %.2f, %.2f",
			q.Baseline.Blocks, q.Before.Blocks, q.After.Blocks, q.Baseline.MS, q.Before.MS, q.After.MS)
	}
	return d.history.SaveProposal(ctx, p)
}

// resolve closes the alert when the outcome shows that its cause is gone, the
// way people close it in the service: the detector would need to see many more
// passes before it said so by itself.
func (d *demo) resolve(ctx context.Context) error {
	if d.outcome == nil || !restored(d.outcome) || d.caught == nil || !d.caught.State.Live() {
		return nil
	}
	q := d.outcome.Queries[0]
	app := newApp(&config.Config{}, d.watcher, quietLog())
	alert, err := app.ActOnAlert(ctx, d.caught.ID, server.AlertAction{
		Verb: server.Resolve, By: "pgvigil demo",
		Reason: fmt.Sprintf("proposal %d was applied: %.1f blocks a call after it, %.1f with the fault, %.1f before",
			d.applicable().ID, q.After.Blocks, q.Before.Blocks, q.Baseline.Blocks),
	})
	if err != nil {
		return err
	}
	d.alerts[alert.ID], d.caught = alert, &alert
	d.tell("ALERT %d %s: %s", alert.ID, alert.State, alert.History[len(alert.History)-1].Reason)
	return nil
}

// applicable is the first index proposal that was verified.
func (d *demo) applicable() *pgvigil.Proposal {
	for i, p := range d.proposals {
		if p.Kind == pgvigil.ProposeIndex && p.Evidence.Verdict == pgvigil.Verified {
			return &d.proposals[i]
		}
	}
	return nil
}

// restored says whether the outcome brought every query back to at most a
// quarter more blocks per call than before the fault. It may be fewer: a new
// index is free of the dead entries that the old one had gathered.
func restored(o *pgvigil.Outcome) bool {
	for _, q := range o.Queries {
		if !(q.After.Blocks <= 1.25*q.Baseline.Blocks) {
			return false
		}
	}
	return len(o.Queries) > 0
}

func (d *demo) writeReport(ctx context.Context) error {
	report, err := reports.Gather(ctx, d.history, reports.Range{
		Window: pgvigil.Window{From: d.started, To: time.Now()},
		Target: d.target.Name, Title: "The demo's CI database", Now: time.Now(), Version: version,
	})
	if err != nil {
		return err
	}
	return d.ui.writeFile(d.opts.report, func(w io.Writer) error { return reports.Write(w, report) })
}

// end tells how it came out, and how to go on.
func (d *demo) end() error {
	came := d.cameOut()
	if d.opts.format == "json" {
		if err := d.ui.json(d.result()); err != nil {
			return err
		}
	}
	d.tell("REPORT  %s", d.opts.report)
	if d.stage.server == nil {
		d.tell("The world stays in database %s; the fault is healed", oneLine(d.stage.database, 60))
	}
	d.ui.say("")
	d.ui.say("%s", came.sentence)
	d.ui.say("")
	d.ui.say("Your own database, in three commands:")
	d.ui.say("  pgvigil config init > pgvigil.yaml     # then name your server in it")
	d.ui.say("  pgvigil doctor --config pgvigil.yaml   # what is missing, with the SQL that mends it")
	d.ui.say("  pgvigil serve --config pgvigil.yaml")
	if !came.asPlanted {
		return errFound
	}
	return nil
}

type verdict struct {
	asPlanted bool
	sentence  string
}

// cameOut holds the story against what was planted.
func (d *demo) cameOut() verdict {
	var wrong, total, noted int
	for _, a := range d.alerts {
		if sent(a) {
			total++
		} else {
			noted++
		}
		if sent(a) && d.truth.blamesWrongly(a) {
			wrong++
		}
	}
	switch {
	case wrong > 0:
		return verdict{false, fmt.Sprintf("Not as planted: %d alerts blame a query that the fault did not touch.", wrong)}
	case d.fault.Name == "none":
		return verdict{total == 0, fmt.Sprintf("Nothing was broken, and %d alerts were sent; %d small changes are in the report.", total, noted)}
	case d.caught == nil:
		return verdict{false, "Not as planted: the fault went unnoticed."}
	case !d.truth.rightCause(*d.caught):
		return verdict{false, fmt.Sprintf("Not as planted: noticed, but the cause was said to be %s; it was %s.", d.caught.Verdict.Cause, d.fault.Truth.Cause)}
	case d.fault.Truth.Detail == pgvigil.DetailIndexDropped && d.opts.apply && (d.outcome == nil || !restored(d.outcome)):
		return verdict{false, "Not as planted: no proposed index brought the query back to its blocks per call."}
	}
	s := fmt.Sprintf("As planted: noticed %.0f s after the fault, with its cause.", d.caughtAt.Sub(d.injected).Seconds())
	if d.outcome != nil && !restored(d.outcome) {
		s += " The index that was applied helps without undoing the fault: the cause is another."
	}
	return verdict{true, s}
}

// sent says whether an alert reaches people before the report does.
func sent(a pgvigil.Alert) bool { return a.Severity != pgvigil.ReportOnly }
