package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/store"
)

// Plans are wanted of what got slower, at once, and of the dearest queries of a
// day, daily. The dearest are looked up hourly: it takes adding up a day.
const (
	planTop     = 20
	planDaily   = 24 * time.Hour
	planLookUp  = time.Hour
	planUrgency = 7 * 24 * time.Hour // how old an alert may be
)

// planner chooses the queries of a server whose plans are wanted.
type planner struct {
	history store.History
	now     func() time.Time

	mu  sync.Mutex
	top map[pgvigil.ServerID]dearest
}

// dearest are the series of a server that cost most, looked up at a time.
type dearest struct {
	at     time.Time
	series []pgvigil.SeriesKey
}

// wishes returns the queries whose plans are wanted, the most urgent first.
func (p *planner) wishes(ctx context.Context, s pgvigil.Server) ([]collector.PlanWish, error) {
	id, err := serverID(ctx, p.history, s)
	if err != nil || id == 0 {
		return nil, err
	}
	now := p.now()
	since := map[pgvigil.SeriesKey]time.Time{}
	var order []pgvigil.SeriesKey
	want := func(key pgvigil.SeriesKey, at time.Time) {
		if _, ok := since[key]; !ok && key.Fingerprint != 0 && key.DBID != 0 {
			since[key] = at
			order = append(order, key)
		}
	}
	alerts, err := p.history.Alerts(ctx, pgvigil.AlertFilter{Server: id, Live: true})
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		slower := a.Verdict.Kind == pgvigil.KindRegression || a.Verdict.Kind == pgvigil.KindNew
		if slower && now.Sub(a.Opened) < planUrgency {
			want(a.Verdict.Series, later(a.Opened, now.Add(-planDaily)))
		}
	}
	top, err := p.dearest(ctx, id, now)
	if err != nil {
		return nil, err
	}
	for _, key := range top {
		want(key, now.Add(-planDaily))
	}
	return p.describe(ctx, id, order, since)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// serverID finds a server in the history, 0 if it is not there yet.
func serverID(ctx context.Context, h store.History, s pgvigil.Server) (pgvigil.ServerID, error) {
	servers, err := h.Servers(ctx)
	if err != nil {
		return 0, err
	}
	for _, i := range servers {
		if i.Server.Target == s.Target && i.Server.SystemID == s.SystemID {
			return i.ID, nil
		}
	}
	return 0, nil
}

func (p *planner) dearest(ctx context.Context, id pgvigil.ServerID, now time.Time) ([]pgvigil.SeriesKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, ok := p.top[id]
	if ok && now.Sub(last.at) < planLookUp && len(last.series) > 0 {
		return last.series, nil
	}
	loads, err := p.history.Loads(ctx, id, pgvigil.Window{From: now.Add(-planDaily), To: now.Add(time.Hour)}, 2*planTop)
	if err != nil {
		return nil, err
	}
	last = dearest{at: now}
	for _, l := range loads {
		last.series = append(last.series, l.Series)
	}
	p.top[id] = last
	return last.series, nil
}

// describe fills in texts and roles, and leaves out what pgvigil itself sends
// and what has no text yet.
func (p *planner) describe(ctx context.Context, id pgvigil.ServerID, order []pgvigil.SeriesKey, since map[pgvigil.SeriesKey]time.Time) ([]collector.PlanWish, error) {
	var fps []pgvigil.Fingerprint
	for _, key := range order {
		fps = append(fps, key.Fingerprint)
	}
	queries, err := p.history.Queries(ctx, fps)
	if err != nil {
		return nil, err
	}
	users, err := p.history.Users(ctx, id, fps)
	if err != nil {
		return nil, err
	}
	var list []collector.PlanWish
	for _, key := range order {
		q := queries[key.Fingerprint]
		explains := slices.Contains([]string{"select", "insert", "update", "delete", "merge"}, q.Verb)
		if q.Text == "" || q.Own() || !explains || len(list) == 2*planTop {
			continue
		}
		list = append(list, collector.PlanWish{DBID: key.DBID, Query: q, Users: users[key], Since: since[key]})
	}
	return list, nil
}
