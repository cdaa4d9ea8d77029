package pgvigil

import (
	"math"
	"time"
)

// RiskKind says what will break, or lies in wait.
type RiskKind string

// The kinds of risks.
const (
	RiskSequence     RiskKind = "sequence ends"
	RiskXID          RiskKind = "transaction ids run out"
	RiskMultiXact    RiskKind = "multixact ids run out"
	RiskSlot         RiskKind = "replication slot"
	RiskHeldBack     RiskKind = "vacuum held back"
	RiskVacuum       RiskKind = "vacuum overdue"
	RiskWorkers      RiskKind = "vacuum workers busy"
	RiskConnections  RiskKind = "connections"
	RiskLag          RiskKind = "replication lag"
	RiskInvalidIndex RiskKind = "index not valid"
	RiskUnvalidated  RiskKind = "constraint not validated"
	RiskRestart      RiskKind = "restart pending"
)

// Risk is one thing on a server that will break, or that costs and helps
// nobody, with the time that is left where it can be told.
type Risk struct {
	Kind     RiskKind
	Severity Severity
	Database string // "" where it concerns the server
	Object   string // schema.name, slot, process, setting
	// Text says it in one sentence, with its numbers.
	Text string
	// Used is the part that is used up, in [0, 1]; NaN where nothing runs out.
	Used float64
	// LeftSeconds is how long it will last at the rate measured in the window;
	// NaN if that is not known, infinite if nothing moves.
	LeftSeconds float64
	// Remedy is what to run or to do first.
	Remedy string
}

// Left is LeftSeconds as a duration; false if it is not known or endless.
func (r Risk) Left() (time.Duration, bool) {
	const longest = float64(math.MaxInt64) / float64(time.Second)
	if math.IsNaN(r.LeftSeconds) || r.LeftSeconds >= longest {
		return 0, false
	}
	return time.Duration(r.LeftSeconds * float64(time.Second)), true
}

// Outlook is what lies ahead of one server, as of its last pass in a window.
type Outlook struct {
	Server ServerID
	Target string
	At     time.Time // of the last pass; zero if there was none
	Window Window
	Risks  []Risk // most urgent first
	State  ServerState
	// Counters are what the server did in the window, over Seconds.
	Counters ServerCounters
	Seconds  float64
}
