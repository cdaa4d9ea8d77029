package advisor

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// propose turns what was found into proposals.
func (t *task) propose() {
	for _, c := range t.found.Choices {
		t.answer.Proposals = append(t.answer.Proposals, t.proposal(c))
	}
	t.total()
	if !t.judged {
		t.unverified()
	}
	for _, r := range append(t.rejected, t.found.Rejected...) {
		switch {
		case r.Unproven && !t.helped(r.Wants):
			t.answer.Proposals = append(t.answer.Proposals, t.unproven(r.Candidate, r.Reason))
		case r.Author != index.Rules:
			t.answer.Proposals = append(t.answer.Proposals, t.declined(r))
		}
	}
}

// total adds up the costs of all work, without and with what was chosen.
func (t *task) total() {
	for i, before := range t.found.Before {
		after := before
		for _, c := range t.found.Choices {
			for _, q := range c.Queries {
				if q.Work == i {
					after = min(after, q.After.Cost)
				}
			}
		}
		weight := pgvigil.Cost(t.weight(i))
		t.answer.CostBefore += before * weight
		t.answer.CostAfter += after * weight
	}
}

// helped says whether something verified serves one of the statements.
func (t *task) helped(works []int) bool {
	return slices.ContainsFunc(t.found.Choices, func(c index.Choice) bool {
		return slices.ContainsFunc(c.Queries, func(q index.Effect) bool { return q.Uses && slices.Contains(works, q.Work) })
	})
}

// declined renders a model's draft that the proof did not bear out, so that
// people see what it said and why not.
func (t *task) declined(r index.Rejection) pgvigil.Proposal {
	p := t.blank(r.Candidate, t.catalog.Table(r.Schema+"."+r.Table))
	p.State = pgvigil.Declined
	p.Evidence = pgvigil.Evidence{Verdict: pgvigil.Rejected, Method: "none", WriteOverhead: math.NaN()}
	if t.judged {
		p.Evidence.Method = t.Judge.Method()
	}
	p.Reason = "an index on " + p.Table + " (" + join(p.Columns) + ") was drafted and not kept: " + r.Reason
	p.Prose = upper(p.Reason) + "."
	return p
}

// proposal renders one choice with its evidence.
func (t *task) proposal(c index.Choice) pgvigil.Proposal {
	table := t.catalog.Table(c.Schema + "." + c.Table)
	p := t.blank(c.Candidate, table)
	p.Evidence = t.evidence(c, table)
	p.Reason = reason(c, p)
	p.Prose = t.tell(c, p, table)
	p.Alert = t.alertOf(c.Queries)
	return p
}

// blank renders a candidate without evidence.
func (t *task) blank(c index.Candidate, table *pgvigil.Table) pgvigil.Proposal {
	p := pgvigil.Proposal{
		Server: t.Server, Target: t.Target, Database: t.Database, Kind: pgvigil.ProposeIndex,
		Table: table.Schema + "." + table.Name, Columns: c.KeyNames(),
		Author: c.Author, Drafted: t.began, State: pgvigil.Drafted,
	}
	if c.Existing != "" {
		p.Kind = pgvigil.ProposeMaintenance
		p.Steps = []pgvigil.Step{{
			SQL:       "REINDEX INDEX CONCURRENTLY " + whatif.Quote(table.Schema, c.Existing),
			Note:      "builds the invalid index anew; reads and writes go on, it waits for older transactions",
			OutsideTx: true,
		}}
		return p
	}
	c.Name = t.catalog.Name(c.Index)
	p.Steps, p.Undo = t.catalog.Steps(c.Index)
	return p
}

// evidence collects what the judge said.
func (t *task) evidence(c index.Choice, table *pgvigil.Table) pgvigil.Evidence {
	e := pgvigil.Evidence{Verdict: pgvigil.Verified, Method: t.Judge.Method(), Size: c.Size, WhatIfCalls: t.found.Calls}
	used := false
	for _, q := range c.Queries {
		w := t.Work[q.Work]
		weight := t.weight(q.Work)
		used = used || q.Uses
		e.CostBefore += q.Before.Cost * pgvigil.Cost(weight)
		e.CostAfter += q.After.Cost * pgvigil.Cost(weight)
		e.Warnings = append(append(e.Warnings, t.bindings[q.Work]...), q.After.Warnings...)
		e.Queries = append(e.Queries, pgvigil.QueryEvidence{
			Fingerprint: w.Query.Fingerprint, Text: w.Query.Text, Weight: weight,
			CostBefore: q.Before.Cost, CostAfter: q.After.Cost,
			PlanBefore: q.Before.Text, PlanAfter: t.named(q.After.Text), Uses: q.Uses,
		})
	}
	if !used {
		e.Verdict = pgvigil.Unverified
	}
	if c.StandIn {
		e.Warnings = append(e.Warnings, pgvigil.Warning{
			Code: "stand-in",
			Text: "HypoPG cannot hold a partial index of a partitioned table; the same index over all rows stood in for it, so the cost after is an upper bound",
		})
	}
	share := t.catalog.Share(table, c.Candidate)
	e.WriteOverhead, e.LosesHOT = t.catalog.Overhead(table, c.Index, share, t.Writes[table.Key.RelID])
	return e
}

// named replaces the positions that a judge puts into plans by the words of
// people.
func (t *task) named(plan string) string {
	return positions.ReplaceAllString(plan, "using the proposed index")
}

// allWrites are the changes of all tables: those of the request, else their
// counters, whose proportions are all that the overhead needs.
func (t *task) allWrites() map[pgvigil.OID]index.Writes {
	sets, out := t.sets(), map[pgvigil.OID]index.Writes{}
	for _, table := range t.catalog.Tables() {
		id := table.Key.RelID
		w, ok := t.Writes[id]
		if !ok {
			sum := t.catalog.Counters(&table)
			w = index.Writes{Inserts: sum.Inserted, Updates: sum.Updated, Deletes: sum.Deleted, HOTUpdates: sum.HotUpdated}
		}
		if w.Sets == nil {
			w.Sets = sets[id]
		}
		out[id] = w
	}
	return out
}

func (t *task) alertOf(effects []index.Effect) int64 {
	for _, q := range effects {
		if a := t.Work[q.Work].Alert; a != nil {
			return a.ID
		}
	}
	return 0
}

// unverified proposes, for each statement, the first draft, which is the
// restored index if there is one.
func (t *task) unverified() {
	served := map[int]bool{}
	for _, c := range t.candidates {
		if len(c.Wants) == 0 || slices.ContainsFunc(c.Wants, func(w int) bool { return served[w] }) {
			continue
		}
		for _, w := range c.Wants {
			served[w] = true
		}
		t.answer.Proposals = append(t.answer.Proposals, t.unproven(c, "nothing could verify it"))
	}
}

// unproven renders a draft that no judge has tried.
func (t *task) unproven(c index.Candidate, why string) pgvigil.Proposal {
	table := t.catalog.Table(c.Schema + "." + c.Table)
	p := t.blank(c, table)
	share := t.catalog.Share(table, c)
	p.Evidence = pgvigil.Evidence{
		Verdict: pgvigil.Unverified, Method: "none", Size: t.catalog.Size(table, c.Index, share),
		Warnings: append(slices.Clone(t.answer.Warnings), pgvigil.Warning{Code: "unproven", Text: why}),
	}
	p.Evidence.WriteOverhead, p.Evidence.LosesHOT = t.catalog.Overhead(table, c.Index, share, t.Writes[table.Key.RelID])
	p.Reason = fmt.Sprintf("an index on %s (%s) was drafted for %s; no planner has confirmed it", p.Table, join(p.Columns), statements(len(c.Wants)))
	p.Prose = upper(p.Reason) + ". Try it on a copy first. (" + upper(t.voice) + ".)"
	for _, w := range c.Wants {
		q := t.Work[w].Query
		p.Evidence.Queries = append(p.Evidence.Queries, pgvigil.QueryEvidence{Fingerprint: q.Fingerprint, Text: q.Text, Weight: t.weight(w)})
		if a := t.Work[w].Alert; a != nil {
			p.Alert = a.ID
		}
	}
	return p
}

func percent(v float64) string {
	if math.IsNaN(v) {
		return "an unknown share"
	}
	return fmt.Sprintf("%.0f %%", v*100)
}

func join(words []string) string { return strings.Join(words, ", ") }
