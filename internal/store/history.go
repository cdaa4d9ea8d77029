package store

import (
	"context"
	"time"

	"github.com/pgvigil/pgvigil"
)

// History is the history in the words of the project. All methods may be
// called concurrently. A window selects what ended within it: intervals and
// passes by their end, events and samples by their time, alerts that lived in it.
type History interface {
	// Record compares a snapshot with the last one of its server and keeps what
	// happened in between, in one transaction: after an error the history is as
	// it was. Recording the last snapshot once more changes nothing and returns
	// the same; an older one is refused with ErrOlder.
	Record(ctx context.Context, s *pgvigil.Snapshot) (pgvigil.Recorded, error)
	// RecordFailure notes that a pass over target failed at a time by our clock.
	RecordFailure(ctx context.Context, target string, at time.Time, reason string) error
	// KnownTexts returns the statements of a server that have a description,
	// each with the version of the algorithm that made it. It is empty for a
	// server that was never recorded.
	KnownTexts(ctx context.Context, s pgvigil.Server) (map[pgvigil.StatementKey]int, error)
	// Relabel gives describe every query that an algorithm below the given one
	// made, in its stored normal form, and labels its statements with the answer.
	// It returns how many queries changed.
	Relabel(ctx context.Context, algorithm int, describe func(pgvigil.Query) pgvigil.Query) (int, error)

	Servers(ctx context.Context) ([]pgvigil.ServerInfo, error)
	// EachPass replays the passes of a window in order. An error of f ends it
	// and is returned. f may use the history.
	EachPass(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window, f func(pgvigil.Recorded) error) error
	Series(ctx context.Context, f pgvigil.SeriesFilter) ([]pgvigil.Series, error)
	// Loads returns the dearest series of a window by execution and planning time.
	Loads(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window, limit int) ([]pgvigil.LoadShare, error)
	// Queries returns what is known of fingerprints; unknown ones are absent,
	// those made from a query id have Method ByQueryID and no text.
	Queries(ctx context.Context, fps []pgvigil.Fingerprint) (map[pgvigil.Fingerprint]pgvigil.Query, error)
	// Catalog returns each database as of the last pass that visited it, with
	// the statistics of the last pass.
	Catalog(ctx context.Context, id pgvigil.ServerID) ([]pgvigil.DatabaseRead, error)
	Settings(ctx context.Context, id pgvigil.ServerID) ([]pgvigil.Setting, error)
	Relations(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.RelationSeries, error)
	DatabasePoints(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.DatabasePoint, error)
	// ServerPoints returns what a server did as a whole, and how it stood, pass by pass.
	ServerPoints(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.ServerPoint, error)
	Sessions(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.SessionSample, error)
	// Waits returns what was sampled in the minutes that overlap a window, added
	// up over the passes that share one, under today's fingerprints.
	Waits(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) (pgvigil.Waits, error)
	Coverage(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) (pgvigil.Coverage, error)

	// Plans returns the plans that were seen in a window, and why there are none,
	// those first seen first.
	Plans(ctx context.Context, f pgvigil.PlanFilter) ([]pgvigil.Plan, error)
	// Users returns the roles that run queries, by series.
	Users(ctx context.Context, id pgvigil.ServerID, fps []pgvigil.Fingerprint) (map[pgvigil.SeriesKey][]pgvigil.OID, error)

	// Incarnations returns the lives of counters that passes of a window saw
	// begin: resets, restarts that lost them, and the first read.
	Incarnations(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Incarnation, error)
	Events(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Event, error)
	// AddEvent keeps an event and returns its id.
	AddEvent(ctx context.Context, e pgvigil.Event) (int64, error)
	// SaveAlert keeps an alert; one with ID 0 is new and gets its ID.
	SaveAlert(ctx context.Context, a *pgvigil.Alert) error
	// Alerts returns alerts, those opened last first.
	Alerts(ctx context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error)
	// SaveProposal keeps a proposal; one with ID 0 is new and gets its ID.
	SaveProposal(ctx context.Context, p *pgvigil.Proposal) error
	// Proposals returns proposals, those drafted last first, and those of one
	// moment in the order that they were saved in.
	Proposals(ctx context.Context, f pgvigil.ProposalFilter) ([]pgvigil.Proposal, error)
	// SaveState remembers a stage's own notes on a server; nil forgets them.
	SaveState(ctx context.Context, id pgvigil.ServerID, name string, blob []byte) error
	// State returns what SaveState kept, nil if nothing.
	State(ctx context.Context, id pgvigil.ServerID, name string) ([]byte, error)

	// Check looks for what must never be: negative counters, intervals that
	// overlap or belong to nothing.
	Check(ctx context.Context) (pgvigil.HistoryCheck, error)
	// Compact rewrites closed intervals in the order of their statements, drops
	// what is older than the history is kept, and gives space back.
	Compact(ctx context.Context) error
	Close() error
}

var _ History = (*SQL)(nil)
