package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newHistory(u *ui) *cobra.Command {
	ac := &access{}
	cmd := &cobra.Command{Use: "history", Short: "Check the history"}
	ac.flags(cmd)
	var format string
	check := &cobra.Command{
		Use:   "check",
		Short: "Look for what must never be: negative counters, overlapping intervals",
		Long: `check reads the whole history and says what is wrong with it. Exit code 0 when all
is well, 1 when something is wrong, 2 when it could not be read.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format, "text", "json"); err != nil {
				return err
			}
			return checkHistory(cmd.Context(), u, ac, format)
		},
	}
	check.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.AddCommand(check)
	return cmd
}

func checkHistory(ctx context.Context, u *ui, ac *access, format string) error {
	app, done, err := ac.open(ctx, u, existing)
	if err != nil {
		return err
	}
	defer u.finish(done)
	c, err := app.CheckHistory(ctx)
	if err != nil {
		return err
	}
	if c.Problems == nil {
		c.Problems = []string{}
	}
	if format == "json" {
		if err := u.json(c); err != nil {
			return err
		}
	} else {
		if c.Passes == 0 {
			u.print("no passes yet")
		} else {
			u.print("%d passes over %d statements, %s to %s", c.Passes, c.Statements, c.From.UTC().Format("2006-01-02 15:04"), c.To.UTC().Format("2006-01-02 15:04"))
		}
		for _, p := range c.Problems {
			u.print("problem: %s", oneLine(p, 300))
		}
	}
	if !c.OK {
		return errFound
	}
	return nil
}
