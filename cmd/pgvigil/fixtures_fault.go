package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil/fixtures"
)

func newFixturesFault(u *ui, dsn *string) *cobra.Command {
	var list, heal bool
	cmd := &cobra.Command{
		Use:   "fault [NAME]",
		Short: "Inject a fault by name, or heal it",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if list || len(args) == 0 {
				return listFaults(u)
			}
			fault, err := fixtures.FaultByName(args[0])
			if err != nil {
				return err
			}
			if err := needDSN(dsn); err != nil {
				return err
			}
			return plantFault(cmd.Context(), u, *dsn, fault, heal)
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the faults with their truths")
	cmd.Flags().BoolVar(&heal, "heal", false, "heal it instead")
	return cmd
}

func listFaults(u *ui) error {
	t := tabwriter.NewWriter(u.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tCAUSE\tWHAT IT DOES")
	for _, f := range fixtures.Faults() {
		cause := string(f.Truth.Cause)
		if f.Truth.Detail != "" {
			cause += " (" + f.Truth.Detail + ")"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, cause, f.Title)
	}
	return t.Flush()
}

func plantFault(ctx context.Context, u *ui, dsn string, f fixtures.Fault, heal bool) error {
	s := &fixtures.Session{DSN: dsn}
	if heal {
		if err := f.Heal(ctx, s); err != nil {
			return err
		}
		u.say("Healed: %s.", f.Title)
		return nil
	}
	if err := f.Inject(ctx, s); err != nil {
		return err
	}
	u.say("Injected: %s. Heal it with: pgvigil fixtures fault %s --heal", f.Title, f.Name)
	return nil
}
