package analyzer

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/outlook"
)

// serverMove is what the server as a whole, and the database of a series, did
// before and after the onset.
type serverMove struct {
	before, after span
	settings      []pgvigil.Setting
	database      string // of the series, "" if it has none
	// since are the states from a little before the onset on, oldest first.
	since []pgvigil.ServerState
}

// span is some time with what the server and one database did in it.
type span struct {
	counters        pgvigil.ServerCounters
	seconds         float64
	deadlocks       float64
	rollbacks       float64
	transactions    float64
	databaseSeconds float64
}

// perSecond returns the rate of a metric, NaN if it is not known.
func (s span) perSecond(m pgvigil.ServerMetric) float64 {
	v, ok := s.counters[m]
	if !ok || s.seconds <= 0 {
		return math.NaN()
	}
	return v / s.seconds
}

// perHour returns a number of the span by the hour.
func (s span) perHour(n float64) float64 { return 3600 * n / max(1, s.databaseSeconds) }

// perByteRead is a metric over the bytes read, NaN if either is unknown or none
// were read.
func (s span) perByteRead(m pgvigil.ServerMetric) float64 {
	if !s.counters.Has(m, pgvigil.IOReadBytes) || s.counters[pgvigil.IOReadBytes] <= 0 {
		return math.NaN()
	}
	return s.counters[m] / s.counters[pgvigil.IOReadBytes]
}

// gatherServer compares what the server did before and after the onset.
func (b *book) gatherServer(ctx context.Context, e *evidence) error {
	w := pgvigil.Window{From: e.v.Onset.Add(-beforeOnset * e.period), To: b.rec.At.Add(time.Millisecond)}
	points, err := b.history.ServerPoints(ctx, b.s.id, w)
	if err != nil {
		return fmt.Errorf("read what the server did: %w", err)
	}
	m := &e.server
	var before, after []pgvigil.ServerPoint
	for _, p := range points {
		if p.Start.Before(e.v.Onset) {
			before = append(before, p)
		} else {
			after = append(after, p)
		}
		if !p.End.Before(e.v.Onset.Add(-2 * e.period)) {
			m.since = append(m.since, p.State)
		}
	}
	m.before.counters, m.before.seconds = outlook.Sum(before)
	m.after.counters, m.after.seconds = outlook.Sum(after)
	m.database = b.s.databases[e.v.Series.DBID]
	if m.settings, err = b.history.Settings(ctx, b.s.id); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	return b.gatherDatabase(ctx, e, w)
}

// gatherDatabase adds up what the series' database did, of an incident all.
func (b *book) gatherDatabase(ctx context.Context, e *evidence, w pgvigil.Window) error {
	points, err := b.history.DatabasePoints(ctx, b.s.id, w)
	if err != nil {
		return fmt.Errorf("read database counters: %w", err)
	}
	for _, p := range points {
		if e.v.Series.DBID != 0 && p.DBID != e.v.Series.DBID {
			continue
		}
		s := &e.server.after
		if p.Start.Before(e.v.Onset) {
			s = &e.server.before
		}
		s.deadlocks += num(p.Stats.Deadlocks)
		s.rollbacks += num(p.Stats.Rollbacks)
		s.transactions += num(p.Stats.Commits) + num(p.Stats.Rollbacks)
		s.databaseSeconds += p.End.Sub(p.Start).Seconds()
	}
	return nil
}

// holder returns what keeps most dead rows of the series' database, as of the
// newest state.
func (m *serverMove) holder() (pgvigil.Holder, bool) {
	if len(m.since) == 0 {
		return pgvigil.Holder{}, false
	}
	return outlook.OldestHolder(m.since[len(m.since)-1], m.database)
}

// running returns the pieces of maintenance that were seen since the onset, or
// a little before it: each once, as last seen.
func (m *serverMove) running() []pgvigil.Progress {
	type key struct {
		kind  string
		pid   int
		table pgvigil.RelationKey
	}
	at := map[key]int{}
	var list []pgvigil.Progress
	for _, s := range m.since {
		for _, p := range s.Progress {
			k := key{p.Kind, p.PID, p.Key}
			if i, known := at[k]; known {
				list[i] = p
				continue
			}
			at[k] = len(list)
			list = append(list, p)
		}
	}
	return list
}
