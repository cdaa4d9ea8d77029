package advisor

import (
	"log/slog"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/llm"
	"github.com/pgvigil/pgvigil/advisor/partition"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Options set an advisor up.
type Options struct {
	// Model drafts beside the rules and writes the prose; nil is none.
	Model llm.Model
	// Now tells the time; nil is time.Now.
	Now func() time.Time
	// Log may be nil.
	Log *slog.Logger
	// ModelTimeout bounds one draft of the model; 0 is 20 s.
	ModelTimeout time.Duration
}

// Advisor drafts and verifies proposals. It keeps nothing between calls.
type Advisor struct{ o Options }

// New returns an advisor.
func New(o Options) *Advisor {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ModelTimeout == 0 {
		o.ModelTimeout = 20 * time.Second
	}
	return &Advisor{o}
}

// Request is what proposals are wanted for: statements of one database.
type Request struct {
	Target   string
	Server   pgvigil.ServerID
	Database string
	// Catalog is the database as a pass read it.
	Catalog  pgvigil.DatabaseRead
	Settings []pgvigil.Setting
	Work     []Work
	// Writes are the changes per hour by table, for the price of an index;
	// without an entry the table's cumulative counters give the proportions.
	Writes map[pgvigil.OID]index.Writes
	// Events are recent events of the database beside those of the alerts:
	// what was dropped is a candidate again.
	Events []pgvigil.Event
	// Budget bounds the sizes of all proposed indexes together; 0 is no bound.
	Budget pgvigil.Bytes
	// Judge verifies; nil leaves everything unverified.
	Judge whatif.Judge
	// Partition says which tables ask to be partitioned; the zero value is
	// none, partition.DefaultThresholds is meant for production.
	Partition partition.Thresholds
}

// Work is one statement that matters.
type Work struct {
	Query pgvigil.Query
	// Text overrides Query.Text for planning: a statement of a workload file,
	// with its literals.
	Text string
	// Role runs the statement, "" unknown; its search_path counts.
	Role string
	// Weight is how much it matters, usually calls per hour; 0 counts as 1.
	Weight float64
	// MS is the time of one call, 0 unknown.
	MS float64
	// Alert asked for advice on it; nil for the rest of the workload, which
	// only helps to choose.
	Alert *pgvigil.Alert
	// Context statements are weighed, but nothing is drafted for them.
	Context bool
}

func (w Work) text() string {
	if w.Text != "" {
		return w.Text
	}
	return w.Query.Text
}

// Answer is what Advise found.
type Answer struct {
	Proposals []pgvigil.Proposal
	// CostBefore and CostAfter are planner costs of all work that could be
	// planned, weighted.
	CostBefore, CostAfter pgvigil.Cost
	WhatIfCalls           int
	Took                  time.Duration
	Warnings              []pgvigil.Warning
}
