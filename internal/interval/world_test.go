package interval

import (
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

var began = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

// world is a simulated server that knows the truth.
type world struct {
	now     time.Time
	server  pgvigil.Server
	since   bool // entries know stats_since, as of 17
	reset   time.Time
	dealloc int64
	entries []pgvigil.Statement
	table   pgvigil.TableCounters
	stats   pgvigil.DatabaseStats
	// truth is what was really done since the first snapshot.
	truth map[pgvigil.StatementKey]pgvigil.Counters
	scans float64 // of the table
}

func newWorld() *world {
	return &world{
		now:    began,
		server: pgvigil.Server{Target: "ci", SystemID: 1, Version: 150018, PostmasterStart: began.Add(-time.Hour)},
		reset:  began.Add(-time.Hour),
		truth:  map[pgvigil.StatementKey]pgvigil.Counters{},
	}
}

func key(id int64) pgvigil.StatementKey {
	return pgvigil.StatementKey{UserID: 10, DBID: 5, QueryID: id, TopLevel: true}
}

// work lets a statement be called so often; its entry is made if it is not there.
func (w *world) work(id int64, calls, ms float64) {
	w.now = w.now.Add(time.Second)
	done := pgvigil.Counters{}
	done[pgvigil.Calls], done[pgvigil.ExecMS], done[pgvigil.ExecSqMS] = calls, calls*ms, calls*ms*ms
	done[pgvigil.SharedHit] = 10 * calls
	done[pgvigil.WALBuffersFull] = math.NaN()
	i := slices.IndexFunc(w.entries, func(s pgvigil.Statement) bool { return s.Key.QueryID == id })
	if i < 0 {
		i = len(w.entries)
		w.entries = append(w.entries, pgvigil.Statement{Key: key(id)})
		w.entries[i].Counters[pgvigil.WALBuffersFull] = math.NaN()
		if w.since {
			w.entries[i].Since = w.now
		}
	}
	w.entries[i].Counters = w.entries[i].Counters.Add(done)
	w.truth[key(id)] = w.truth[key(id)].Add(done)
	w.stats.BlocksHit += 10 * calls
	w.stats.ActiveMS += calls * ms
	w.table.SeqScans += calls
	w.scans += calls
}

func (w *world) drop(id int64) {
	w.entries = slices.DeleteFunc(w.entries, func(s pgvigil.Statement) bool { return s.Key.QueryID == id })
}

func (w *world) resetAll() {
	w.now = w.now.Add(time.Second)
	w.entries, w.reset, w.dealloc = nil, w.now, 0
}

func (w *world) resetTables() {
	w.stats, w.table = pgvigil.DatabaseStats{}, pgvigil.TableCounters{}
}

func (w *world) restart() {
	w.now = w.now.Add(time.Second)
	w.server.PostmasterStart = w.now
}

// snapshot lets d go by and reads everything.
func (w *world) snapshot(d time.Duration) *pgvigil.Snapshot {
	w.now = w.now.Add(d)
	return &pgvigil.Snapshot{
		Server: w.server, At: w.now, Clock: w.now,
		Statements: pgvigil.StatementsRead{
			OK: true, Extension: "1.10", Reset: w.reset, Dealloc: w.dealloc, Max: 5000, List: slices.Clone(w.entries),
		},
		Databases: []pgvigil.DatabaseRead{{
			OID: 5, Name: "app", Visited: true, Stats: w.stats,
			Tables: []pgvigil.Table{{Key: pgvigil.RelationKey{DBID: 5, RelID: 100}, Schema: "public", Name: "jobs", Kind: "r", Counters: w.table}},
		}},
	}
}

// forgetTruth begins to count the truth anew, as the first snapshot does.
func (w *world) forgetTruth() {
	clear(w.truth)
	w.scans = 0
}

// history runs snapshots through Next and adds the steps up.
type history struct {
	state *State
	sums  map[pgvigil.StatementKey]pgvigil.Counters
	scans float64
	last  Step
}

func (h *history) see(s *pgvigil.Snapshot, failed int) Step {
	h.last, h.state = Next(h.state, s, failed)
	if h.sums == nil {
		h.sums = map[pgvigil.StatementKey]pgvigil.Counters{}
	}
	for _, iv := range h.last.Statements {
		h.sums[iv.Key] = h.sums[iv.Key].Add(iv.Counters)
	}
	for _, iv := range h.last.Relations {
		h.scans += iv.Table.SeqScans
	}
	return h.last
}

func one(step Step, id int64) (pgvigil.Interval, bool) {
	i := slices.IndexFunc(step.Statements, func(iv pgvigil.Interval) bool { return iv.Key.QueryID == id })
	if i < 0 {
		return pgvigil.Interval{}, false
	}
	return step.Statements[i], true
}
