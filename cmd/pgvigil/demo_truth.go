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
	still map[pgvigil.Fingerprint]bool
	// tables are those that the moving statements touch: what else reads a
	// bloated or skewed table suffers rightly.
	tables map[string]bool
}

func newTruth(f fixtures.Fault) truth {
	t := truth{fault: f, moves: map[pgvigil.Fingerprint]string{}, still: map[pgvigil.Fingerprint]bool{}, tables: map[string]bool{}}
	for _, s := range fixtures.Statements() {
		q := query.Describe(s.SQL, query.Options{})
		if slices.Contains(f.Truth.Still, s.Name) {
			t.still[q.Fingerprint] = true
		}
		if !slices.Contains(f.Truth.Moves, s.Name) {
			continue
		}
		t.moves[q.Fingerprint] = s.Name
		for _, table := range q.Tables {
			t.tables[table] = true
		}
	}
	return t
}

// explains says whether the alert is about the planted fault: a query that was
// to move, another on its tables with the planted cause to the word, or an
// incident where the truth is one.
func (t truth) explains(a pgvigil.Alert) bool {
	if t.fault.Name == "none" {
		return false
	}
	if a.Verdict.Kind == pgvigil.KindIncident {
		return t.fault.Truth.Kind == pgvigil.KindIncident || t.rightCause(a)
	}
	if a.Verdict.Kind == pgvigil.KindImprovement {
		return false
	}
	_, moved := t.moves[a.Verdict.Series.Fingerprint]
	return moved || t.shares(a) && t.rightCause(a) && a.Verdict.CauseDetail == t.fault.Truth.Detail
}

// blamesWrongly says whether the alert convicts a query that the fault did not
// touch: one that must not move, or one that shares no table with those that must.
func (t truth) blamesWrongly(a pgvigil.Alert) bool {
	if a.Verdict.Kind != pgvigil.KindRegression || t.explains(a) {
		return false
	}
	if t.fault.Truth.Detail == pgvigil.DetailSetting && a.Verdict.CauseDetail == pgvigil.DetailSetting {
		return false // a setting may move any query, and the alert says so
	}
	return t.still[a.Verdict.Series.Fingerprint] || !t.shares(a)
}

func (t truth) shares(a pgvigil.Alert) bool {
	return slices.ContainsFunc(a.Query.Tables, func(table string) bool { return t.tables[table] })
}

func (t truth) rightCause(a pgvigil.Alert) bool {
	return a.Verdict.Cause == t.fault.Truth.Cause
}
