package pgvigil

import "time"

// ProposalKind says what a proposal changes.
type ProposalKind string

// The kinds of proposals.
const (
	ProposeIndex       ProposalKind = "index"
	ProposePartition   ProposalKind = "partition"
	ProposeDrop        ProposalKind = "drop"
	ProposeRewrite     ProposalKind = "rewrite"
	ProposeMaintenance ProposalKind = "maintenance"
)

// Cost is a planner cost: an arbitrary unit, never a time.
type Cost float64

// ProofVerdict is what verification said of a proposal.
type ProofVerdict string

// The verdicts.
const (
	Verified   ProofVerdict = "verified"
	Rejected   ProofVerdict = "rejected"
	Unverified ProofVerdict = "unverified"
)

// Proposal is a drafted change with its evidence. Its DDL was rendered by
// code from typed parts, never taken from a model.
type Proposal struct {
	ID       int64
	Server   ServerID
	Target   string
	Database string
	Kind     ProposalKind
	Table    string // schema.name
	// Columns are the keys of an index, or the partition key.
	Columns []string
	// Steps are the statements to run, in order, each with what it does to
	// others; an index has one step.
	Steps []Step
	Undo  []Step
	// Author is "rules" or the model's name.
	Author string
	// Reason is one sentence; Prose may say more, in the author's words.
	Reason   string
	Prose    string
	Evidence Evidence
	Drafted  time.Time
	// Alert that asked for it, 0 if none.
	Alert int64
	State ProposalState
	// Decision is who accepted or declined it, nil while nobody did.
	Decision *Decision
	Outcome  *Outcome
}

// Decision is what a person decided about a proposal.
type Decision struct {
	At     time.Time
	By     string
	Reason string // one sentence; may be empty
}

// ProposalState is what people decided about a proposal.
type ProposalState string

// The states.
const (
	Drafted  ProposalState = "drafted"
	Accepted ProposalState = "accepted"
	Applied  ProposalState = "applied"
	Declined ProposalState = "declined"
)

// Step is one statement of a proposal.
type Step struct {
	SQL string
	// Note says which lock it takes, how long, and what to look at after it.
	Note string
	// OutsideTx says that it cannot run in a transaction block.
	OutsideTx bool
}

// Evidence is what verified a proposal.
type Evidence struct {
	Verdict ProofVerdict
	// Method is "hypopg", "scratch database", "twin", "none".
	Method string
	// CostBefore and CostAfter are sums over Queries, weighted by calls.
	CostBefore Cost
	CostAfter  Cost
	Size       Bytes // of the new index, estimated
	Queries    []QueryEvidence
	// WriteOverhead is the estimated growth of the table's write work, as a
	// share (0.05 is 5 % more), NaN unknown.
	WriteOverhead float64
	// LosesHOT lists updated columns that the index would put into the way.
	LosesHOT []string
	Warnings []Warning
	// Seconds that verification took, and planner calls it used.
	Seconds     float64
	WhatIfCalls int
}

// QueryEvidence is what a proposal does to one query.
type QueryEvidence struct {
	Fingerprint Fingerprint
	Text        string // normal form
	Weight      float64
	CostBefore  Cost
	CostAfter   Cost
	PlanBefore  string // text form
	PlanAfter   string
	// Uses says that the plan after names the proposed index.
	Uses bool
}

// Outcome is what a deployed proposal really did, measured from the history.
type Outcome struct {
	AppliedAt time.Time
	From      time.Time // of the measurement
	To        time.Time
	Queries   []QueryOutcome
	Size      Bytes // real
}

// QueryOutcome compares one query before the fault, with it, and after the fix.
type QueryOutcome struct {
	Fingerprint Fingerprint
	Baseline    Profile // before the regression
	Before      Profile // with it
	After       Profile // with the proposal
}
