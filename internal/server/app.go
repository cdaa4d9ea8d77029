// Package server is the HTTP API of a running service, under /api/v1. It
// listens on a Unix socket beside the history, which the service owns, and on
// request over TCP. What it can do is the interface App: the service
// implements it over its history, package client over the socket, so that a
// command is the same code with a running service and without.
package server

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/pgvigil/pgvigil"
)

// App is what a service does for commands. Errors may wrap ErrNotFound,
// ErrInvalid or ErrConflict, and carry advice by pgvigil.Hint; both cross the
// API, as does the text.
type App interface {
	// Targets returns the servers that the history knows.
	Targets(ctx context.Context) ([]pgvigil.ServerInfo, error)
	// Collect makes one pass now over a target, or over all if it is "". What
	// went wrong with a target is in its result.
	Collect(ctx context.Context, target string) ([]PassResult, error)
	// Alerts returns alerts, newest first.
	Alerts(ctx context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error)
	// Suspects returns what is looked into and not convicted, of a target or of
	// all if it is "": alerts without a number, which the history does not keep.
	Suspects(ctx context.Context, target string) ([]pgvigil.Alert, error)
	// ActOnAlert changes the state of an alert and returns it.
	ActOnAlert(ctx context.Context, id int64, a AlertAction) (pgvigil.Alert, error)
	// Regressions detects over the history, now, and returns the verdicts.
	Regressions(ctx context.Context, f RegressionFilter) ([]pgvigil.Regression, error)
	// Advise drafts and verifies proposals.
	Advise(ctx context.Context, r AdviseRequest) ([]pgvigil.Proposal, error)
	// Proposals returns proposals, newest first.
	Proposals(ctx context.Context, f pgvigil.ProposalFilter) ([]pgvigil.Proposal, error)
	// DecideProposal accepts or declines a proposal and returns it.
	DecideProposal(ctx context.Context, id int64, a ProposalAction) (pgvigil.Proposal, error)
	// Report writes the report of a range as one HTML file.
	Report(ctx context.Context, r ReportRequest, w io.Writer) error
	// Outlook says what lies ahead of each server of a target, of all if it is
	// "": what runs out, what holds it back, how it stands.
	Outlook(ctx context.Context, r OutlookRequest) ([]pgvigil.Outlook, error)
	// Mark records an event and returns its number.
	Mark(ctx context.Context, e pgvigil.Event) (int64, error)
	// Lately returns what the history knows of the last time of a target.
	Lately(ctx context.Context, r LatelyRequest) (Lately, error)
	// CheckHistory looks for what is wrong with the history.
	CheckHistory(ctx context.Context) (pgvigil.HistoryCheck, error)
}

// The kinds of errors that callers tell apart.
var (
	ErrNotFound = errors.New("not found")
	ErrInvalid  = errors.New("invalid request")
	ErrConflict = errors.New("conflicts with the present state")
)

// PassResult is what became of one pass over one target.
type PassResult struct {
	Target string
	Server pgvigil.ServerID // 0 if the target was never reached
	Pass   int64
	At     time.Time
	// Seconds that the pass took.
	Seconds    float64
	Statements int // entries read
	Series     int // series that got a point
	Relations  int // tables and indexes that got an interval
	Events     []pgvigil.Event
	// Alerts are those that the pass opened or changed.
	Alerts   []pgvigil.Alert
	Coverage pgvigil.Coverage
	Warnings []pgvigil.Warning
	// Problem says why the pass was not made, Advice what to do; "" if it was.
	Problem string
	Advice  string
}

// AlertVerb is what a person does to an alert.
type AlertVerb string

// The verbs.
const (
	Ack     AlertVerb = "ack"
	Silence AlertVerb = "silence"
	Resolve AlertVerb = "resolve"
)

// AlertAction is one action of a person on an alert.
type AlertAction struct {
	Verb   AlertVerb
	By     string // who
	Reason string // one sentence; may be empty
	// For is how long a silence lasts, above 0 and at most MaxSilence; 0 means
	// DefaultSilence. Other verbs have none.
	For time.Duration
}

// How long an alert is silenced where nobody says, and at most: what is not
// looked at for a month is resolved, not silenced.
const (
	DefaultSilence = 4 * time.Hour
	MaxSilence     = 30 * 24 * time.Hour
)

// ProposalVerb is what a person does to a proposal.
type ProposalVerb string

// The verbs.
const (
	Accept ProposalVerb = "accept"
	Reject ProposalVerb = "reject"
)

// ProposalAction is one decision of a person about a proposal.
type ProposalAction struct {
	Verb   ProposalVerb
	By     string // who
	Reason string // one sentence; may be empty
}

// RegressionFilter selects what is judged; zero values select all.
type RegressionFilter struct {
	Target string
	Server pgvigil.ServerID
	Window pgvigil.Window
}

// AdviseRequest says what to advise on: an alert, certain queries, or the
// whole load of a target.
type AdviseRequest struct {
	Target   string
	Database string
	Alert    int64
	Queries  []pgvigil.Fingerprint
	// Budget bounds the size of all new indexes together, 0 for none.
	Budget pgvigil.Bytes
	Window pgvigil.Window
}

// ReportRequest says what a report is about; a zero Target means all.
type ReportRequest struct {
	Target string
	Window pgvigil.Window
}

// LatelyRequest names a target, and since when it is of interest.
type LatelyRequest struct {
	Target string
	Since  time.Time
}

// Lately is what the history knows of the last time of a target.
type Lately struct {
	// Server is the one seen last behind the target's address.
	Server pgvigil.ServerInfo
	Events []pgvigil.Event
	// Sample is the last of the sessions; its At is zero if there is none.
	Sample pgvigil.SessionSample
}

// OutlookRequest says of which target, and by the rates of which window; one
// without a beginning is the day before its end.
type OutlookRequest struct {
	Target string
	Window pgvigil.Window
}

// Health is what a service says of itself.
type Health struct {
	Version string
	PID     int
	History string // path, or the word postgres
	Started time.Time
}
