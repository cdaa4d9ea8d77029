package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/llm"
	"github.com/pgvigil/pgvigil/fixtures"
	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
)

// The demo's lengths, in passes. They are the story's, not the detector's.
const (
	warmUpPasses  = 36 // before the fault: the baseline
	patience      = 36 // after the fault: how long to wait for an alert
	settlePasses  = 3  // after the alert: what else is said of the same event
	outcomePasses = 8  // after the fix: its measurement
)

// demo is one run of the story.
type demo struct {
	ui      *ui
	opts    demoOptions
	fault   fixtures.Fault
	started time.Time

	model    llm.Model // nil for none
	dir      string    // of the history
	stage    *stage
	history  store.History
	watcher  *watcher
	target   pgvigil.Target
	workload *fixtures.Workload
	session  *fixtures.Session
	truth    truth

	injected  time.Time
	server    pgvigil.ServerID
	alerts    map[int64]pgvigil.Alert // that were open at some time
	caught    *pgvigil.Alert          // the one that tells of the fault
	caughtAt  time.Time
	proposals []pgvigil.Proposal
	outcome   *pgvigil.Outcome
}

// runDemo plays the story and cleans up after it, whatever happens.
func runDemo(ctx context.Context, u *ui, o demoOptions, fault fixtures.Fault) error {
	d := &demo{ui: u, opts: o, fault: fault, started: time.Now(), alerts: map[int64]pgvigil.Alert{}}
	if err := writable(o.report); err != nil {
		return err
	}
	model, err := newModel(o.model)
	if err != nil {
		return err
	}
	defer model.close()
	d.model = model.Model
	defer u.finish(d.close)
	for _, chapter := range []func(context.Context) error{
		d.open, d.warmUp, d.breakIt, d.waitForAlert, d.advise, d.apply, d.resolve, d.writeReport,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return d.end()
}

// tell says a line of the story with the seconds since its start.
func (d *demo) tell(format string, args ...any) {
	d.ui.say("[%4.0f s] "+format, append([]any{time.Since(d.started).Seconds()}, args...)...)
}

// open sets the stage: server, world, workload, history, watcher.
func (d *demo) open(ctx context.Context) error {
	if d.opts.dsn == "" {
		d.tell("Starting a Postgres and loading a CI world (scale %g)", d.opts.scale)
	} else {
		d.tell("Loading a CI world (scale %g) into the database of --dsn", d.opts.scale)
	}
	var err error
	if d.stage, err = openStage(ctx, d.opts); err != nil {
		return err
	}
	if err := fixtures.Load(ctx, d.stage.owner, d.stage.world, func(string) {}); err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "pgvigil-demo"); err != nil {
		return fmt.Errorf("make a directory for the history: %w", err)
	}
	h, err := duckdb.Open(ctx, filepath.Join(d.dir, "history.duckdb"), duckdb.Options{})
	if err != nil {
		return err
	}
	d.history = h
	d.watcher = newWatcher(d.history, quietLog(), watchOptions{textEvery: 2 * d.opts.every})
	d.target = pgvigil.Target{
		Name: "demo", DSN: pgvigil.Secret(d.stage.watch), Databases: []string{d.stage.database}, Labels: map[string]string{"owner": "you"},
		Timeouts: pgvigil.DefaultTimeouts,
	}
	return d.startWorkload(ctx)
}

func (d *demo) startWorkload(ctx context.Context) error {
	d.truth = newTruth(d.fault)
	d.workload = fixtures.NewWorkload(d.stage.owner, fixtures.WorkloadOptions{Seed: d.opts.seed})
	if err := d.workload.Start(ctx); err != nil {
		return err
	}
	d.session = &fixtures.Session{DSN: d.stage.owner, Workload: d.workload}
	d.tell("Watching %s: database %q, %d kinds of statements, a pass each %s", d.stage.version(), oneLine(d.stage.database, 60),
		len(fixtures.Statements()), d.opts.every)
	return nil
}

// toleratedFailures is how many passes in a row may fail before the demo gives
// up. The service would not: it goes on for ever.
const toleratedFailures = 3

// passes takes n passes at the demo's rhythm; stop ends them early.
func (d *demo) passes(ctx context.Context, n int, stop func(passed) bool) error {
	tick := time.NewTicker(d.opts.every)
	defer tick.Stop()
	failed := 0
	for range n {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := d.workload.Err(); err != nil {
			return fmt.Errorf("run the workload: %w", err)
		}
		p, err := d.watcher.pass(ctx, d.target)
		if err != nil {
			if failed++; failed > toleratedFailures || ctx.Err() != nil {
				return err
			}
			d.tell("A pass failed, as it may on a server in trouble; the next one comes: %v", err)
			continue
		}
		failed = 0
		d.server = p.recorded.Server
		d.note(p)
		if stop != nil && stop(p) {
			return nil
		}
	}
	return nil
}

// note remembers and tells what a pass changed.
func (d *demo) note(p passed) {
	for _, a := range p.alerts {
		before, known := d.alerts[a.ID]
		d.alerts[a.ID] = a
		if !known || before.State != a.State {
			d.tellAlert(a)
		}
		if d.caught == nil && !d.injected.IsZero() && !a.Opened.Before(d.injected) && d.truth.explains(a) {
			d.caught, d.caughtAt = &a, time.Now()
		}
		if d.caught != nil && d.caught.ID == a.ID {
			d.caught = &a
		}
	}
}

func (d *demo) warmUp(ctx context.Context) error {
	d.tell("Learning what is normal: %d passes", warmUpPasses)
	if err := d.passes(ctx, warmUpPasses, nil); err != nil {
		return err
	}
	loads, err := d.history.Loads(ctx, d.server, pgvigil.Window{}, 10)
	if err != nil {
		return err
	}
	queries, err := d.history.Queries(ctx, fingerprints(loads))
	if err != nil {
		return err
	}
	told := 0
	for _, l := range loads {
		if q := queries[l.Series.Fingerprint]; !q.Own() && told < 3 {
			told++
			d.tell("  %4.1f %% of the time  %s", 100*l.Share, oneLine(q.Text, 84))
		}
	}
	return nil
}

func (d *demo) breakIt(ctx context.Context) error {
	d.injected = time.Now()
	if d.fault.Name == "none" {
		d.tell("The control: nothing is broken, and nothing should be said")
		return nil
	}
	d.tell("Breaking it: %s", d.fault.Title)
	return d.fault.Inject(ctx, d.session)
}

func (d *demo) waitForAlert(ctx context.Context) error {
	err := d.passes(ctx, patience, func(passed) bool { return d.caught != nil })
	if err != nil || d.caught == nil {
		return err
	}
	return d.passes(ctx, settlePasses, nil)
}

func (d *demo) close() error {
	var errs []error
	if d.session != nil && !d.injected.IsZero() && d.fault.Name != "none" {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if d.stage.server == nil { // the user's database is left as it was
			errs = append(errs, d.fault.Heal(ctx, d.session))
		}
	}
	if d.workload != nil {
		errs = append(errs, d.workload.Stop())
	}
	if d.history != nil {
		errs = append(errs, d.history.Close())
	}
	if d.stage != nil {
		errs = append(errs, d.stage.close())
	}
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}
