package analyzer

import (
	"context"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// memory is a History that a test fills.
type memory struct {
	waits     pgvigil.Waits
	target    string
	passes    []pgvigil.Recorded
	queries   map[pgvigil.Fingerprint]pgvigil.Query
	catalog   []pgvigil.DatabaseRead
	settings  []pgvigil.Setting
	relations []pgvigil.RelationSeries
	databases []pgvigil.DatabasePoint
	points    []pgvigil.ServerPoint
	sessions  []pgvigil.SessionSample
	events    []pgvigil.Event
	alerts    []pgvigil.Alert
	coverage  pgvigil.Coverage
}

func in(w pgvigil.Window, t time.Time) bool {
	return (w.From.IsZero() || !t.Before(w.From)) && (w.To.IsZero() || t.Before(w.To))
}

func (m *memory) Servers(context.Context) ([]pgvigil.ServerInfo, error) {
	return []pgvigil.ServerInfo{{ID: 1, Server: pgvigil.Server{Target: m.target}}}, nil
}

func (m *memory) EachPass(_ context.Context, _ pgvigil.ServerID, w pgvigil.Window, each func(pgvigil.Recorded) error) error {
	for _, p := range m.passes {
		if in(w, p.At) {
			if err := each(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Queries(_ context.Context, list []pgvigil.Fingerprint) (map[pgvigil.Fingerprint]pgvigil.Query, error) {
	out := map[pgvigil.Fingerprint]pgvigil.Query{}
	for _, f := range list {
		if q, ok := m.queries[f]; ok {
			out[f] = q
		}
	}
	return out, nil
}

func (m *memory) Catalog(context.Context, pgvigil.ServerID) ([]pgvigil.DatabaseRead, error) {
	return m.catalog, nil
}

func (m *memory) Settings(context.Context, pgvigil.ServerID) ([]pgvigil.Setting, error) {
	return m.settings, nil
}

func (m *memory) Relations(_ context.Context, _ pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.RelationSeries, error) {
	var out []pgvigil.RelationSeries
	for _, r := range m.relations {
		r.Intervals = slices.DeleteFunc(slices.Clone(r.Intervals), func(i pgvigil.RelationInterval) bool { return !in(w, i.Start) })
		out = append(out, r)
	}
	return out, nil
}

func (m *memory) DatabasePoints(_ context.Context, _ pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.DatabasePoint, error) {
	return slices.DeleteFunc(slices.Clone(m.databases), func(p pgvigil.DatabasePoint) bool { return !in(w, p.Start) }), nil
}

func (m *memory) ServerPoints(_ context.Context, _ pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.ServerPoint, error) {
	return slices.DeleteFunc(slices.Clone(m.points), func(p pgvigil.ServerPoint) bool { return !in(w, p.End) }), nil
}

func (m *memory) Sessions(_ context.Context, _ pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.SessionSample, error) {
	return slices.DeleteFunc(slices.Clone(m.sessions), func(s pgvigil.SessionSample) bool { return !in(w, s.At) }), nil
}

func (m *memory) Waits(context.Context, pgvigil.ServerID, pgvigil.Window) (pgvigil.Waits, error) {
	return m.waits, nil
}

func (m *memory) Events(_ context.Context, _ pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Event, error) {
	return slices.DeleteFunc(slices.Clone(m.events), func(e pgvigil.Event) bool { return !in(w, e.At) }), nil
}

func (m *memory) Coverage(context.Context, pgvigil.ServerID, pgvigil.Window) (pgvigil.Coverage, error) {
	return m.coverage, nil
}

func (m *memory) Alerts(_ context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error) {
	var out []pgvigil.Alert
	for _, a := range m.alerts {
		if (f.ID == 0 || a.ID == f.ID) && (!f.Live || a.State.Live()) {
			a.History = slices.Clone(a.History)
			out = append(out, a)
		}
	}
	return out, nil
}

func (m *memory) SaveAlert(_ context.Context, a *pgvigil.Alert) error {
	if a.ID == 0 {
		a.ID = int64(len(m.alerts) + 1)
		m.alerts = append(m.alerts, *a)
		return nil
	}
	m.alerts[a.ID-1] = *a
	return nil
}
