package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/server"
)

type nowOptions struct {
	access
	target string
	dsn    string
	format string
}

func newNow(u *ui) *cobra.Command {
	o := nowOptions{}
	cmd := &cobra.Command{
		Use:   "now [TARGET]",
		Short: "Show a server in trouble on one screen, within two seconds",
		Long: `now shows who runs and for how long, who blocks whom, what maintenance and DDL is
under way, what changed in the last hour (from the history, if there is one), and
the safest next command with its lock and its risk. It runs none of it.

	pgvigil now ci
	pgvigil now --dsn postgres://pgvigil@db1/postgres --format json

It waits for nothing: what does not answer in time is left out, and said so. When
the server has no connection left, the last sample of the history stands in. A
role with pg_use_reserved_connections (PostgreSQL 16) gets one all the same.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) <= 1 {
				return nil
			}
			return &pgvigil.Hint{Err: fmt.Errorf("choose a target: %d are named", len(args)), Advice: "see " + cmd.CommandPath() + " --help"}
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(o.format, "text", "json"); err != nil {
				return err
			}
			if len(args) == 1 {
				o.target = args[0]
			}
			return o.run(cmd.Context(), u)
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.dsn, "dsn", "", "a server to look at without a configuration (or PGVIGIL_DSN)")
	cmd.Flags().StringVar(&o.format, "format", "text", "text or json")
	return cmd
}

// How long now waits, and what the history is asked for.
const (
	nowLimit  = 1900 * time.Millisecond
	lastHour  = time.Hour
	staleness = 10 * time.Minute // of a sample that stands in for the server
)

func (o nowOptions) run(ctx context.Context, u *ui) error {
	quick, cancel := context.WithTimeout(ctx, nowLimit)
	defer cancel()
	cfg, t, err := o.resolve(quick)
	if err != nil {
		return err
	}
	asked := make(chan history, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		asked <- o.ask(quick, u, cfg, t.Name)
	}()
	defer func() { <-ended }()
	scene, err := collector.New(collector.Options{Log: quietLog()}).Look(quick, t)
	known := history{problem: "the history did not answer in time"}
	select {
	case known = <-asked:
	case <-quick.Done():
	}
	return o.show(u, scene, known, err)
}

// resolve finds the target: by name, by --dsn, or the only one there is.
func (o *nowOptions) resolve(ctx context.Context) (*config.Config, pgvigil.Target, error) {
	var none pgvigil.Target
	keys := map[string]string{"log.level": "error"}
	if o.dsn == "" && o.target == "" {
		o.dsn = os.Getenv(dsnVariable)
	}
	if o.dsn != "" {
		if o.target != "" {
			return nil, none, &pgvigil.Hint{Err: errors.New("choose a target: a name and --dsn name two"), Advice: "give one of them"}
		}
		if _, err := flagDSN("--dsn", o.dsn); err != nil {
			return nil, none, err
		}
		o.target, keys["targets."+dsnTarget+".dsn"] = dsnTarget, o.dsn
	}
	cfg, err := o.load(keys)
	if err != nil {
		return nil, none, err
	}
	names := cfg.TargetNames()
	if o.target == "" && len(names) != 1 {
		return nil, none, &pgvigil.Hint{
			Err:    fmt.Errorf("choose a target: the configuration names %d", len(names)),
			Advice: `name one, as in "pgvigil now ci", or pass --dsn`,
		}
	}
	if o.target == "" {
		o.target = names[0]
	}
	t, err := cfg.Resolve(ctx, o.target)
	return cfg, t, err
}

// history is what the history knew of the last hour, or why it knew nothing.
type history struct {
	server.Lately
	problem string
}

// ask asks the service, or the history that is there, what happened lately.
func (o nowOptions) ask(ctx context.Context, u *ui, cfg *config.Config, target string) history {
	app, done, err := o.openLately(ctx, u, cfg)
	if err == nil {
		defer u.finish(done)
		var l server.Lately
		if l, err = app.Lately(ctx, server.LatelyRequest{Target: target, Since: time.Now().Add(-lastHour)}); err == nil {
			return history{Lately: l}
		}
	}
	return history{problem: err.Error()}
}

func (o nowOptions) openLately(ctx context.Context, u *ui, cfg *config.Config) (server.App, func() error, error) {
	if o.server != "" {
		return o.open(ctx, u, existing)
	}
	return openConfigured(ctx, u, cfg, existing)
}

// show prints what there is: the server's own word, else the history's.
func (o nowOptions) show(u *ui, scene *collector.Scene, known history, refused error) error {
	var sit *situation
	switch {
	case scene != nil:
		sit = situationOf(scene)
	case time.Since(known.Sample.At) < staleness:
		sit = situationOf(sceneOf(known.Lately))
		sit.Source, sit.Connections = "history", nil
		sit.Warnings = append(sit.Warnings, warningObject{"server-unread", refused.Error(), pgvigil.Advice(refused)})
	default:
		return whenFull(refused)
	}
	if known.problem == "" {
		sit.Changed = append(sit.Changed, eventsJSON(known.Events)...)
	} else {
		sit.Warnings = append(sit.Warnings, warningObject{"history-unread", "what else changed is not known: " + known.problem, ""})
	}
	if o.format == "json" {
		return u.json(sit)
	}
	printSituation(u, sit)
	return nil
}

// sceneOf makes a scene of the last sample in the history.
func sceneOf(l server.Lately) *collector.Scene {
	return &collector.Scene{Server: l.Server.Server, At: l.Sample.At, Sessions: l.Sample.Sessions, Locks: l.Sample.Locks}
}

// whenFull adds to a refusal for want of a connection what a superuser can do.
func whenFull(refused error) error {
	pg, ok := errors.AsType[*pgconn.PgError](refused)
	if !ok || pg.Code != "53300" {
		return refused
	}
	return &pgvigil.Hint{
		Err: refused,
		Advice: "connections are kept for superusers (superuser_reserved_connections): as one of them, run SELECT pid, usename, application_name, state, state_change " +
			"FROM pg_stat_activity WHERE state LIKE 'idle%' ORDER BY state_change; (it takes no lock) and end the oldest with pg_terminate_backend(pid); " + pgvigil.Advice(refused),
	}
}
