package reports

import (
	"fmt"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// proposalView is one proposal with all its evidence.
type proposalView struct {
	Anchor   string
	Tone     tone
	Title    string
	Badges   []badge
	Verdict  verdictWords
	Author   string
	Place    string
	Reason   string
	Prose    excerpt
	Facts    []fact
	Steps    []stepView
	More     []stepView // the steps after the first few
	Refused  []stepView // the steps of a rejected one, not to be run
	Undo     []stepView
	Queries  []evidenceRow
	Outcome  *outcomeView
	Warnings []warningView
	Alert    link // what it answers; no Href where the report does not show it
	Commands []command
}

// stepView is one statement with what to know before it is run.
type stepView struct {
	N    int
	SQL  string
	Note string
	// Alone says that it cannot run in a transaction block.
	Alone bool
	// Withheld says why the statement is not shown; it is never shown in part.
	Withheld string
}

type evidenceRow struct {
	Query  queryView
	Weight string
	Before string
	After  string
	Change string
	Tone   tone
	Uses   string
	Plans  []planView
}

type planView struct {
	Title string
	Text  excerpt
}

type outcomeView struct {
	Applied moment
	Window  string
	Size    string
	Rows    []outcomeRow
}

type outcomeRow struct {
	Query    string
	Measure  string
	Baseline string
	Before   string
	After    string
	Against  string // after over baseline
	Tone     tone
}

func (l layout) proposals() []proposalView {
	var views []proposalView
	for i := range l.Servers {
		s := &l.Servers[i]
		for _, p := range s.Proposals {
			views = append(views, l.proposal(s, p, len(views)+1))
		}
	}
	return views
}

func (l layout) proposal(s *Server, p pgvigil.Proposal, n int) proposalView {
	v := proposalView{
		Anchor:   fmt.Sprintf("proposal-%d", n),
		Title:    proposalTitle(p),
		Badges:   proposalBadges(p),
		Tone:     verdictTones[p.Evidence.Verdict],
		Verdict:  verdictSentence(p.Evidence),
		Author:   authorSentence(p),
		Place:    l.place(p.Target, p.Database),
		Reason:   sentence(plain(p.Reason, maxSentence)),
		Prose:    quote(p.Prose, maxStatement),
		Facts:    proposalFacts(p),
		Steps:    stepsOf(p.Steps),
		Undo:     stepsOf(p.Undo),
		Outcome:  l.outcome(s, p.Outcome),
		Warnings: warningsOf(p.Evidence.Warnings),
	}
	for _, q := range p.Evidence.Queries {
		v.Queries = append(v.Queries, l.evidence(s, q))
	}
	if strings.HasPrefix(v.Prose.Text, strings.TrimSuffix(v.Reason, ".")) {
		v.Reason = "" // the prose says it
	}
	const most = 4
	if len(v.Steps) > most {
		v.Steps, v.More = v.Steps[:most-1], v.Steps[most-1:]
	}
	if p.Evidence.Verdict == pgvigil.Rejected {
		v.Steps, v.More, v.Refused, v.Undo = nil, nil, stepsOf(p.Steps), nil
	}
	v.Alert = l.alertLink(p.Alert)
	if p.ID != 0 {
		v.Commands = []command{{fmt.Sprintf("this proposal, number %d, among all", p.ID), "pgvigil proposals list"}}
	}
	return v
}

// proposalTitle says what would be done, to what.
func proposalTitle(p pgvigil.Proposal) string {
	table := plain(p.Table, maxName)
	columns := plain(strings.Join(p.Columns, ", "), maxName)
	switch p.Kind {
	case pgvigil.ProposeIndex:
		return fmt.Sprintf("Create an index on %s (%s)", table, columns)
	case pgvigil.ProposePartition:
		return fmt.Sprintf("Partition %s by %s", table, columns)
	case pgvigil.ProposeDrop:
		return "Drop from " + table + ": " + columns
	case pgvigil.ProposeRewrite:
		return "Rewrite a query of " + table
	case pgvigil.ProposeMaintenance:
		return "Maintain " + table
	}
	return plain(string(p.Kind), maxName) + " of " + table
}

// verdictTones colour proposals.
var verdictTones = map[pgvigil.ProofVerdict]tone{
	pgvigil.Verified: toneGood, pgvigil.Rejected: toneMute, pgvigil.Unverified: toneWarn,
}

func proposalBadges(p pgvigil.Proposal) []badge {
	list := []badge{word(p.Evidence.Verdict, verdictTones[p.Evidence.Verdict]), word(p.Kind, toneMute)}
	if p.State != "" {
		list = append(list, word(p.State, toneMute))
	}
	return list
}

// verdictWords say what the proof said, in bold and plain.
type verdictWords struct{ Head, Rest string }

func verdictSentence(e pgvigil.Evidence) verdictWords {
	method := plain(e.Method, maxName)
	switch e.Verdict {
	case pgvigil.Verified:
		return verdictWords{"Verified by " + method + ":", "the planner uses it and its cost falls. A planner cost is no time; the outcome is measured once it is applied."}
	case pgvigil.Rejected:
		return verdictWords{"Rejected by " + method + ":", "the proof does not support it. It is shown so that nobody tries it again."}
	}
	return verdictWords{"Not verified:", "nothing proved it yet. Try it first where it can do no harm."}
}

func authorSentence(p pgvigil.Proposal) string {
	author := plain(p.Author, maxName)
	model, both := strings.CutPrefix(author, "rules and ")
	switch {
	case author == "" || author == "rules":
		return "Drafted by rules."
	case both:
		return "Drafted by rules and, likewise, by the model " + model + "."
	}
	return "Drafted by the model " + author + "; the DDL was rendered and judged by pgvigil."
}

func proposalFacts(p pgvigil.Proposal) []fact {
	e := p.Evidence
	var facts []fact
	if e.CostBefore > 0 {
		f := fact{Label: "Planner cost", Value: planCost(e.CostBefore) + " \u2192 " + planCost(e.CostAfter)}
		f.Note, f.Tone = change(float64(e.CostBefore), float64(e.CostAfter))
		facts = append(facts, f)
	}
	if e.Size > 0 {
		facts = append(facts, fact{Label: "Estimated size", Value: size(e.Size)})
	}
	if p.Kind == pgvigil.ProposeIndex && e.Verdict != pgvigil.Rejected {
		facts = append(facts,
			fact{Label: "Write overhead", Value: percent(e.WriteOverhead), Note: "more write work on the table"},
			hotFact(e.LosesHOT))
	}
	if e.WhatIfCalls > 0 {
		f := fact{Label: "Proof", Value: count(e.WhatIfCalls, "planner call", "planner calls")}
		if e.Seconds > 0 {
			f.Note = "in " + millis(e.Seconds*1e3)
		}
		facts = append(facts, f)
	}
	return facts
}

func hotFact(columns []string) fact {
	if len(columns) == 0 {
		return fact{Label: "HOT updates", Value: "kept", Note: "no updated column is in it", Tone: toneGood}
	}
	return fact{Label: "HOT updates", Value: "lost", Note: "for updates of " + plain(list(columns), maxName), Tone: toneWarn}
}

// stepsOf shows statements whole or not at all: half of one must not be run.
func stepsOf(steps []pgvigil.Step) []stepView {
	var views []stepView
	for i, s := range steps {
		s.SQL = ended(s.SQL)
		v := stepView{N: i + 1, SQL: visible(s.SQL), Note: sentence(plain(s.Note, maxSentence)), Alone: s.OutsideTx}
		switch {
		case len(s.SQL) > maxDDL:
			v.SQL, v.Withheld = "", fmt.Sprintf("This statement has %s bytes and is not shown here.", thousands(float64(len(s.SQL))))
		case v.SQL != s.SQL:
			v.Withheld = "This statement has characters that cannot be seen; they are spelled out here, so do not copy it from this page."
		}
		views = append(views, v)
	}
	return views
}

// ended ends a statement by a semicolon, so that several can be pasted.
func ended(sql string) string {
	if trimmed := strings.TrimRight(sql, " \n\t"); !strings.HasSuffix(trimmed, ";") {
		return trimmed + ";"
	}
	return sql
}

func (l layout) evidence(s *Server, q pgvigil.QueryEvidence) evidenceRow {
	query := s.query(q.Fingerprint)
	if query.Text == "" {
		query.Text = q.Text
	}
	row := evidenceRow{
		Query:  queryOf(query, q.Fingerprint),
		Weight: number(q.Weight),
		Before: planCost(q.CostBefore),
		After:  planCost(q.CostAfter),
		Uses:   "no",
	}
	row.Change, row.Tone = change(float64(q.CostBefore), float64(q.CostAfter))
	if q.Uses {
		row.Uses = "yes"
	}
	if q.PlanBefore != "" {
		row.Plans = append(row.Plans, planView{"Plan before", quote(q.PlanBefore, maxPlan)})
	}
	if q.PlanAfter != "" {
		row.Plans = append(row.Plans, planView{"Plan after", quote(q.PlanAfter, maxPlan)})
	}
	return row
}

func (l layout) outcome(s *Server, o *pgvigil.Outcome) *outcomeView {
	if o == nil {
		return nil
	}
	v := &outcomeView{Applied: l.clock.at(o.AppliedAt), Window: l.clock.window(pgvigil.Window{From: o.From, To: o.To})}
	if o.Size > 0 {
		v.Size = size(o.Size)
	}
	for _, q := range o.Queries {
		name := queryName(s.query(q.Fingerprint))
		v.Rows = append(v.Rows,
			outcomeOf(name, "time per call", [3]float64{q.Baseline.MS, q.Before.MS, q.After.MS}, millis),
			outcomeOf(name, "blocks per call", [3]float64{q.Baseline.Blocks, q.Before.Blocks, q.After.Blocks}, number))
	}
	return v
}

// outcomeOf is one measure before the fault, with it and after the fix.
func outcomeOf(name, measure string, v [3]float64, write func(float64) string) outcomeRow {
	row := outcomeRow{Query: name, Measure: measure, Baseline: write(v[0]), Before: write(v[1]), After: write(v[2])}
	against := v[2] / v[0]
	row.Against = versus(against)
	switch {
	case !finite(against):
		row.Against = unknown
	case against <= notable:
		row.Tone = toneGood
	default:
		row.Tone = toneBad
	}
	return row
}
