package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
)

func newRoot(u *ui) *cobra.Command {
	root := &cobra.Command{
		Use:   "pgvigil",
		Short: "Watches the Postgres databases behind CI systems",
		Long: `pgvigil samples what a Postgres database does, says when a query got slower and
why, and drafts index and partitioning fixes that it has verified.

Start with "pgvigil demo". For your own database: "pgvigil config init", then
"pgvigil doctor", then "pgvigil serve".

Exit codes: 0 done or clean, 1 found something (doctor, regressions, alerts
list --fail, history check, demo), 2 not done or could not tell.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(u.in)
	root.SetOut(u.out)
	root.SetErr(u.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &pgvigil.Hint{Err: fmt.Errorf("read the flags of %s: %w", cmd.CommandPath(), err), Advice: "see " + cmd.CommandPath() + " --help"}
	})
	root.AddCommand(
		newDemo(u), newServe(u), newCollect(u), newDoctor(u), newNow(u), newRegressions(u), newAlerts(u),
		newAdvise(u), newProposals(u), newReport(u), newMark(u), newHistory(u), newFixtures(u), newConfig(u), newDev(u), newVersion(u),
	)
	refuseArgs(root)
	return root
}

func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &pgvigil.Hint{
		Err:    fmt.Errorf("find the command %q: %s has no such command", args[0], cmd.CommandPath()),
		Advice: "see " + cmd.CommandPath() + " --help",
	}
}

// refuseArgs gives commands without arguments of their own a clear refusal of
// any, and groups without a subcommand their help.
func refuseArgs(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		if c.Args == nil {
			c.Args = noSuchCommand
		}
		if c.HasSubCommands() && c.RunE == nil {
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
		refuseArgs(c)
	}
}

func newVersion(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(*cobra.Command, []string) error {
			u.print("pgvigil %s", version)
			return nil
		},
	}
}
