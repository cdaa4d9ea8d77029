package analyzer

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// History is what the analyzer needs of the store.
type History interface {
	Servers(ctx context.Context) ([]pgvigil.ServerInfo, error)
	EachPass(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window, each func(pgvigil.Recorded) error) error
	Queries(ctx context.Context, list []pgvigil.Fingerprint) (map[pgvigil.Fingerprint]pgvigil.Query, error)
	Catalog(ctx context.Context, server pgvigil.ServerID) ([]pgvigil.DatabaseRead, error)
	Settings(ctx context.Context, server pgvigil.ServerID) ([]pgvigil.Setting, error)
	Relations(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.RelationSeries, error)
	DatabasePoints(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.DatabasePoint, error)
	ServerPoints(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.ServerPoint, error)
	Sessions(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.SessionSample, error)
	Waits(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) (pgvigil.Waits, error)
	Events(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.Event, error)
	Coverage(ctx context.Context, server pgvigil.ServerID, w pgvigil.Window) (pgvigil.Coverage, error)
	Alerts(ctx context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error)
	SaveAlert(ctx context.Context, a *pgvigil.Alert) error
}

// Options are what an Analyzer needs of its surroundings. There is none that
// changes what it says.
type Options struct {
	Now func() time.Time
	Log *slog.Logger
}

// Analyzer judges the servers of a history. It is safe for concurrent use;
// passes of one server come in order of time.
type Analyzer struct {
	history History
	now     func() time.Time
	log     *slog.Logger

	mu      sync.Mutex
	fleet   *change.Fleet
	servers map[pgvigil.ServerID]*server
}

// New returns an analyzer that reads and saves in h.
func New(h History, o Options) *Analyzer {
	a := &Analyzer{history: h, now: o.Now, log: o.Log, fleet: change.NewFleet(), servers: map[pgvigil.ServerID]*server{}}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	return a
}

// Observe judges what one pass brought and returns the alerts that changed by
// it, saved. The first pass of a server that has a history replays it before.
// Samples with impossible numbers are left out and logged.
func (a *Analyzer) Observe(ctx context.Context, rec pgvigil.Recorded) ([]pgvigil.Alert, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.servers[rec.Server]
	if s == nil {
		var err error
		if s, err = a.replay(ctx, rec.Server, rec.At); err != nil {
			return nil, err
		}
	}
	return a.observe(ctx, s, rec)
}

// Replay rebuilds the state of one server from its history before until, as
// after a restart. Alerts that are live in the history go on.
func (a *Analyzer) Replay(ctx context.Context, id pgvigil.ServerID, until time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := a.replay(ctx, id, until)
	return err
}

// replaySpan is how far back a baseline reaches, and a day; what is older
// changes no judgement. Live alerts come from the history whatever their age.
const replaySpan = 15 * 24 * time.Hour

func (a *Analyzer) replay(ctx context.Context, id pgvigil.ServerID, until time.Time) (*server, error) {
	s := newServer(id, a.fleet)
	if err := s.load(ctx, a.history); err != nil {
		return nil, fmt.Errorf("replay server %d: %w", id, err)
	}
	s.replaying = true
	err := a.history.EachPass(ctx, id, pgvigil.Window{From: until.Add(-replaySpan), To: until}, func(rec pgvigil.Recorded) error {
		if !rec.At.Before(until) {
			return nil
		}
		verdicts, _, err := s.judge(ctx, a.history, rec)
		for _, v := range verdicts {
			s.recall(v)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("replay server %d: %w", id, err)
	}
	s.replaying, s.ahead, s.replayed = false, nil, true
	a.servers[id] = s
	return s, nil
}

func (a *Analyzer) observe(ctx context.Context, s *server, rec pgvigil.Recorded) ([]pgvigil.Alert, error) {
	verdicts, garbage, err := s.judge(ctx, a.history, rec)
	if err != nil {
		return nil, fmt.Errorf("judge pass %d: %w", rec.Pass, err)
	}
	if garbage != nil {
		a.log.Warn("samples left out", "target", s.target, "error", garbage)
	}
	b := &book{Analyzer: a, s: s, rec: rec}
	if err := b.endSilences(ctx); err != nil {
		return nil, fmt.Errorf("end silences in pass %d: %w", rec.Pass, err)
	}
	if err := b.incidents(ctx); err != nil {
		return nil, fmt.Errorf("look for incidents in pass %d: %w", rec.Pass, err)
	}
	for _, v := range verdicts {
		if err := b.enter(ctx, v); err != nil {
			return nil, fmt.Errorf("keep alert of pass %d: %w", rec.Pass, err)
		}
	}
	if err := b.reconcile(ctx); err != nil {
		return nil, fmt.Errorf("keep alert of pass %d: %w", rec.Pass, err)
	}
	if err := b.release(ctx); err != nil {
		return nil, fmt.Errorf("keep alert of pass %d: %w", rec.Pass, err)
	}
	if err := b.heapOnly(ctx, s.fresh); err != nil {
		return nil, fmt.Errorf("follow updates in pass %d: %w", rec.Pass, err)
	}
	if err := b.reconsider(ctx); err != nil {
		return nil, fmt.Errorf("name causes in pass %d: %w", rec.Pass, err)
	}
	return b.changed, nil
}

// Suspects returns the shifts of one server that are looked into and not
// convicted, the oldest first: shown, never sent. They are not saved. A server
// that was not observed yet is replayed.
func (a *Analyzer) Suspects(ctx context.Context, id pgvigil.ServerID) ([]pgvigil.Alert, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.servers[id]
	if s == nil {
		var err error
		if s, err = a.replay(ctx, id, a.now()); err != nil {
			return nil, err
		}
	}
	var out []pgvigil.Alert
	for _, v := range s.suspects {
		out = append(out, pgvigil.Alert{
			Target: s.target, Database: s.databases[v.Series.DBID], State: pgvigil.Suspected, Severity: severity(v),
			Verdict: regression(v), Query: s.queries[v.Series.Fingerprint], Opened: v.At, Updated: v.At,
		})
	}
	slices.SortFunc(out, func(a, b pgvigil.Alert) int {
		x, y := a.Verdict, b.Verdict
		return cmp.Or(x.Onset.Compare(y.Onset), cmp.Compare(x.Series.DBID, y.Series.DBID), cmp.Compare(x.Series.Fingerprint, y.Series.Fingerprint))
	})
	return out, nil
}
