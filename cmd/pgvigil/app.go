package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/server"
	"github.com/pgvigil/pgvigil/reports"
)

// app does what commands ask, on a history that this process has open. It is
// server.App; a command that finds a running service gets the same interface
// from the client instead.
type app struct {
	cfg     *config.Config
	watcher *watcher
	log     *slog.Logger
	now     func() time.Time
}

var _ server.App = (*app)(nil)

func newApp(cfg *config.Config, w *watcher, log *slog.Logger) *app {
	return &app{cfg: cfg, watcher: w, log: log, now: time.Now}
}

// Targets implements server.App. Labels are those of the configuration now.
func (a *app) Targets(ctx context.Context) ([]pgvigil.ServerInfo, error) {
	list, err := a.watcher.history.Servers(ctx)
	for i := range list {
		list[i].Labels = maps.Clone(a.cfg.Targets[list[i].Server.Target].Labels)
	}
	return list, err
}

// Collect implements server.App.
func (a *app) Collect(ctx context.Context, target string) ([]server.PassResult, error) {
	names := a.cfg.TargetNames()
	if target != "" {
		names = []string{target}
	}
	if len(names) == 0 {
		return nil, &pgvigil.Hint{
			Err:    errors.New("collect: the configuration names no target"),
			Advice: `write one with "pgvigil config init", or pass --dsn`,
		}
	}
	var results []server.PassResult
	for _, name := range names {
		t, err := a.cfg.Resolve(ctx, name)
		if err != nil {
			if target != "" {
				return nil, err
			}
			results = append(results, failedPass(name, a.now(), err))
			continue
		}
		results = append(results, a.collectOne(ctx, t))
	}
	return results, ctx.Err()
}

func (a *app) collectOne(ctx context.Context, t pgvigil.Target) server.PassResult {
	p, err := a.watcher.pass(ctx, t)
	if err != nil {
		return failedPass(t.Name, a.now(), err)
	}
	return server.PassResult{
		Target: t.Name, Server: p.recorded.Server, Pass: p.recorded.Pass, At: p.recorded.At, Seconds: p.took.Seconds(),
		Statements: len(p.snapshot.Statements.List), Series: len(p.recorded.Points), Relations: len(p.recorded.Relations),
		Events: p.recorded.Events, Alerts: p.alerts, Coverage: p.recorded.Coverage,
		Warnings: distinct(append(slices.Clone(p.snapshot.Warnings), p.recorded.Warnings...)),
	}
}

// distinct keeps each warning once, in order.
func distinct(list []pgvigil.Warning) []pgvigil.Warning {
	var out []pgvigil.Warning
	for _, w := range list {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// sample samples a target, or all for "", beside the passes that Collect makes,
// until stop is called.
func (a *app) sample(ctx context.Context, target string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	names := a.cfg.TargetNames()
	if target != "" {
		names = []string{target}
	}
	var waits []func()
	for _, name := range names {
		every := a.cfg.Targets[name].Schedule.Sample.Std()
		if every <= 0 {
			continue
		}
		o := collector.SampleOptions{Every: every, Resolve: a.cfg.Resolve}
		waits = append(waits, a.watcher.collector.Sample(ctx, pgvigil.Target{Name: name}, o))
	}
	return func() {
		cancel()
		for _, wait := range waits {
			wait()
		}
	}
}

func failedPass(target string, at time.Time, err error) server.PassResult {
	return server.PassResult{Target: target, At: at, Problem: err.Error(), Advice: pgvigil.Advice(err)}
}

// Regressions implements server.App: it judges the history anew, pass by pass,
// and keeps nothing of it.
func (a *app) Regressions(ctx context.Context, f server.RegressionFilter) ([]pgvigil.Regression, error) {
	servers, err := a.serversOf(ctx, f.Target)
	if err != nil {
		return nil, err
	}
	var found []pgvigil.Regression
	for _, s := range servers {
		if f.Server != 0 && f.Server != s.ID {
			continue
		}
		verdicts, err := judgeAgain(ctx, a.watcher.history, s.ID, f.Window)
		if err != nil {
			return nil, err
		}
		found = append(found, verdicts...)
	}
	return found, nil
}

// latest returns the server that was seen last: a cluster that was rebuilt
// behind the same address is another server of the same target.
func latest(list []pgvigil.ServerInfo) pgvigil.ServerInfo {
	return slices.MaxFunc(list, func(a, b pgvigil.ServerInfo) int { return a.LastSeen.Compare(b.LastSeen) })
}

// oneTarget says whether all servers stand behind one address.
func oneTarget(list []pgvigil.ServerInfo) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(s pgvigil.ServerInfo) bool { return s.Server.Target != list[0].Server.Target })
}

// serversOf returns the servers of a target, of all if it is "".
func (a *app) serversOf(ctx context.Context, target string) ([]pgvigil.ServerInfo, error) {
	all, err := a.watcher.history.Servers(ctx)
	if err != nil || target == "" {
		return all, err
	}
	var of []pgvigil.ServerInfo
	for _, s := range all {
		if s.Server.Target == target {
			of = append(of, s)
		}
	}
	if len(of) == 0 {
		return nil, noTarget(target)
	}
	return of, nil
}

func noTarget(target string) error {
	return &pgvigil.Hint{
		Err:    fmt.Errorf("find target %q in the history: %w", target, server.ErrNotFound),
		Advice: `see "pgvigil collect": a target is known after its first pass`,
	}
}

// Report implements server.App.
func (a *app) Report(ctx context.Context, r server.ReportRequest, w io.Writer) error {
	if _, err := a.serversOf(ctx, r.Target); err != nil {
		return err
	}
	report, err := reports.Gather(ctx, a.watcher.history, reports.Range{
		Window: r.Window, Target: r.Target, Now: a.now(), Version: version,
	})
	if err != nil {
		return err
	}
	return reports.Write(w, report)
}

// Mark implements server.App.
func (a *app) Mark(ctx context.Context, e pgvigil.Event) (int64, error) {
	if e.At.IsZero() {
		e.At = a.now()
	}
	if e.Source == "" {
		e.Source = "user"
	}
	return a.watcher.history.AddEvent(ctx, e)
}

// CheckHistory implements server.App.
func (a *app) CheckHistory(ctx context.Context) (pgvigil.HistoryCheck, error) {
	return a.watcher.history.Check(ctx)
}
