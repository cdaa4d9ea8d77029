package reports

import (
	"context"
	"slices"

	"github.com/pgvigil/pgvigil"
)

func (m *memory) Servers(context.Context) ([]pgvigil.ServerInfo, error) { return m.servers, nil }

func (m *memory) Loads(_ context.Context, _ pgvigil.ServerID, w pgvigil.Window, limit int) ([]pgvigil.LoadShare, error) {
	list := m.loads
	if !w.To.After(monday) {
		list = m.previous
	}
	return list[:min(limit, len(list))], nil
}

func (m *memory) Series(_ context.Context, f pgvigil.SeriesFilter) ([]pgvigil.Series, error) {
	var list []pgvigil.Series
	for _, s := range m.series {
		if s.Key.DBID != f.Database || s.Key.Fingerprint != f.Fingerprints[0] {
			continue
		}
		cut := pgvigil.Series{Key: s.Key}
		for _, p := range s.Points {
			if !p.Start.Before(f.Window.From) && p.Start.Before(f.Window.To) {
				cut.Points = append(cut.Points, p)
			}
		}
		list = append(list, cut)
	}
	return list, nil
}

func (m *memory) Queries(_ context.Context, list []pgvigil.Fingerprint) (map[pgvigil.Fingerprint]pgvigil.Query, error) {
	found := make(map[pgvigil.Fingerprint]pgvigil.Query)
	for _, f := range list {
		if q, ok := m.queries[f]; ok {
			found[f] = q
		}
	}
	return found, nil
}

func (m *memory) Alerts(_ context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error) {
	var list []pgvigil.Alert
	for _, a := range m.alerts {
		gone := !a.Closed.IsZero() && a.Closed.Before(f.Window.From)
		if f.Live && !a.State.Live() || gone || !f.Window.To.IsZero() && !a.Opened.Before(f.Window.To) {
			continue
		}
		list = append(list, a)
	}
	return list, nil
}

func (m *memory) Proposals(context.Context, pgvigil.ProposalFilter) ([]pgvigil.Proposal, error) {
	return m.proposals, nil
}

func (m *memory) Events(context.Context, pgvigil.ServerID, pgvigil.Window) ([]pgvigil.Event, error) {
	return m.events, nil
}

func (m *memory) Coverage(context.Context, pgvigil.ServerID, pgvigil.Window) (pgvigil.Coverage, error) {
	return m.coverage, nil
}

func (m *memory) Incarnations(context.Context, pgvigil.ServerID, pgvigil.Window) ([]pgvigil.Incarnation, error) {
	return slices.Clone(m.resets), nil
}

func (m *memory) Relations(context.Context, pgvigil.ServerID, pgvigil.Window) ([]pgvigil.RelationSeries, error) {
	return m.relations, nil
}

func (m *memory) DatabasePoints(_ context.Context, _ pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.DatabasePoint, error) {
	return slices.DeleteFunc(slices.Clone(m.points), func(p pgvigil.DatabasePoint) bool {
		return p.End.Before(w.From) || !p.End.Before(w.To)
	}), nil
}

func (m *memory) ServerPoints(context.Context, pgvigil.ServerID, pgvigil.Window) ([]pgvigil.ServerPoint, error) {
	return m.course, nil
}

func (m *memory) Catalog(context.Context, pgvigil.ServerID) ([]pgvigil.DatabaseRead, error) {
	return m.catalog, nil
}

func (m *memory) Plans(context.Context, pgvigil.PlanFilter) ([]pgvigil.Plan, error) {
	return m.plans, nil
}

func (m *memory) Settings(context.Context, pgvigil.ServerID) ([]pgvigil.Setting, error) {
	return m.settings, nil
}
