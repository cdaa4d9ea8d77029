package reports

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// seenPlan is one plan that a query was seen under.
type seenPlan struct {
	Name string // Before, After, or Now
	Who  string
	Text excerpt
}

// unplannedRow is a query without a plan, and why.
type unplannedRow struct {
	Title  string
	Place  string
	Why    string
	Remedy string
}

// maxUnplanned bounds the queries without plan that are named.
const maxUnplanned = 40

// readPlans takes the plans of what got slower, and why there are none of that
// and of the dearest queries.
func (g *gatherer) readPlans(ctx context.Context) error {
	var fps []pgvigil.Fingerprint
	for _, a := range g.server.Slower {
		fps = append(fps, a.Verdict.Series.Fingerprint)
	}
	for _, l := range g.server.Loads {
		fps = append(fps, l.Series.Fingerprint)
	}
	if len(fps) == 0 {
		return nil
	}
	all, err := g.history.Plans(ctx, pgvigil.PlanFilter{Server: g.id(), Fingerprints: fps, Window: pgvigil.Window{To: g.window.To}})
	if err != nil {
		return err
	}
	byQuery := map[pgvigil.SeriesKey][]pgvigil.Plan{}
	for _, p := range all {
		key := pgvigil.SeriesKey{Server: g.id(), DBID: p.DBID, Fingerprint: p.Fingerprint}
		byQuery[key] = append(byQuery[key], p)
	}
	for i := range g.server.Slower {
		g.server.Slower[i].Plans = byQuery[g.server.Slower[i].Verdict.Series]
	}
	for _, list := range byQuery {
		if last := slices.MaxFunc(list, func(a, b pgvigil.Plan) int { return a.Last.Compare(b.Last) }); last.Hash == 0 {
			g.server.Unplanned = append(g.server.Unplanned, last)
		}
	}
	slices.SortFunc(g.server.Unplanned, func(a, b pgvigil.Plan) int {
		return cmp.Or(cmp.Compare(a.Refused.Code, b.Refused.Code), cmp.Compare(a.DBID, b.DBID), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return nil
}

// plansAround returns the plan last seen before a time and the last one after it.
// They are of one source, where one has both.
func plansAround(list []pgvigil.Plan, onset time.Time) (before, after *pgvigil.Plan) {
	for _, source := range []pgvigil.PlanSource{pgvigil.ByExplain, pgvigil.ByAutoExplain} {
		var b, a *pgvigil.Plan
		for i := range list {
			p := &list[i]
			switch {
			case p.Hash == 0 || p.Source != source:
			case p.Last.After(onset):
				a = p
				if p.First.Before(onset) {
					b = p
				}
			default:
				b = p
			}
		}
		if a != nil && (after == nil || b != nil && before == nil) || after == nil && b != nil {
			before, after = b, a
		}
	}
	return before, after
}

// plans shows the plan before the onset and the one after it.
func (l layout) plans(a Slower) []seenPlan {
	before, after := plansAround(a.Plans, a.Verdict.Onset)
	switch {
	case before == nil && after == nil:
		return nil
	case before == nil:
		return []seenPlan{l.seenPlan("After the onset (none is known from before)", after)}
	case after == nil:
		return []seenPlan{l.seenPlan("Before the onset (none is known since)", before)}
	case before.Hash == after.Hash:
		return []seenPlan{l.seenPlan("The same before and after", after)}
	}
	return []seenPlan{l.seenPlan("Before", before), l.seenPlan("After", after)}
}

func (l layout) seenPlan(name string, p *pgvigil.Plan) seenPlan {
	who := "generic plan, asked for by pgvigil"
	if p.Source == pgvigil.ByAutoExplain {
		who = "plan of a call that ran, from the server's log"
	}
	if p.Role != "" {
		who += ", as for role " + plain(p.Role, maxName)
	}
	who += "; seen " + l.clock.at(p.First).Text
	if p.Last.After(p.First) {
		who += " to " + l.clock.at(p.Last).Text
	}
	for _, s := range p.Settings {
		who += ", " + plain(s.Name, maxName) + " = " + plain(s.Value, maxName)
	}
	return seenPlan{name, who, quote(p.Text, maxPlan)}
}

// unplanned names the queries without plan, of those that got slower or cost most.
func (l layout) unplanned(s *Server) (rows []unplannedRow) {
	for _, p := range s.Unplanned[:min(maxUnplanned, len(s.Unplanned))] {
		rows = append(rows, unplannedRow{
			Title: queryOf(s.Queries[p.Fingerprint], p.Fingerprint).Name, Place: l.place(s.Info.Server.Target, s.Databases[p.DBID]),
			Why: plain(p.Refused.Text, maxSentence), Remedy: plain(p.Refused.Remedy, maxSentence),
		})
	}
	return rows
}
