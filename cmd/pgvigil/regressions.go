package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer"
	"github.com/pgvigil/pgvigil/internal/server"
)

func newRegressions(u *ui) *cobra.Command {
	ac := &access{}
	var series, format, target string
	span := spanFlags{}
	cmd := &cobra.Command{
		Use:   "regressions",
		Short: "Detect now, over the history or over exported series",
		Long: `regressions judges the history pass by pass, as the service did or would have, and
prints what left its baseline. It changes no alert.

With --series DIR it judges exported series instead: DIR/series holds *.csv or
*.csv.gz with the columns series_id,t,dur_s,calls,total_ms,sd_ms,rows,blks_hit,
blks_read,blks_dirtied,blks_written,temp_blks,wal_bytes,flag; DIR may hold
deploys.csv (db_id,t) and series_meta.csv (series_id,db_id). No other file is read.

Exit code 0 when nothing left its baseline, 1 when something did.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format, "text", "json", "csv"); err != nil {
				return err
			}
			if series != "" {
				return exportedRegressions(cmd.Context(), u, series, format)
			}
			window, err := span.window(time.Now())
			if err != nil {
				return err
			}
			return historyRegressions(cmd.Context(), u, ac, server.RegressionFilter{Target: target, Window: window}, format)
		},
	}
	ac.flags(cmd)
	cmd.Flags().StringVar(&series, "series", "", "folder of exported series to judge instead of the history")
	cmd.Flags().StringVar(&target, "target", "", "only one target")
	cmd.Flags().StringVar(&format, "format", "text", "text, json, or csv (with --series)")
	span.flags(cmd)
	return cmd
}

func exportedRegressions(ctx context.Context, u *ui, dir, format string) error {
	if format != "csv" {
		return &pgvigil.Hint{Err: fmt.Errorf("judge exported series as %s: they have no format but csv", format), Advice: "add --format csv"}
	}
	rows, err := analyzer.Exported(ctx, dir)
	if err != nil {
		return err
	}
	if err := analyzer.WriteCSV(u.out, rows); err != nil {
		return err
	}
	for _, r := range rows {
		if r.Kind == pgvigil.KindRegression || r.Kind == pgvigil.KindIncident {
			return errFound
		}
	}
	return nil
}

func historyRegressions(ctx context.Context, u *ui, ac *access, f server.RegressionFilter, format string) error {
	if format == "csv" {
		return &pgvigil.Hint{Err: fmt.Errorf("judge the history as csv: it has no such format"), Advice: "use text or json, or --series DIR"}
	}
	app, done, err := ac.open(ctx, u, existing)
	if err != nil {
		return err
	}
	defer u.finish(done)
	found, err := app.Regressions(ctx, f)
	if err != nil {
		return err
	}
	if err := showVerdicts(u, found, format); err != nil {
		return err
	}
	for _, v := range found {
		if v.Kind == pgvigil.KindRegression || v.Kind == pgvigil.KindIncident {
			return errFound
		}
	}
	return nil
}

func showVerdicts(u *ui, list []pgvigil.Regression, format string) error {
	if format == "json" {
		out := make([]verdictObject, 0, len(list))
		for _, v := range list {
			out = append(out, verdictJSON(v))
		}
		return u.json(out)
	}
	if len(list) == 0 {
		u.say("Nothing left its baseline.")
		return nil
	}
	t := tabwriter.NewWriter(u.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ONSET (UTC)\tKIND\tQUERY\tFACTOR\tMS A CALL\tBLOCKS A CALL\tCAUSE")
	for _, v := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s -> %s\t%s -> %s\t%s\n", v.Onset.UTC().Format(time.DateTime), v.Kind, v.Series.Fingerprint,
			number(v.Factor), number(v.Before.MS), number(v.After.MS), number(v.Before.Blocks), number(v.After.Blocks), causeWords(v))
	}
	return t.Flush()
}
