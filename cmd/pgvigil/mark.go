package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
)

func newMark(u *ui) *cobra.Command {
	ac := &access{}
	var target, at string
	cmd := &cobra.Command{
		Use:   "mark KIND [NAME]",
		Short: "Record a deploy or another event that may explain a regression",
		Long: `mark records an event on a target: a deploy, or anything else by its own word.

	pgvigil mark deploy v17.5 --target ci
	pgvigil mark "cron moved" --target ci --at 2026-11-23T02:00`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			when, err := readMoment("--at", at)
			if err != nil {
				return err
			}
			if strings.TrimSpace(args[0]) == "" || when.After(time.Now().Add(time.Minute)) {
				return &pgvigil.Hint{Err: fmt.Errorf("mark: an event has a name and is not to come"), Advice: "say what happened, like deploy v17.5"}
			}
			e := pgvigil.Event{Kind: pgvigil.EventMark, Object: args[0], At: when, Source: "user"}
			if args[0] == string(pgvigil.EventDeploy) {
				e.Kind, e.Object = pgvigil.EventDeploy, ""
			}
			if len(args) == 2 {
				e.Object = args[1]
			}
			return mark(cmd.Context(), u, ac, target, e)
		},
	}
	ac.flags(cmd)
	cmd.Flags().StringVar(&target, "target", "", "the target; without it, the only one")
	cmd.Flags().StringVar(&at, "at", "", "when; without it, now")
	return cmd
}

func mark(ctx context.Context, u *ui, ac *access, target string, e pgvigil.Event) error {
	app, done, err := ac.open(ctx, u, existing)
	if err != nil {
		return err
	}
	defer u.finish(done)
	servers, err := app.Targets(ctx)
	if err != nil {
		return err
	}
	var of []pgvigil.ServerInfo
	for _, s := range servers {
		if target == "" || s.Server.Target == target {
			of = append(of, s)
		}
	}
	if !oneTarget(of) {
		return &pgvigil.Hint{
			Err:    fmt.Errorf("mark: %d servers of the history match target %q", len(of), target),
			Advice: `name one with --target; a target is known after its first pass`,
		}
	}
	on := latest(of)
	e.Server = on.ID
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	id, err := app.Mark(ctx, e)
	if err != nil {
		return err
	}
	u.say("Event %d: %s %s on %s at %s.", id, e.Kind, oneLine(e.Object, 100), on.Server.Target, e.At.UTC().Format(time.RFC3339))
	return nil
}
