package reports

import (
	"fmt"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// timelineRows is how many events the timeline shows.
const timelineRows = 100

// timelineSection is "incidents and events".
type timelineSection struct {
	Incidents []incidentRow
	Events    []eventRow
	Rest      string
}

type incidentRow struct {
	Badges  []badge
	Place   string
	Began   moment
	Lasted  string
	Change  string
	Cause   string
	Queries []queryView
	More    string
	Rule    string
	Command string
}

type eventRow struct {
	N      int
	At     moment
	Since  string // how far before it may have been
	Kind   string
	Object string
	Change string
	Source string
	Place  string
}

func (l layout) timeline() timelineSection {
	var section timelineSection
	hidden, analyzed := 0, 0
	for i := range l.Servers {
		s := &l.Servers[i]
		for _, a := range s.Incidents {
			section.Incidents = append(section.Incidents, l.incident(s, a))
		}
		listed := slices.DeleteFunc(slices.Clone(s.Events), func(e pgvigil.Event) bool { return e.Kind == pgvigil.EventAnalyzed })
		analyzed += len(s.Events) - len(listed)
		listed = together(listed)
		shown := listed[max(0, len(listed)-timelineRows):]
		hidden += len(listed) - len(shown)
		for _, row := range l.eventRows(shown) {
			row.Place = l.heading(s)
			section.Events = append(section.Events, row)
		}
	}
	if hidden > 0 {
		section.Rest = count(hidden, "earlier event is", "earlier events are") + " not shown. "
	}
	if analyzed > 0 {
		section.Rest += capital(count(analyzed, "ANALYZE of a table is", "ANALYZEs of tables are")) + " not listed."
	}
	return section
}

// atOnce is how many events of a kind that one pass saw in a database are
// listed one by one.
const atOnce = 5

// together makes one event of those of a kind that came in numbers: thousands
// of new tables would hide the index that was dropped.
func together(events []pgvigil.Event) []pgvigil.Event {
	type sort struct {
		at   int64
		db   pgvigil.OID
		kind pgvigil.EventKind
	}
	of := func(e pgvigil.Event) sort { return sort{e.At.UnixNano(), e.DBID, e.Kind} }
	n := make(map[sort]int)
	for _, e := range events {
		n[of(e)]++
	}
	var out []pgvigil.Event
	for _, e := range events {
		switch many := n[of(e)]; {
		case many > atOnce:
			e.Object = fmt.Sprintf("%s and %s more", e.Object, thousands(float64(many-1)))
			e.Before, e.After = "", ""
			n[of(e)] = 0
			out = append(out, e)
		case many > 0:
			out = append(out, e)
		}
	}
	return out
}

func (l layout) incident(s *Server, a pgvigil.Alert) incidentRow {
	v := a.Verdict
	row := incidentRow{
		Badges: alertBadges(a), Place: l.place(a.Target, a.Database), Began: l.clock.at(v.Onset),
		Lasted: "still going on", Change: times(v.Factor), Cause: causeSentence(v), Rule: plain(v.Rule, maxSentence),
	}
	if !a.Closed.IsZero() {
		row.Lasted = length(a.Closed.Sub(v.Onset))
	}
	const most = 5
	for _, f := range v.Queries[:min(most, len(v.Queries))] {
		row.Queries = append(row.Queries, queryOf(s.query(f), f))
	}
	if more := len(v.Queries) - most; more > 0 {
		row.More = fmt.Sprintf("and %d more", more)
	}
	if a.ID != 0 {
		row.Command = fmt.Sprintf("pgvigil alerts show %d", a.ID)
	}
	return row
}

// eventRows numbers events in order, as the charts do.
func (l layout) eventRows(events []pgvigil.Event) []eventRow {
	var rows []eventRow
	for i, e := range events {
		row := eventRow{
			N: i + 1, At: l.clock.at(e.At), Kind: plain(string(e.Kind), 40), Object: plain(e.Object, maxName),
			Change: plain(e.After, maxName), Source: plain(e.Source, maxName),
		}
		if e.Before != "" && e.After != "" {
			row.Change = plain(e.Before, maxName) + " \u2192 " + plain(e.After, maxName)
		} else if e.Before != "" {
			row.Change = "was " + plain(e.Before, maxName)
		}
		if late := e.At.Sub(e.Since); !e.Since.IsZero() && late > time.Second {
			row.Since = "or up to " + length(late) + " before"
		}
		rows = append(rows, row)
	}
	return rows
}
