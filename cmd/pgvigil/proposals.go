package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/internal/server"
)

func newAdvise(u *ui) *cobra.Command {
	ac := &access{}
	r := server.AdviseRequest{}
	var budget, format, dsn, workload, scratch string
	var queries []string
	cmd := &cobra.Command{
		Use:   "advise",
		Short: "Draft and verify proposals for a target",
		Long: `advise drafts indexes (and, where a table asks for it, partitioning) for the query
of an alert, for certain queries, or for the whole load of a target, and has the
planner judge every draft: with HypoPG on the target, or with real indexes on
the scratch database of the configuration. Nothing is changed on the target.

With --dsn and --workload it advises on the statements of a file for any database,
without a history: each statement ends with a semicolon and may stand under a line
"-- weight: N"; $1 and literals are both allowed.`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := checkFormat(format, "text", "json"); err != nil {
				return err
			}
			if r.Budget, r.Queries, err = readAdvise(budget, queries); err != nil {
				return err
			}
			if workload != "" {
				if err := needDSN(&dsn); err != nil {
					return err
				}
				answer, err := adviseOnFile(cmd.Context(), dsn, workload, scratch, r.Budget)
				if err != nil {
					return err
				}
				return showAnswer(u, answer, format)
			}
			app, done, err := ac.open(cmd.Context(), u, existing)
			if err != nil {
				return err
			}
			defer u.finish(done)
			list, err := app.Advise(cmd.Context(), r)
			if err != nil {
				return err
			}
			return showProposals(u, list, format)
		},
	}
	ac.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&dsn, "dsn", "", "with --workload: the database (or PGVIGIL_DSN)")
	f.StringVar(&workload, "workload", "", "file of statements to advise on, instead of the history")
	f.StringVar(&scratch, "scratch", "", "with --workload: a scratch copy in which indexes may be built, where the database has no HypoPG")
	f.Int64Var(&r.Alert, "alert", 0, "for the query of this alert")
	f.StringVar(&r.Target, "target", "", "for this target")
	f.StringVar(&r.Database, "database", "", "in this database of it")
	f.StringSliceVar(&queries, "query", nil, "for these fingerprints")
	f.StringVar(&budget, "budget", "", "size that all new indexes may take together, like 500MB")
	f.StringVar(&format, "format", "text", "text or json")
	return cmd
}

func readAdvise(budget string, queries []string) (pgvigil.Bytes, []pgvigil.Fingerprint, error) {
	var size config.Size
	if budget != "" {
		var err error
		if size, err = config.ParseSize(budget); err != nil {
			return 0, nil, err
		}
	}
	var list []pgvigil.Fingerprint
	for _, q := range queries {
		f, err := pgvigil.ParseFingerprint(q)
		if err != nil {
			return 0, nil, err
		}
		list = append(list, f)
	}
	return pgvigil.Bytes(size.Bytes()), list, nil
}

func newProposals(u *ui) *cobra.Command {
	ac := &access{}
	cmd := &cobra.Command{Use: "proposals", Short: "List, show, accept and reject proposals"}
	ac.flags(cmd)
	cmd.AddCommand(newProposalsList(u, ac), newProposalsShow(u, ac),
		newProposalsDecide(u, ac, server.Accept, "Say that it will be done; pgvigil runs nothing"),
		newProposalsDecide(u, ac, server.Reject, "Say that it will not be done"))
	return cmd
}

func newProposalsList(u *ui, ac *access) *cobra.Command {
	var format string
	filter := pgvigil.ProposalFilter{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List proposals, newest first",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format, "text", "json"); err != nil {
				return err
			}
			found, err := readProposals(cmd.Context(), u, ac, filter)
			if err != nil {
				return err
			}
			if format == "json" || len(found) == 0 {
				return showProposals(u, found, format)
			}
			return tableOfProposals(u, found)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().Int64Var(&filter.Alert, "alert", 0, "only those that this alert asked for")
	return cmd
}

func newProposalsShow(u *ui, ac *access) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one proposal with its evidence",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format, "text", "json"); err != nil {
				return err
			}
			id, err := numberOf("proposal", args[0])
			if err != nil {
				return err
			}
			found, err := readProposals(cmd.Context(), u, ac, pgvigil.ProposalFilter{ID: id})
			if err != nil {
				return err
			}
			if len(found) == 0 {
				return noProposal(id)
			}
			if format == "json" {
				return u.json(proposalJSON(found[0]))
			}
			printProposal(u, found[0])
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func newProposalsDecide(u *ui, ac *access, verb server.ProposalVerb, short string) *cobra.Command {
	act := server.ProposalAction{Verb: verb}
	cmd := &cobra.Command{
		Use:   string(verb) + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := numberOf("proposal", args[0])
			if err != nil {
				return err
			}
			app, done, err := ac.open(cmd.Context(), u, existing)
			if err != nil {
				return err
			}
			defer u.finish(done)
			p, err := app.DecideProposal(cmd.Context(), id, act)
			if err != nil {
				return err
			}
			u.say("Proposal %d is %s.", p.ID, p.State)
			return nil
		},
	}
	cmd.Flags().StringVar(&act.By, "by", userName(), "who you are")
	cmd.Flags().StringVar(&act.Reason, "reason", "", "why")
	return cmd
}

func readProposals(ctx context.Context, u *ui, ac *access, f pgvigil.ProposalFilter) ([]pgvigil.Proposal, error) {
	app, done, err := ac.open(ctx, u, existing)
	if err != nil {
		return nil, err
	}
	defer u.finish(done)
	return app.Proposals(ctx, f)
}

func tableOfProposals(u *ui, list []pgvigil.Proposal) error {
	t := tabwriter.NewWriter(u.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTATE\tVERDICT\tTARGET\tKIND\tTABLE\tFIRST STEP")
	for _, p := range list {
		first := "-"
		if len(p.Steps) > 0 {
			first = oneLine(p.Steps[0].SQL, 100)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.State, p.Evidence.Verdict, oneLine(p.Target, 30), p.Kind, oneLine(p.Table, 60), first)
	}
	return t.Flush()
}

// adviseObject is the object of pgvigil advise --format json; scripts rely on it.
type adviseObject struct {
	Proposals   []proposalObject  `json:"proposals"`
	CostBefore  float64           `json:"cost_before"`
	CostAfter   float64           `json:"cost_after"`
	WhatIfCalls int               `json:"whatif_calls"`
	Seconds     float64           `json:"seconds"`
	Warnings    []pgvigil.Warning `json:"warnings"`
}

func showProposals(u *ui, list []pgvigil.Proposal, format string) error {
	if format == "json" {
		out := make([]proposalObject, 0, len(list))
		for _, p := range list {
			out = append(out, proposalJSON(p))
		}
		return u.json(map[string]any{"proposals": out})
	}
	if len(list) == 0 {
		u.say("No proposals.")
	}
	for _, p := range list {
		printProposal(u, p)
	}
	return nil
}

// showAnswer shows proposals with what they do together.
func showAnswer(u *ui, a advisor.Answer, format string) error {
	if format == "json" {
		o := adviseObject{
			Proposals: []proposalObject{}, CostBefore: float64(a.CostBefore), CostAfter: float64(a.CostAfter),
			WhatIfCalls: a.WhatIfCalls, Seconds: a.Took.Seconds(), Warnings: append([]pgvigil.Warning{}, a.Warnings...),
		}
		for _, p := range a.Proposals {
			o.Proposals = append(o.Proposals, proposalJSON(p))
		}
		return u.json(o)
	}
	for _, w := range a.Warnings {
		u.say("warning %s: %s", w.Code, oneLine(w.Text, 300))
	}
	if err := showProposals(u, a.Proposals, format); err != nil {
		return err
	}
	u.say("All together: planner cost %s -> %s, %d planner calls, %s.", number(float64(a.CostBefore)), number(float64(a.CostAfter)),
		a.WhatIfCalls, shortDuration(a.Took))
	return nil
}

func printProposal(u *ui, p pgvigil.Proposal) {
	e := p.Evidence
	u.print("Proposal %d, %s of %s, drafted by %s, %s (%s), %s", p.ID, p.Kind, oneLine(p.Table, 80), oneLine(p.Author, 40), e.Verdict, e.Method, decided(p))
	if p.Decision != nil && p.Decision.Reason != "" {
		u.print("  because: %s", oneLine(p.Decision.Reason, 400))
	}
	u.print("  %s", oneLine(p.Reason, 400))
	for _, s := range p.Steps {
		u.print("    %s;", oneLine(s.SQL, 1000))
		if s.Note != "" {
			u.print("      -- %s", oneLine(s.Note, 300))
		}
	}
	if e.Verdict == pgvigil.Unverified {
		u.print("  planner cost unknown, size %s, writes %s", sizeWords(e.Size), percent(e.WriteOverhead))
	} else {
		u.print("  planner cost %s -> %s, size %s, writes %s", number(float64(e.CostBefore)), number(float64(e.CostAfter)), sizeWords(e.Size), percent(e.WriteOverhead))
	}
	for _, q := range e.Queries {
		u.print("    %s  %s -> %s  %s", q.Fingerprint, number(float64(q.CostBefore)), number(float64(q.CostAfter)), oneLine(q.Text, 100))
	}
	for _, w := range e.Warnings {
		u.print("  doubt: %s", oneLine(w.Text, 300))
	}
	for _, s := range p.Undo {
		u.print("  undo: %s;", oneLine(s.SQL, 400))
	}
}
