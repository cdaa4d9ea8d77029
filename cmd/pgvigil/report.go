package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil/internal/server"
)

func newReport(u *ui) *cobra.Command {
	ac := &access{}
	r := server.ReportRequest{}
	span := spanFlags{}
	var out string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the report of a week, or of any range, to one HTML file",
		Long: `report writes one HTML file that opens without a network: what got slower, what
grew, what bloats, what to do about it, and how far to trust the numbers.`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if r.Window, err = span.window(time.Now()); err != nil {
				return err
			}
			return writeReport(cmd.Context(), u, ac, r, out)
		},
	}
	ac.flags(cmd)
	cmd.Flags().StringVarP(&out, "out", "o", "pgvigil-report.html", "file to write; - is standard output")
	cmd.Flags().StringVar(&r.Target, "target", "", "only one target")
	span.flags(cmd)
	return cmd
}

func writeReport(ctx context.Context, u *ui, ac *access, r server.ReportRequest, path string) error {
	app, done, err := ac.open(ctx, u, existing)
	if err != nil {
		return err
	}
	defer u.finish(done)
	if err := u.writeFile(path, func(w io.Writer) error { return app.Report(ctx, r, w) }); err != nil {
		return err
	}
	u.say("Wrote %s.", path)
	return nil
}
