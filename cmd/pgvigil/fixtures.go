package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/fixtures"
)

func newFixtures(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fixtures",
		Short: "Load the CI world, run its workload, inject a fault",
		Long: `fixtures is a CI database with known truth, to try pgvigil or any other tool on.

	pgvigil fixtures load  --dsn DSN        into an empty database
	pgvigil fixtures run   --dsn DSN        the workload, until Ctrl-C
	pgvigil fixtures fault --dsn DSN NAME   break it; --heal mends it`,
	}
	var dsn string
	cmd.PersistentFlags().StringVar(&dsn, "dsn", "", "the database (or PGVIGIL_DSN)")
	cmd.AddCommand(newFixturesLoad(u, &dsn), newFixturesRun(u, &dsn), newFixturesFault(u, &dsn))
	return cmd
}

// needDSN completes --dsn from the environment.
func needDSN(dsn *string) error {
	if *dsn == "" {
		*dsn = os.Getenv(dsnVariable)
	}
	if *dsn != "" {
		return nil
	}
	return &pgvigil.Hint{Err: fmt.Errorf("connect: no database given"), Advice: "pass --dsn or set PGVIGIL_DSN"}
}

func newFixturesLoad(u *ui, dsn *string) *cobra.Command {
	w := fixtures.World{}
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Load the CI world into an empty database",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needDSN(dsn); err != nil {
				return err
			}
			start := time.Now()
			err := fixtures.Load(cmd.Context(), *dsn, w, func(step string) {
				u.say("%7s  %s", shortDuration(time.Since(start)), step)
			})
			if err == nil {
				u.say("loaded in %s", shortDuration(time.Since(start)))
			}
			return err
		},
	}
	cmd.Flags().Float64Var(&w.Scale, "scale", 0.1, "size; 0.1 is about 160 MB, 1 about 1.3 GB")
	cmd.Flags().Int64Var(&w.Seed, "seed", 1, "the same seed makes the same world")
	return cmd
}

func newFixturesRun(u *ui, dsn *string) *cobra.Command {
	o := fixtures.WorkloadOptions{}
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the workload until Ctrl-C, or for a while",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needDSN(dsn); err != nil {
				return err
			}
			if o.Rate < 0 || length < 0 || o.Day < 0 {
				return &pgvigil.Hint{Err: fmt.Errorf("read --rate %g, --for %s, --day %s: less than nothing", o.Rate, length, o.Day), Advice: "use 0 or more"}
			}
			ctx := cmd.Context()
			if length > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, length)
				defer cancel()
			}
			return runWorkload(ctx, u, *dsn, o)
		},
	}
	cmd.Flags().DurationVar(&length, "for", 0, "how long; 0 is until Ctrl-C")
	cmd.Flags().Float64Var(&o.Rate, "rate", 0, "statements a second; 0 is the default rate")
	cmd.Flags().Int64Var(&o.Seed, "seed", 1, "the same seed asks the same questions")
	cmd.Flags().DurationVar(&o.Day, "day", 0, "length of a day whose rhythm the rate follows; 0 is a steady rate")
	return cmd
}

// runWorkload works until ctx ends, and says what it did.
func runWorkload(ctx context.Context, u *ui, dsn string, o fixtures.WorkloadOptions) error {
	w := fixtures.NewWorkload(dsn, o)
	start := time.Now()
	if err := w.Run(ctx); err != nil {
		return err
	}
	var calls int64
	for _, n := range w.Counts() {
		calls += n
	}
	u.say("%d statements in %s", calls, shortDuration(time.Since(start)))
	return nil
}
