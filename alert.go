package pgvigil

import "time"

// AlertState is a step in the life of an alert.
type AlertState string

// The states. Suspected ones are shown, not sent.
const (
	Suspected    AlertState = "suspected"
	Open         AlertState = "open"
	Acknowledged AlertState = "acknowledged"
	Silenced     AlertState = "silenced"
	Resolved     AlertState = "resolved"
	NewNormal    AlertState = "new normal"
)

// Live says whether the alert still concerns somebody.
func (s AlertState) Live() bool { return s != Resolved && s != NewNormal }

// Severity says how an alert reaches people.
type Severity string

// The severities.
const (
	Page       Severity = "page"
	Ticket     Severity = "ticket"
	ReportOnly Severity = "report"
)

// Alert is the life of a regression or incident.
type Alert struct {
	ID       int64
	Target   string
	Database string
	State    AlertState
	Severity Severity
	Verdict  Regression
	Query    Query // of Verdict.Series; zero for incidents of a server
	Opened   time.Time
	Updated  time.Time
	Closed   time.Time // zero while live
	// SilencedUntil is when a silence ends and the alert opens again; zero unless
	// silenced. By our clock.
	SilencedUntil time.Time
	History       []AlertStep
}

// AlertStep is one change of an alert's state, with its reason.
type AlertStep struct {
	At     time.Time
	State  AlertState
	Reason string
	By     string // "pgvigil" or a person
}
