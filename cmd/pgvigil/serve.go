package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/server"
)

func newServe(u *ui) *cobra.Command {
	ac := &access{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service: scheduled passes, detection, alerts, API",
		Long: `serve watches the targets of the configuration until it is told to stop (Ctrl-C or
SIGTERM). It owns the history: while it runs, other commands reach the history
through its socket, which lies beside the file.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := ac.load(nil)
			if err != nil {
				return err
			}
			err = serve(cmd.Context(), u, cfg)
			if errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
				return nil // being told to stop is how it ends
			}
			return err
		},
	}
	ac.configFlag(cmd)
	cmd.Flags().StringVar(&ac.history, "history", "", "file of the history (overrides history.path of the configuration)")
	return cmd
}

func serve(ctx context.Context, u *ui, cfg *config.Config) error {
	if len(cfg.Targets) == 0 {
		return &pgvigil.Hint{Err: errors.New("serve: the configuration names no target"), Advice: `write one with "pgvigil config init"`}
	}
	socket, err := server.ListenUnix(socketOf(cfg))
	if err != nil {
		return err
	}
	defer u.finish(socket.Close)
	listeners := []net.Listener{socket}
	if cfg.Server.Listen != "" {
		tcp, err := server.ListenTCP(cfg.Server.Listen, cfg.Server.AllowRemote)
		if err != nil {
			return err
		}
		defer u.finish(func() error { return closed(tcp.Close()) })
		listeners = append(listeners, tcp)
	}
	a, done, err := openLocal(ctx, u, cfg, created)
	if err != nil {
		return err
	}
	defer u.finish(done)
	return a.serve(ctx, listeners)
}

// serve runs passes and API side by side until ctx ends or one of them fails.
func (a *app) serve(ctx context.Context, listeners []net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	passes, err := a.schedule()
	if err != nil {
		return err
	}
	api := server.New(a, server.Options{Log: a.log, Version: version, History: a.cfg.History.Path, Hosts: a.cfg.Server.Hosts})
	a.log.Info("watching", "targets", len(a.cfg.Targets), "history", a.cfg.History.Path, "socket", socketOf(a.cfg), "listen", a.cfg.Server.Listen)
	for _, w := range a.cfg.Warnings {
		a.log.Warn("configuration", "code", w.Code, "text", w.Text, "remedy", w.Remedy)
	}
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { passes.Run(ctx) })
	running.Go(func() { a.compactDaily(ctx) })
	err = api.Serve(ctx, listeners...)
	cancel()
	return err
}

// schedule puts every target onto its schedule.
func (a *app) schedule() (*collector.Scheduler, error) {
	s := a.watcher.collector.Schedule(collector.ScheduleOptions{
		Handle: a.handle, Resolve: a.cfg.Resolve,
	})
	for _, name := range a.cfg.TargetNames() {
		when := a.cfg.Targets[name].Schedule
		t := pgvigil.Target{Name: name}
		if err := s.Add(t, when.Spec(), when.Jitter.Std()); err != nil {
			return nil, err
		}
		if when.Sample > 0 {
			s.Sample(t, when.Sample.Std())
		}
	}
	return s, nil
}

// handle takes what a scheduled pass brought.
func (a *app) handle(ctx context.Context, t pgvigil.Target, snap *pgvigil.Snapshot, err error) {
	log := a.log.With("target", t.Name)
	if errors.Is(err, collector.ErrRunning) {
		log.Warn("pass skipped: another of this target is running")
		return
	}
	p, err := a.watcher.take(ctx, t.Name, snap, err)
	if err != nil {
		log.Error("pass failed", "error", err, "advice", pgvigil.Advice(err))
		return
	}
	log.Info("pass", "pass", p.recorded.Pass, "statements", len(snap.Statements.List), "series", len(p.recorded.Points), "took", snap.Took)
	a.watcher.sayNew(log, t.Name, snap.Warnings)
}

// Closed intervals are rewritten by series, and what is too old dropped, once
// soon after the start, so that restarts do not put it off for ever, and daily.
const (
	compactFirst = 5 * time.Minute
	compactEvery = 24 * time.Hour
)

func (a *app) compactDaily(ctx context.Context) {
	tick := time.NewTicker(compactFirst)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		tick.Reset(compactEvery)
		if err := a.watcher.history.Compact(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("compact the history", "error", err)
		}
	}
}

// warned remembers which warnings of a target stand in the log already.
type warned struct {
	mu   sync.Mutex
	seen map[string]bool
}

// say logs the warnings that a target did not have at its last pass.
func (w *warned) say(log *slog.Logger, target string, list []pgvigil.Warning) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := map[string]bool{}
	for _, warning := range list {
		key := fmt.Sprintf("%s\x00%s\x00%s", target, warning.Code, warning.Text)
		now[key] = true
		if !w.seen[key] {
			log.Warn("doubt", "code", warning.Code, "text", warning.Text, "remedy", warning.Remedy)
		}
	}
	for key := range w.seen {
		if len(key) > len(target) && key[:len(target)+1] == target+"\x00" && !now[key] {
			delete(w.seen, key)
		}
	}
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	for key := range now {
		w.seen[key] = true
	}
}

// closed forgives what was closed already.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
