package reports

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// topLoads is how many series the table of loads shows.
const topLoads = 20

// allLoads asks for every series of a server that matters.
const allLoads = 10_000

// Gather reads what h knows of the range. An unknown target is an error with
// a hint; a history without passes in the window is an empty report.
func Gather(ctx context.Context, h History, r Range) (*Report, error) {
	r = r.settle()
	servers, err := h.Servers(ctx)
	if err != nil {
		return nil, fmt.Errorf("read servers: %w", err)
	}
	report := &Report{Title: r.Title, Version: r.Version, Target: r.Target, Generated: r.Now.UTC(), Window: r.Window}
	for _, info := range servers {
		if r.Target != "" && info.Server.Target != r.Target {
			continue
		}
		g := gatherer{history: h, window: r.Window, server: Server{Info: info}}
		if err := g.gather(ctx); err != nil {
			return nil, fmt.Errorf("gather report of %s: %w", info.Server.Target, err)
		}
		report.Servers = append(report.Servers, g.server)
	}
	if r.Target != "" && len(report.Servers) == 0 {
		return nil, &pgvigil.Hint{
			Err:    fmt.Errorf("gather report: the history knows no target %q", r.Target),
			Advice: "take a pass first: pgvigil collect",
		}
	}
	return report, nil
}

// gatherer fills in one server's part.
type gatherer struct {
	history History
	window  pgvigil.Window
	server  Server

	catalog   []pgvigil.DatabaseRead
	relations []pgvigil.RelationSeries
	alerts    []pgvigil.Alert
}

func (g *gatherer) gather(ctx context.Context) error {
	steps := []struct {
		what string
		read func(context.Context) error
	}{
		{"catalog", g.readCatalog},
		{"coverage", g.readCoverage},
		{"events", g.readEvents},
		{"alerts", g.readAlerts},
		{"loads", g.readLoads},
		{"proposals", g.readProposals},
		{"plans", g.readPlans},
		{"queries", g.readQueries},
		{"sizes", g.readSizes},
		{"outlook", g.readOutlook},
	}
	for _, s := range steps {
		if err := s.read(ctx); err != nil {
			return fmt.Errorf("read %s: %w", s.what, err)
		}
	}
	return nil
}

func (g *gatherer) id() pgvigil.ServerID { return g.server.Info.ID }

func (g *gatherer) readCatalog(ctx context.Context) (err error) {
	if g.catalog, err = g.history.Catalog(ctx, g.id()); err != nil {
		return err
	}
	g.server.Databases = make(map[pgvigil.OID]string)
	for _, db := range g.catalog {
		g.server.Databases[db.OID] = db.Name
	}
	g.server.Settings, err = g.history.Settings(ctx, g.id())
	return err
}

func (g *gatherer) readCoverage(ctx context.Context) (err error) {
	if g.server.Coverage, err = g.history.Coverage(ctx, g.id(), g.window); err != nil {
		return err
	}
	g.server.Resets, err = g.history.Incarnations(ctx, g.id(), g.window)
	g.server.Resets = slices.DeleteFunc(g.server.Resets, func(in pgvigil.Incarnation) bool {
		return in.Proof == pgvigil.FirstRead || in.Seen.Before(g.window.From)
	})
	return err
}

func (g *gatherer) readEvents(ctx context.Context) (err error) {
	g.server.Events, err = g.history.Events(ctx, g.id(), g.window)
	return err
}

// readAlerts takes the alerts of the window and those from before it that
// still concern somebody.
func (g *gatherer) readAlerts(ctx context.Context) error {
	within, err := g.history.Alerts(ctx, pgvigil.AlertFilter{Server: g.id(), Window: g.window})
	if err != nil {
		return err
	}
	live, err := g.history.Alerts(ctx, pgvigil.AlertFilter{Server: g.id(), Live: true})
	if err != nil {
		return err
	}
	for _, a := range append(within, live...) {
		known := slices.ContainsFunc(g.alerts, func(b pgvigil.Alert) bool { return b.ID == a.ID })
		if !known && a.Opened.Before(g.window.To) {
			g.alerts = append(g.alerts, a)
		}
	}
	slices.SortStableFunc(g.alerts, urgency)
	for _, a := range g.alerts {
		if err := g.sortIn(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// sortIn puts an alert where the report shows it.
func (g *gatherer) sortIn(ctx context.Context, a pgvigil.Alert) error {
	switch {
	case a.State == pgvigil.Suspected:
		g.server.Noticed = append(g.server.Noticed, a)
	case a.Verdict.Kind == pgvigil.KindIncident:
		g.server.Incidents = append(g.server.Incidents, a)
	case a.Verdict.Kind == pgvigil.KindRegression:
		trend, err := g.trend(ctx, a.Verdict.Series, g.around(a.Verdict.Onset), trendSteps)
		if err != nil {
			return err
		}
		g.server.Slower = append(g.server.Slower, Slower{Alert: a, Trend: trend})
	default:
		g.server.Noticed = append(g.server.Noticed, a)
	}
	return nil
}

// around is the window, with as much before the onset as after it.
func (g *gatherer) around(onset time.Time) pgvigil.Window {
	w := g.window
	if onset.IsZero() {
		return w
	}
	if from := onset.Add(-w.To.Sub(onset)); from.Before(w.From) {
		w.From = from
	}
	if seen := g.server.Info.FirstSeen; w.From.Before(seen) && seen.Before(w.To) {
		w.From = seen
	}
	return w
}

// trend reads one series and keeps its steps only: a week of minutes would be
// 3 MB for each.
func (g *gatherer) trend(ctx context.Context, key pgvigil.SeriesKey, w pgvigil.Window, n int) (Trend, error) {
	list, err := g.history.Series(ctx, pgvigil.SeriesFilter{
		Server: g.id(), Database: key.DBID, Fingerprints: []pgvigil.Fingerprint{key.Fingerprint}, Window: w,
	})
	if err != nil {
		return Trend{}, err
	}
	for _, s := range list {
		if s.Key.DBID == key.DBID && s.Key.Fingerprint == key.Fingerprint {
			return trendOf(s.Points, w, n), nil
		}
	}
	return Trend{From: w.From}, nil
}

func (g *gatherer) readProposals(ctx context.Context) error {
	all, err := g.history.Proposals(ctx, pgvigil.ProposalFilter{Server: g.id()})
	if err != nil {
		return err
	}
	for _, p := range all {
		if g.concerns(p) {
			g.server.Proposals = append(g.server.Proposals, p)
		}
	}
	slices.SortStableFunc(g.server.Proposals, byWorth)
	return nil
}

// concerns says whether a proposal was drafted or measured in the window,
// waits for somebody, or answers an alert that the report shows.
func (g *gatherer) concerns(p pgvigil.Proposal) bool {
	if !p.Drafted.Before(g.window.To) {
		return false
	}
	if !p.Drafted.Before(g.window.From) || p.State == pgvigil.Drafted || p.State == pgvigil.Accepted {
		return true
	}
	if p.Outcome != nil && p.Outcome.To.After(g.window.From) {
		return true
	}
	return slices.ContainsFunc(g.alerts, func(a pgvigil.Alert) bool { return p.Alert != 0 && a.ID == p.Alert })
}

// readQueries describes every fingerprint that was named so far.
func (g *gatherer) readQueries(ctx context.Context) (err error) {
	named := make(map[pgvigil.Fingerprint]bool)
	for _, l := range g.server.Loads {
		named[l.Series.Fingerprint] = true
	}
	for _, a := range g.alerts {
		named[a.Verdict.Series.Fingerprint] = true
		for _, f := range a.Verdict.Queries {
			named[f] = true
		}
	}
	for _, p := range g.server.Proposals {
		for _, q := range p.Evidence.Queries {
			named[q.Fingerprint] = true
		}
	}
	delete(named, 0)
	list := make([]pgvigil.Fingerprint, 0, len(named))
	for f := range named {
		list = append(list, f)
	}
	slices.Sort(list)
	if len(list) == 0 {
		return nil
	}
	g.server.Queries, err = g.history.Queries(ctx, list)
	return err
}

// watchedSpan is the part of a window between a server's first and last pass.
func watchedSpan(i pgvigil.ServerInfo, w pgvigil.Window) span {
	s := span{w.From, w.To}
	if i.FirstSeen.After(s.first) {
		s.first = i.FirstSeen
	}
	if i.LastSeen.Before(s.last) {
		s.last = i.LastSeen
	}
	return s
}

func (g *gatherer) readSizes(ctx context.Context) (err error) {
	if g.relations, err = g.history.Relations(ctx, g.id(), g.window); err != nil {
		return err
	}
	page, seen := blockSize(g.server.Settings), watchedSpan(g.server.Info, g.window)
	inView, err := g.comeIntoView(ctx, seen.first)
	if err != nil {
		return err
	}
	g.server.Grown = growth(sized{g.catalog, g.relations, g.server.Events, seen, page, inView})
	g.server.Bloated = bloated(g.catalog, page)
	return nil
}
