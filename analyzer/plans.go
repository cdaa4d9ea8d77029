package analyzer

import (
	"slices"

	"github.com/pgvigil/pgvigil"
)

// asides are kinds of events that tell of a query or of upkeep, and of nothing
// that could have changed a plan.
var asides = []pgvigil.EventKind{
	pgvigil.EventAnalyzed, pgvigil.EventDeploy, pgvigil.EventMark, pgvigil.EventPlanChanged,
	pgvigil.EventDeadlock, pgvigil.EventCancelled, pgvigil.EventTempFiles, pgvigil.EventVacuumed,
}

// planChanged: the query was seen under one plan before the onset and under
// another after it. It is evidence of its own, and speaks for the theories that
// say why.
func planChanged(e *evidence, s *suspicion) {
	list := e.eventsOf(pgvigil.EventPlanChanged)
	if !e.slower() || len(list) == 0 {
		return
	}
	ev := list[len(list)-1]
	s.pro(3.5, "its plan changed near the onset: %s became %s (%s)", ev.Before, ev.After, ev.Source)
	e.moreBlocks(s)
}

// planned adds what a changed plan says for a theory that explains it.
func (e *evidence) planned(s *suspicion) {
	if s.Score > 0 && s.Cause == pgvigil.CausePlan && s.Detail != pgvigil.DetailPlanChanged && s.Detail != "" {
		if list := e.eventsOf(pgvigil.EventPlanChanged); len(list) > 0 {
			ev := list[len(list)-1]
			s.pro(1.5, "its plan changed: %s became %s", ev.Before, ev.After)
		}
	}
}

// about says whether an event that is about one query is about the one of the
// verdict.
func (e *evidence) about(ev pgvigil.Event) bool {
	f := e.v.Series.Fingerprint
	return ev.Fingerprint == f || f == 0 && slices.Contains(asides, ev.Kind)
}
