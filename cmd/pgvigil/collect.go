package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/conninfo"
	"github.com/pgvigil/pgvigil/internal/server"
)

type collectOptions struct {
	access
	target string
	dsn    string
	passes int
	every  time.Duration
	format string
}

// dsnVariable holds a connection string where neither --dsn nor --target is
// given. It is no flag's default, which --help would print.
const dsnVariable = "PGVIGIL_DSN"

// flagDSN reads the connection string of a flag.
func flagDSN(flag, text string) (conninfo.Info, error) {
	info, err := conninfo.Parse(pgvigil.Secret(text))
	if err != nil {
		return info, &pgvigil.Hint{Err: fmt.Errorf("read %s: %w", flag, err), Advice: pgvigil.Advice(err)}
	}
	return info, nil
}

func twoTargets() error {
	return &pgvigil.Hint{Err: errors.New("choose a target: --dsn and --target name two"), Advice: "give one of them"}
}

// dsnTarget is the name of a target that a flag gave instead of a configuration.
const dsnTarget = "dsn"

func newCollect(u *ui) *cobra.Command {
	o := collectOptions{}
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Make one pass now, over one target or all",
		Long: `collect makes a pass over each target of the configuration, or over the one that
--dsn names, without any configuration:

	pgvigil collect --dsn postgres://pgvigil@db1/postgres --history try.duckdb --passes 3 --every 60s

A first pass shows nothing yet: what happened is the difference of two.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(o.format, "text", "json"); err != nil {
				return err
			}
			return o.run(cmd.Context(), u)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.target, "target", "", "the target of the configuration; without it, all")
	f.StringVar(&o.dsn, "dsn", "", "a server to visit without a configuration (or PGVIGIL_DSN)")
	f.IntVar(&o.passes, "passes", 1, "how many passes")
	f.DurationVar(&o.every, "every", 60*time.Second, "time between passes")
	f.StringVar(&o.format, "format", "text", "text, or json: one object a pass")
	return cmd
}

func (o collectOptions) run(ctx context.Context, u *ui) error {
	if o.passes < 1 {
		return &pgvigil.Hint{Err: fmt.Errorf("read --passes %d: no pass to make", o.passes), Advice: "use 1 or more"}
	}
	ops, done, err := o.openFor(ctx, u)
	if err != nil {
		return err
	}
	defer u.finish(done)
	if local, ok := ops.(*app); ok && o.passes > 1 {
		defer local.sample(ctx, o.target)()
	}
	tick := time.NewTicker(max(o.every, time.Millisecond))
	defer tick.Stop()
	var failed error
	for i := range o.passes {
		if i > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
		results, err := ops.Collect(ctx, o.target)
		if err != nil {
			return err
		}
		if failed != nil {
			u.complain(failed) // of an earlier pass; the last one's ends the command
		}
		failed = o.show(u, results)
	}
	return failed
}

// openFor opens the history for the targets of the configuration, or for the
// one of --dsn, which a running service would not know.
func (o *collectOptions) openFor(ctx context.Context, u *ui) (server.App, func() error, error) {
	if o.dsn == "" && o.target == "" {
		o.dsn = os.Getenv(dsnVariable)
	}
	if o.dsn == "" {
		return o.open(ctx, u, created)
	}
	if o.target != "" {
		return nil, nil, twoTargets()
	}
	if _, err := flagDSN("--dsn", o.dsn); err != nil {
		return nil, nil, err
	}
	cfg, err := o.load(map[string]string{"targets." + dsnTarget + ".dsn": o.dsn, "log.level": "warn"})
	if err != nil {
		return nil, nil, err
	}
	o.target = dsnTarget
	return openLocal(ctx, u, cfg, created)
}

// show prints the passes; one that failed is an error, after the others are shown.
func (o collectOptions) show(u *ui, results []server.PassResult) error {
	var failed error
	for _, r := range results {
		if unread := statementsUnread(r); unread != nil {
			failed = unread
		}
		if r.Problem != "" {
			err := fmt.Errorf("%s", r.Problem)
			failed = &pgvigil.Hint{Err: err, Advice: r.Advice}
			if len(results) > 1 {
				u.say("pgvigil: %s", oneLine(r.Problem, 1000))
			}
		}
		if o.format == "json" {
			if err := u.jsonLine(passJSON(r)); err != nil {
				return err
			}
			continue
		}
		if r.Problem == "" {
			printPass(u, r)
		}
	}
	return failed
}

// statementsUnread is why a pass could not read what queries do, which is most
// of what it is for; the rest of the pass is kept.
func statementsUnread(r server.PassResult) error {
	for _, w := range r.Warnings {
		switch w.Code {
		case "pgss-missing", "pgss-not-preloaded", "statements-unread", "no-stats-rights":
			return &pgvigil.Hint{Err: fmt.Errorf("read the statements of %s: %s", r.Target, w.Text), Advice: w.Remedy}
		}
	}
	return nil
}

func printPass(u *ui, r server.PassResult) {
	u.print("%s  %s  pass %d: %d statements, %d series and %d relations moved, %s", r.At.UTC().Format(time.DateTime), r.Target, r.Pass,
		r.Statements, r.Series, r.Relations, shortDuration(time.Duration(r.Seconds*float64(time.Second))))
	for _, e := range r.Events {
		u.print("  event: %s %s", e.Kind, oneLine(e.Object, 100))
	}
	for _, a := range r.Alerts {
		u.print("  alert %d %s: %s", a.ID, a.State, alertHeadline(a))
	}
	for _, w := range r.Warnings {
		u.print("  warning %s: %s", w.Code, oneLine(w.Text, 300))
		if w.Remedy != "" {
			u.print("    remedy: %s", oneLine(w.Remedy, 300))
		}
	}
}

// passObject is one pass of pgvigil collect --format json; scripts rely on it.
type passObject struct {
	Target     string            `json:"target"`
	At         time.Time         `json:"at"`
	Pass       int64             `json:"pass"`
	Seconds    float64           `json:"seconds"`
	Statements int               `json:"statements"`
	Series     int               `json:"series"`
	Relations  int               `json:"relations"`
	Coverage   coverageObject    `json:"coverage"`
	Events     []eventObject     `json:"events"`
	Alerts     []alertObject     `json:"alerts"`
	Warnings   []pgvigil.Warning `json:"warnings"`
	Problem    string            `json:"problem,omitempty"`
	Advice     string            `json:"advice,omitempty"`
}

func passJSON(r server.PassResult) passObject {
	return passObject{
		Target: r.Target, At: r.At, Pass: r.Pass, Seconds: r.Seconds, Statements: r.Statements, Series: r.Series,
		Relations: r.Relations, Coverage: coverageJSON(r.Coverage), Events: eventsJSON(r.Events), Alerts: alertsJSON(r.Alerts),
		Warnings: append([]pgvigil.Warning{}, r.Warnings...), Problem: r.Problem, Advice: r.Advice,
	}
}
