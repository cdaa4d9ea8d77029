package main

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// demoResult is the object of pgvigil demo --format json; scripts rely on it.
type demoResult struct {
	Fault     string         `json:"fault"`
	Detected  bool           `json:"detected"`
	AsPlanted bool           `json:"as_planted"`
	Cause     string         `json:"cause"`
	Detail    string         `json:"cause_detail"`
	Severity  string         `json:"severity"`
	Seconds   float64        `json:"seconds"`
	Alerts    []demoAlert    `json:"alerts"`
	Proposals []demoProposal `json:"proposals"`
	Report    string         `json:"report"`
	Outcome   *demoOutcome   `json:"outcome,omitempty"`
}

type demoAlert struct {
	Kind        string              `json:"kind"`
	Query       string              `json:"query"`
	Fingerprint pgvigil.Fingerprint `json:"fingerprint"`
	Onset       time.Time           `json:"onset"`
	Cause       string              `json:"cause"`
	Detail      string              `json:"cause_detail"`
	Factor      *float64            `json:"factor"`
	Severity    string              `json:"severity"`
	State       string              `json:"state"`
	// Planted: it tells of the fault. Wrong: it blames a query that the fault did
	// not touch.
	Planted bool `json:"planted"`
	Wrong   bool `json:"wrong"`
}

type demoProposal struct {
	DDL        []string `json:"ddl"`
	Kind       string   `json:"kind"`
	Author     string   `json:"author"`
	Verdict    string   `json:"verdict"`
	CostBefore float64  `json:"cost_before"`
	CostAfter  float64  `json:"cost_after"`
	SizeBytes  int64    `json:"size_bytes"`
}

type demoOutcome struct {
	Restored bool               `json:"restored"`
	Queries  []demoQueryOutcome `json:"queries"`
}

type demoQueryOutcome struct {
	Fingerprint   pgvigil.Fingerprint `json:"fingerprint"`
	BlocksBefore  *float64            `json:"blocks_before"`
	BlocksFault   *float64            `json:"blocks_fault"`
	BlocksAfter   *float64            `json:"blocks_after"`
	MSBefore      *float64            `json:"ms_before"`
	MSFault       *float64            `json:"ms_fault"`
	MSAfter       *float64            `json:"ms_after"`
	BlocksRestore *float64            `json:"blocks_after_over_before"`
}

func (d *demo) result() demoResult {
	r := demoResult{
		Fault: d.fault.Name, Detected: d.caught != nil, AsPlanted: d.cameOut().asPlanted, Report: d.opts.report,
		Alerts: []demoAlert{}, Proposals: []demoProposal{},
	}
	if d.caught != nil {
		r.Cause, r.Detail = string(d.caught.Verdict.Cause), d.caught.Verdict.CauseDetail
		r.Severity = string(d.caught.Severity)
		r.Seconds = d.caughtAt.Sub(d.injected).Seconds()
	}
	byID := func(a, b pgvigil.Alert) int { return cmp.Compare(a.ID, b.ID) }
	for _, a := range slices.SortedFunc(maps.Values(d.alerts), byID) {
		r.Alerts = append(r.Alerts, demoAlert{
			Kind: string(a.Verdict.Kind), Query: a.Query.Text, Fingerprint: a.Verdict.Series.Fingerprint, Onset: a.Verdict.Onset,
			Cause: string(a.Verdict.Cause), Detail: a.Verdict.CauseDetail, Factor: finite(a.Verdict.Factor), Severity: string(a.Severity), State: string(a.State), Planted: d.truth.explains(a), Wrong: d.truth.blamesWrongly(a),
		})
	}
	for _, p := range d.proposals {
		r.Proposals = append(r.Proposals, resultOf(p))
	}
	r.Outcome = outcomeResult(d.outcome)
	return r
}

func resultOf(p pgvigil.Proposal) demoProposal {
	r := demoProposal{
		DDL: []string{}, Kind: string(p.Kind), Author: p.Author, Verdict: string(p.Evidence.Verdict),
		CostBefore: float64(p.Evidence.CostBefore), CostAfter: float64(p.Evidence.CostAfter), SizeBytes: int64(p.Evidence.Size),
	}
	for _, s := range p.Steps {
		r.DDL = append(r.DDL, s.SQL)
	}
	return r
}

func outcomeResult(o *pgvigil.Outcome) *demoOutcome {
	if o == nil {
		return nil
	}
	r := demoOutcome{Restored: restored(o), Queries: []demoQueryOutcome{}}
	for _, q := range o.Queries {
		r.Queries = append(r.Queries, demoQueryOutcome{
			Fingerprint: q.Fingerprint, BlocksBefore: finite(q.Baseline.Blocks), BlocksFault: finite(q.Before.Blocks),
			BlocksAfter: finite(q.After.Blocks), MSBefore: finite(q.Baseline.MS), MSFault: finite(q.Before.MS),
			MSAfter: finite(q.After.MS), BlocksRestore: finite(q.After.Blocks / q.Baseline.Blocks),
		})
	}
	return &r
}
