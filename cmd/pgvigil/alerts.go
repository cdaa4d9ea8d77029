package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/internal/server"
)

func newAlerts(u *ui) *cobra.Command {
	ac := &access{}
	cmd := &cobra.Command{Use: "alerts", Short: "List, show, acknowledge, silence and resolve alerts"}
	ac.flags(cmd)
	cmd.AddCommand(newAlertsList(u, ac), newAlertsShow(u, ac),
		newAlertsAct(u, ac, server.Ack, "Say that somebody is at it"),
		newAlertsAct(u, ac, server.Silence, "Send no more of it for a while, then open it again"),
		newAlertsAct(u, ac, server.Resolve, "Close it"))
	return cmd
}

// listOptions are the flags of alerts list.
type listOptions struct {
	target, format       string
	all, suspected, fail bool
}

func newAlertsList(u *ui, ac *access) *cobra.Command {
	o := listOptions{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List alerts that concern somebody now",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(o.format, "text", "json"); err != nil {
				return err
			}
			if o.all && o.suspected {
				return &pgvigil.Hint{Err: errors.New("list alerts: --all and --suspected exclude each other"), Advice: "a suspicion is no alert yet: give one of them"}
			}
			return o.run(cmd.Context(), u, ac)
		},
	}
	cmd.Flags().StringVar(&o.target, "target", "", "only those of one target")
	cmd.Flags().BoolVar(&o.all, "all", false, "those that are over, too")
	cmd.Flags().BoolVar(&o.suspected, "suspected", false, "instead, what is looked into and not convicted: shown, never sent")
	cmd.Flags().BoolVar(&o.fail, "fail", false, "exit with 1 when there is one")
	cmd.Flags().StringVar(&o.format, "format", "text", "text or json")
	return cmd
}

func (o listOptions) run(ctx context.Context, u *ui, ac *access) error {
	app, done, err := ac.open(ctx, u, existing)
	if err != nil {
		return err
	}
	defer u.finish(done)
	if err := knownTarget(ctx, app, o.target); err != nil {
		return err
	}
	var list []pgvigil.Alert
	if o.suspected {
		list, err = app.Suspects(ctx, o.target)
	} else {
		list, err = app.Alerts(ctx, pgvigil.AlertFilter{Target: o.target, Live: !o.all})
	}
	if err != nil {
		return err
	}
	if err := showAlerts(u, list, o.format); err != nil {
		return err
	}
	if o.fail && len(list) > 0 {
		return errFound
	}
	return nil
}

// knownTarget refuses a target that the history has never seen: a typing error
// must not read as "no alerts".
func knownTarget(ctx context.Context, app server.App, target string) error {
	if target == "" {
		return nil
	}
	servers, err := app.Targets(ctx)
	if err != nil {
		return err
	}
	for _, s := range servers {
		if s.Server.Target == target {
			return nil
		}
	}
	return noTarget(target)
}

func showAlerts(u *ui, list []pgvigil.Alert, format string) error {
	if format == "json" {
		return u.json(alertsJSON(list))
	}
	if len(list) == 0 {
		u.say("No alerts.")
		return nil
	}
	t := tabwriter.NewWriter(u.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTATE\tSEVERITY\tONSET (UTC)\tTARGET\tCAUSE\tWHAT")
	for _, a := range list {
		id := "-" // a suspicion has none
		if a.ID != 0 {
			id = strconv.FormatInt(a.ID, 10)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", id, alertState(a), a.Severity, a.Verdict.Onset.UTC().Format(time.DateTime),
			oneLine(a.Target, 30), causeWords(a.Verdict), alertHeadline(a))
	}
	return t.Flush()
}

// alertState is an alert's state, with the end of a silence.
func alertState(a pgvigil.Alert) string {
	if a.State != pgvigil.Silenced {
		return string(a.State)
	}
	return "silenced until " + a.SilencedUntil.UTC().Format("2006-01-02 15:04")
}

func newAlertsShow(u *ui, ac *access) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one alert with its evidence",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format, "text", "json"); err != nil {
				return err
			}
			id, err := numberOf("alert", args[0])
			if err != nil {
				return err
			}
			app, done, err := ac.open(cmd.Context(), u, existing)
			if err != nil {
				return err
			}
			defer u.finish(done)
			list, err := app.Alerts(cmd.Context(), pgvigil.AlertFilter{ID: id})
			if err != nil {
				return err
			}
			if len(list) == 0 {
				return noAlert(id)
			}
			if format == "json" {
				return u.json(alertJSON(list[0]))
			}
			printAlert(u, list[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// numberOf reads the number of an alert or proposal.
func numberOf(kind, arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, &pgvigil.Hint{
			Err:    fmt.Errorf("read the number of the %s %q: not a positive number", kind, arg),
			Advice: fmt.Sprintf(`see "pgvigil %ss list"`, kind),
		}
	}
	return id, nil
}

func printAlert(u *ui, a pgvigil.Alert) {
	v := a.Verdict
	u.print("Alert %d, %s, %s: %s", a.ID, alertState(a), a.Severity, alertHeadline(a))
	u.print("  target      %s, database %s", oneLine(a.Target, 60), oneLine(cmp.Or(a.Database, "-"), 60))
	if a.Query.Text != "" {
		u.print("  query       %s", oneLine(a.Query.Text, 1000))
	}
	u.print("  onset       %s, noticed %s", v.Onset.UTC().Format(time.DateTime), v.Detected.UTC().Format(time.DateTime))
	if v.Kind == pgvigil.KindIncident {
		printReasons(u, a)
		return
	}
	u.print("  a call      %s -> %s ms, %s -> %s blocks, %s -> %s rows, %s -> %s temp blocks", number(v.Before.MS), number(v.After.MS),
		number(v.Before.Blocks), number(v.After.Blocks), number(v.Before.Rows), number(v.After.Rows), number(v.Before.TempBlocks), number(v.After.TempBlocks))
	u.print("  costs       %s s an hour, at %s calls an hour", number(v.ExtraMSPerHour/1000), number(v.After.CallsPerHour))
	printReasons(u, a)
}

// printReasons says why an alert was raised, what became of it, and what to do next.
func printReasons(u *ui, a pgvigil.Alert) {
	v := a.Verdict
	u.print("  cause       %s", causeWords(v))
	for _, c := range v.Causes {
		for _, f := range c.For {
			u.print("    for       %s %s: %s", c.Cause, c.Detail, oneLine(f, 200))
		}
		for _, f := range c.Against {
			u.print("    against   %s %s: %s", c.Cause, c.Detail, oneLine(f, 200))
		}
	}
	u.print("  rule        when it was noticed: %s", oneLine(v.Rule, 400))
	u.print("  confidence  %s", number(v.Confidence))
	for _, e := range v.Events {
		u.print("  event       %s %s %s", e.At.UTC().Format(time.DateTime), e.Kind, oneLine(e.Object, 200))
	}
	for _, s := range a.History {
		u.print("  %s  %s", s.At.UTC().Format(time.DateTime), strings.TrimSuffix(fmt.Sprintf("%s by %s: %s", s.State, oneLine(s.By, 40), oneLine(s.Reason, 200)), ": "))
	}
	for _, w := range v.Warnings {
		u.print("  doubt       %s", oneLine(w.Text, 300))
	}
	printNextSteps(u, a)
}

// printNextSteps says what can be done about an alert that is not over.
func printNextSteps(u *ui, a pgvigil.Alert) {
	if !a.State.Live() {
		return
	}
	v := a.Verdict
	u.print("Next:")
	if v.Kind != pgvigil.KindIncident {
		u.print("  pgvigil advise --alert %d", a.ID)
	}
	if a.State == pgvigil.Open {
		u.print("  pgvigil alerts ack %d", a.ID)
	}
	u.print("  pgvigil report --from %s", v.Onset.Add(-time.Hour).UTC().Format(time.RFC3339))
}

func newAlertsAct(u *ui, ac *access, verb server.AlertVerb, short string) *cobra.Command {
	act := server.AlertAction{Verb: verb}
	span := ""
	cmd := &cobra.Command{
		Use:   string(verb) + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			id, err := numberOf("alert", args[0])
			if err != nil {
				return err
			}
			if act.For, err = silenceSpan(span); err != nil {
				return err
			}
			return actOnAlert(cmd.Context(), u, ac, id, act)
		},
	}
	cmd.Flags().StringVar(&act.By, "by", userName(), "who you are")
	cmd.Flags().StringVar(&act.Reason, "reason", "", "why")
	if verb == server.Silence {
		cmd.Flags().StringVar(&span, "for", hours(server.DefaultSilence), "how long, up to 30d: 90m, 4h, 7d")
	}
	return cmd
}

// silenceSpan reads --for; "" is the default's.
func silenceSpan(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := config.ParseDuration(text)
	if err == nil && (d <= 0 || d.Std() > server.MaxSilence) {
		err = errors.New("a silence is longer than nothing and 30d at most")
	}
	if err != nil {
		return 0, &pgvigil.Hint{Err: fmt.Errorf("read --for %q: %w", text, err), Advice: "write it like 90m, 4h or 7d; an alert that is no concern for longer is resolved"}
	}
	return d.Std(), nil
}

func actOnAlert(ctx context.Context, u *ui, ac *access, id int64, act server.AlertAction) error {
	app, done, err := ac.open(ctx, u, existing)
	if err != nil {
		return err
	}
	defer u.finish(done)
	a, err := app.ActOnAlert(ctx, id, act)
	if err != nil {
		return err
	}
	u.say("Alert %d is %s.", a.ID, alertState(a))
	return nil
}

func userName() string {
	if me, err := user.Current(); err == nil {
		return me.Username
	}
	return os.Getenv("USER")
}
