package reports

import (
	"context"
	"time"

	"github.com/pgvigil/pgvigil"
)

// History is what a report needs of the store.
type History interface {
	Servers(ctx context.Context) ([]pgvigil.ServerInfo, error)
	Loads(ctx context.Context, s pgvigil.ServerID, w pgvigil.Window, limit int) ([]pgvigil.LoadShare, error)
	Series(ctx context.Context, f pgvigil.SeriesFilter) ([]pgvigil.Series, error)
	Queries(ctx context.Context, list []pgvigil.Fingerprint) (map[pgvigil.Fingerprint]pgvigil.Query, error)
	Alerts(ctx context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error)
	Proposals(ctx context.Context, f pgvigil.ProposalFilter) ([]pgvigil.Proposal, error)
	Events(ctx context.Context, s pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Event, error)
	Plans(ctx context.Context, f pgvigil.PlanFilter) ([]pgvigil.Plan, error)
	Incarnations(ctx context.Context, s pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Incarnation, error)
	Coverage(ctx context.Context, s pgvigil.ServerID, w pgvigil.Window) (pgvigil.Coverage, error)
	Relations(ctx context.Context, s pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.RelationSeries, error)
	ServerPoints(ctx context.Context, s pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.ServerPoint, error)
	DatabasePoints(ctx context.Context, s pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.DatabasePoint, error)
	Catalog(ctx context.Context, s pgvigil.ServerID) ([]pgvigil.DatabaseRead, error)
	Settings(ctx context.Context, s pgvigil.ServerID) ([]pgvigil.Setting, error)
}

// Range says what a report is about.
type Range struct {
	// Window is the span of time. Without an end it ends now; without a start
	// it starts a week before its end.
	Window pgvigil.Window
	// Target names the one target to report on; "" is all of them.
	Target string
	// Title stands over the report; "" makes one from the target.
	Title string
	// Now is the time of writing, from the caller's clock.
	Now time.Time
	// Version is pgvigil's own, for the footer.
	Version string
}

// week is the span of a report that names none.
const week = 7 * day

// settle fills in what r leaves open.
func (r Range) settle() Range {
	if r.Window.To.IsZero() {
		r.Window.To = r.Now
	}
	if r.Window.From.IsZero() {
		r.Window.From = r.Window.To.Add(-week)
	}
	r.Window.From, r.Window.To = r.Window.From.UTC(), r.Window.To.UTC()
	if r.Title != "" {
		return r
	}
	r.Title = "Postgres report"
	if r.Target != "" {
		r.Title += " of " + r.Target
	}
	return r
}
