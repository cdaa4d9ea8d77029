package outlook

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// History is what an outlook needs of the store.
type History interface {
	Catalog(ctx context.Context, server pgvigil.ServerID) ([]pgvigil.DatabaseRead, error)
	Settings(ctx context.Context, server pgvigil.ServerID) ([]pgvigil.Setting, error)
	ServerPoints(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.ServerPoint, error)
	DatabasePoints(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.DatabasePoint, error)
}

// Facts are what the rules judge. Points are in order of time.
type Facts struct {
	Points    []pgvigil.ServerPoint
	Databases []pgvigil.DatabasePoint
	Catalog   []pgvigil.DatabaseRead
	Settings  []pgvigil.Setting
}

// Read reads the facts of one server in a window.
func Read(ctx context.Context, h History, id pgvigil.ServerID, w pgvigil.Window) (f Facts, err error) {
	if f.Points, err = h.ServerPoints(ctx, id, w); err != nil {
		return f, fmt.Errorf("read what the server did: %w", err)
	}
	if f.Databases, err = h.DatabasePoints(ctx, id, w); err != nil {
		return f, fmt.Errorf("read database counters: %w", err)
	}
	if f.Catalog, err = h.Catalog(ctx, id); err != nil {
		return f, fmt.Errorf("read the catalog: %w", err)
	}
	if f.Settings, err = h.Settings(ctx, id); err != nil {
		return f, fmt.Errorf("read settings: %w", err)
	}
	return f, nil
}

// rules are all that is looked for. Adding one is adding a line.
var rules = []func(*judge){
	(*judge).sequences,
	(*judge).xids,
	(*judge).multixacts,
	(*judge).slots,
	(*judge).holders,
	(*judge).workers,
	(*judge).vacuums,
	(*judge).connections,
	(*judge).lag,
	(*judge).invalidIndexes,
	(*judge).unvalidated,
	(*judge).restarts,
}

// judge applies the rules to the facts.
type judge struct {
	Facts
	last  pgvigil.ServerPoint // the newest
	risks []pgvigil.Risk
}

// Of returns the outlook that the facts give. Without a pass it is empty.
func Of(f Facts) pgvigil.Outlook {
	if len(f.Points) == 0 {
		return pgvigil.Outlook{}
	}
	j := &judge{Facts: f, last: f.Points[len(f.Points)-1]}
	for _, rule := range rules {
		rule(j)
	}
	slices.SortStableFunc(j.risks, urgency)
	counters, seconds := Sum(f.Points)
	return pgvigil.Outlook{At: j.last.End, Risks: j.risks, State: j.last.State, Counters: counters, Seconds: seconds}
}

// Sum adds up what a server did in some points, and over how many seconds. A
// metric that a point does not know is left out of the sum.
func Sum(points []pgvigil.ServerPoint) (pgvigil.ServerCounters, float64) {
	all, seconds := pgvigil.ServerCounters{}, 0.0
	for i := range points {
		for m, v := range points[i].Counters {
			all[m] += v
		}
		if len(points[i].Counters) > 0 {
			seconds += points[i].End.Sub(points[i].Start).Seconds()
		}
	}
	return all, seconds
}

// urgency orders risks: by severity, then by the time left, then as found.
func urgency(a, b pgvigil.Risk) int {
	rank := map[pgvigil.Severity]int{pgvigil.Page: 0, pgvigil.Ticket: 1, pgvigil.ReportOnly: 2}
	left := func(r pgvigil.Risk) float64 {
		if math.IsNaN(r.LeftSeconds) {
			return math.Inf(1)
		}
		return r.LeftSeconds
	}
	return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(left(a), left(b)))
}

// add takes a risk; unknown numbers are NaN unless said.
func (j *judge) add(r pgvigil.Risk) {
	if r.Used == 0 {
		r.Used = math.NaN()
	}
	if r.LeftSeconds == 0 {
		r.LeftSeconds = math.NaN()
	}
	j.risks = append(j.risks, r)
}

// database names a database of the catalog.
func (j *judge) database(oid pgvigil.OID) string {
	for i := range j.Catalog {
		if j.Catalog[i].OID == oid {
			return j.Catalog[i].Name
		}
	}
	return ""
}

const (
	hour = 3600.0
	day  = 24 * hour
)
