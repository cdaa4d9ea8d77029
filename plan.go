package pgvigil

import (
	"fmt"
	"strconv"
	"time"
)

// PlanHash is 64 bits that name the shape of a plan: kinds of nodes, relations,
// indexes and join order, without costs, expressions and the number of
// partitions. 0 is no plan.
type PlanHash uint64

// String returns 16 lower-case hexadecimal digits.
func (h PlanHash) String() string { return fmt.Sprintf("%016x", uint64(h)) }

// MarshalText writes the hexadecimal form; JSON numbers lose its low bits.
func (h PlanHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the hexadecimal form.
func (h *PlanHash) UnmarshalText(b []byte) error {
	v, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil || len(b) != 16 {
		return fmt.Errorf("parse plan hash %.20q: want 16 hexadecimal digits", b)
	}
	*h = PlanHash(v)
	return nil
}

// PlanSource says how a plan was got.
type PlanSource string

// The sources.
const (
	ByExplain     PlanSource = "explain"      // the generic plan, not run
	ByAutoExplain PlanSource = "auto_explain" // of a call that ran, from the server's log
)

// Plan is a plan of one query, or why there is none. It holds no literal.
type Plan struct {
	Server      ServerID
	DBID        OID
	Fingerprint Fingerprint
	Source      PlanSource
	// First and Last bound the time in which it was seen, without another of
	// the same source in between.
	First time.Time
	Last  time.Time
	// Role is whose search_path and settings it was planned under; "" unknown.
	Role string
	// Hash is 0 if there is no plan; Refused then says why.
	Hash PlanHash
	Cost Cost
	// Text is the plan as people read it, partitions of one table as one node.
	Text string
	// Steps are its nodes without costs and expressions, top down, as in
	// "Index Scan using jobs_pkey on public.jobs".
	Steps []string
	// Settings are those that change plans and are not at their default.
	Settings []Setting
	// Refused says why there is no plan, its Code one of the Refused... codes.
	Refused Warning
}

// The codes of Plan.Refused.
const (
	RefusedRights    = "plan-rights"    // our role may not read a table, or may do more than read
	RefusedWrite     = "plan-write"     // a write or lock: planned by the log or a scratch copy only
	RefusedUntrusted = "plan-untrusted" // planning could run somebody's code
	RefusedTypes     = "plan-types"     // the types of its parameters are not known
	RefusedUnknown   = "plan-unknown"   // a name in it means no table, or several
	RefusedBudget    = "plan-budget"    // the budget of the day or of one plan is spent
	RefusedText      = "plan-text"      // the text is missing, cut, or no statement that has a plan
	RefusedServer    = "plan-failed"    // the server refused it
)

// PlanFilter selects plans; zero values select all. Plans are selected by the
// time in which they were seen.
type PlanFilter struct {
	Server       ServerID
	Database     OID
	Fingerprints []Fingerprint
	Window       Window
}
