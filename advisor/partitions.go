package advisor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/partition"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// partition proposes partitions for the tables that ask for them.
func (t *task) partition(ctx context.Context) {
	th := t.Partition
	if th == (partition.Thresholds{}) {
		return
	}
	uses := t.uses()
	for i := range t.catalog.Tables() {
		table := &t.catalog.Tables()[i]
		if !t.asked(table) {
			continue
		}
		a, ok := th.Asks(t.catalog, table, uses[table.Key.RelID])
		if !ok {
			continue
		}
		t.complete(ctx, &a)
		plan, err := partition.NewPlan(t.catalog, a, t.began)
		if err != nil {
			t.warn("no-partition-plan", err.Error(), "")
			continue
		}
		t.answer.Proposals = append(t.answer.Proposals, t.partitioning(a, plan))
	}
}

// asked says whether advice is wanted for a table: any, unless it is wanted for
// certain statements only, and then those that they name.
func (t *task) asked(table *pgvigil.Table) bool {
	certain := func(w Work) bool { return w.Context || w.Alert != nil }
	if !slices.ContainsFunc(t.Work, certain) {
		return true
	}
	for i, w := range t.Work {
		if !w.Context && slices.Contains(tablesOf(t.catalog, t.shapes[i]), table.Key.RelID) {
			return true
		}
	}
	return false
}

// complete looks up the values of the key, where a judge can.
func (t *task) complete(ctx context.Context, a *partition.Answer) {
	if a.Strategy == partition.ByList {
		for _, v := range t.common(ctx, a.Table, a.Column.Name) {
			a.Values = append(a.Values, v.Text)
		}
		if float64(len(a.Values)) < index.Distinct(a.Column, t.catalog.Rows(a.Table)) {
			a.Values = nil // statistics know some values only
		}
		return
	}
	if lookup, ok := t.Judge.(whatif.Values); ok {
		text, err := lookup.HighestValue(ctx, a.Table.Schema, a.Table.Name, a.Column.Name)
		if v, bad := strconv.ParseFloat(text, 64); err == nil && bad == nil {
			a.Highest = v
		}
	}
}

// uses is what the work does with each table.
func (t *task) uses() map[pgvigil.OID][]partition.Use {
	out := map[pgvigil.OID][]partition.Use{}
	for i, s := range t.shapes {
		seen := map[pgvigil.OID]int{}
		for _, d := range demands(t.catalog, i, s) {
			id := d.Table.Key.RelID
			if _, ok := seen[id]; !ok {
				seen[id] = len(out[id])
				out[id] = append(out[id], partition.Use{Work: i, Verb: s.Verb, Weight: t.weight(i)})
			}
			u := &out[id][seen[id]]
			for _, c := range d.Conds {
				switch {
				case c.Expr != "":
				case c.Op == index.Equal && !c.Join, c.Op == index.In:
					u.Equal = append(u.Equal, c.Column)
				case c.Op == index.Range:
					u.Ranges = append(u.Ranges, c.Column)
				}
			}
		}
	}
	return out
}

// partitioning renders a proposal.
func (t *task) partitioning(a partition.Answer, plan partition.Plan) pgvigil.Proposal {
	p := pgvigil.Proposal{
		Server: t.Server, Target: t.Target, Database: t.Database, Kind: pgvigil.ProposePartition,
		Table: a.Table.Schema + "." + a.Table.Name, Columns: []string{a.Column.Name}, Steps: plan.Steps, Undo: plan.Undo,
		Author: index.Rules, Drafted: t.began, State: pgvigil.Drafted,
		Evidence: pgvigil.Evidence{Verdict: pgvigil.Unverified, Method: "none", WriteOverhead: math.NaN(), Warnings: plan.Warnings},
	}
	p.Reason = fmt.Sprintf("%s holds %s, and %s of the query load carries %s: partition it by %s",
		p.Table, bytes(a.Bytes), percent(a.Share), a.Column.Name, a.Strategy)
	if a.ByAge {
		p.Reason += fmt.Sprintf("; %s of its rows are deleted by age, which dropping partitions does for free", percent(a.Retention))
	}
	p.Prose = upper(p.Reason) + ". No row moves: the old table becomes the first partition. "
	p.Prose += fmt.Sprintf("%s would not prune and look into every partition. No planner has confirmed this plan.", statements(len(a.NotPruned)))
	for _, u := range a.NotPruned[:min(len(a.NotPruned), 20)] {
		q := t.Work[u.Work].Query
		p.Evidence.Queries = append(p.Evidence.Queries, pgvigil.QueryEvidence{Fingerprint: q.Fingerprint, Text: q.Text, Weight: u.Weight})
	}
	if slices.ContainsFunc(a.NotPruned, func(u partition.Use) bool { return u.Weight > 0 }) {
		p.Evidence.Warnings = append(p.Evidence.Warnings, pgvigil.Warning{
			Code: "not-pruned",
			Text: "the queries listed do not carry the key; they would plan and lock all partitions",
		})
	}
	return p
}
