package main

import (
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/fixtures"
	"github.com/pgvigil/pgvigil/query"
)

// truth holds a fault's planted truth against what pgvigil says.
type truth struct {
	fault fixtures.Fault
	moves map[pgvigil.Fingerprint]string // fingerprint -> name of the statement
}

func newTruth(f fixtures.Fault) truth {
	t := truth{fault: f, moves: map[pgvigil.Fingerprint]string{}}
	for _, s := range fixtures.Statements() {
		if slices.Contains(f.Truth.Moves, s.Name) {
			t.moves[query.Describe(s.SQL, query.Options{}).Fingerprint] = s.Name
		}
	}
	return t
}

// explains says whether the alert is about the planted fault: a query that was
// to move, or an incident where the truth is one.
func (t truth) explains(a pgvigil.Alert) bool {
	if t.fault.Name == "none" {
		return false
	}
	if a.Verdict.Kind == pgvigil.KindIncident {
		return t.fault.Truth.Kind == pgvigil.KindIncident || t.rightCause(a)
	}
	_, moved := t.moves[a.Verdict.Series.Fingerprint]
	return moved
}

// blamesWrongly says whether the alert convicts a query that the fault did not
// touch.
func (t truth) blamesWrongly(a pgvigil.Alert) bool {
	return a.Verdict.Kind == pgvigil.KindRegression && !t.explains(a)
}

func (t truth) rightCause(a pgvigil.Alert) bool {
	return a.Verdict.Cause == t.fault.Truth.Cause
}
