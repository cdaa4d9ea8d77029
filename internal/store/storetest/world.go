// Package storetest is the contract of the history: Run checks that a store
// keeps it, whatever it stands on.
package storetest

import (
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// start is when the world of the tests begins, in its servers' clock.
var start = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

// World is a simulated server whose truth is known: it counts what each
// statement does, and takes snapshots of it.
type World struct {
	Server     pgvigil.Server
	Now        time.Time
	Skew       time.Duration // the server's clock before ours
	Reset      time.Time
	Dealloc    int64
	Statements []pgvigil.Statement
	Databases  []pgvigil.DatabaseRead
	Settings   []pgvigil.Setting
}

// NewWorld returns a server with n statements in one database that have done
// nothing yet. Every fourth metric is one that its extension does not count.
func NewWorld(n int) *World {
	w := &World{
		Server: pgvigil.Server{
			Target: "ci", SystemID: 7_400_000_000_000_000_001, Timeline: 1, Version: 170004,
			PostmasterStart: start.Add(-time.Hour),
		},
		Now: start, Reset: start.Add(-time.Hour),
		Settings: []pgvigil.Setting{{Name: "work_mem", Value: "4096", Unit: "kB"}},
		Databases: []pgvigil.DatabaseRead{{
			OID: 16384, Name: "app", Visited: true,
			Stats:   pgvigil.DatabaseStats{SizeBytes: 1 << 30},
			Tables:  []pgvigil.Table{Table(20001, "jobs"), Table(20002, "pipelines")},
			Indexes: []pgvigil.Index{Index(20003, "jobs_status_idx", "jobs", 20001)},
		}},
	}
	for i := range n {
		w.Statements = append(w.Statements, pgvigil.Statement{Key: Key(i), Counters: zero()})
	}
	return w
}

// Key is the key of the i-th statement.
func Key(i int) pgvigil.StatementKey {
	return pgvigil.StatementKey{UserID: 10, DBID: 16384, QueryID: int64(i+1) * -7_046_029_254_386_353_131, TopLevel: true}
}

// zero is the counters of an entry that has done nothing.
func zero() pgvigil.Counters {
	var c pgvigil.Counters
	for _, m := range []pgvigil.Metric{pgvigil.WALBuffersFull, pgvigil.ParallelToLaunch, pgvigil.ParallelLaunched} {
		c[m] = math.NaN()
	}
	return c
}

// Table is a table that was vacuumed and never changed.
func Table(id pgvigil.OID, name string) pgvigil.Table {
	return pgvigil.Table{
		Key: pgvigil.RelationKey{DBID: 16384, RelID: id}, Schema: "public", Name: name, Kind: "r", Pages: 100, RelTuples: 1000,
		Columns: []pgvigil.Column{
			{Num: 1, Name: "id", Type: "bigint", NotNull: true, NullFrac: math.NaN(), Distinct: math.NaN(), Correlation: math.NaN()},
			{Num: 2, Name: "status", Type: "text", Distinct: 5},
		},
	}
}

// Index is a valid index that was never used.
func Index(id pgvigil.OID, name, table string, tableID pgvigil.OID) pgvigil.Index {
	return pgvigil.Index{
		Key: pgvigil.RelationKey{DBID: 16384, RelID: id}, TableID: tableID, Schema: "public", Name: name, Table: table,
		Def: "CREATE INDEX " + name + " ON public." + table + " (status)", Method: "btree", Keys: []string{"status"}, Valid: true, Pages: 10,
	}
}

// Work lets statement i be called so often, each call taking ms and reading blocks.
func (w *World) Work(i, calls int, ms, blocks float64) {
	n := float64(calls)
	c := &w.Statements[i].Counters
	c[pgvigil.Calls] += n
	c[pgvigil.ExecMS] += n * ms
	c[pgvigil.ExecSqMS] += n * ms * ms
	c[pgvigil.Rows] += n
	c[pgvigil.SharedHit] += n * blocks
	d := &w.Databases[0].Stats
	d.BlocksHit += n * blocks
	d.ActiveMS += n * ms
	t := &w.Databases[0].Tables[0].Counters
	t.IndexScans += n
	t.LiveTuples = 1000
}

// Pass lets time go by and takes a snapshot.
func (w *World) Pass(d time.Duration) *pgvigil.Snapshot {
	w.Now = w.Now.Add(d)
	s := &pgvigil.Snapshot{
		Server: w.Server, At: w.Now.Add(w.Skew), Clock: w.Now, Took: 20 * time.Millisecond,
		Statements: pgvigil.StatementsRead{
			OK: true, Extension: "1.11", Reset: w.Reset, Dealloc: w.Dealloc, Max: 5000,
			List: append([]pgvigil.Statement(nil), w.Statements...),
		},
		Settings: append([]pgvigil.Setting(nil), w.Settings...),
	}
	for _, d := range w.Databases {
		d.Tables = append([]pgvigil.Table(nil), d.Tables...)
		d.Indexes = append([]pgvigil.Index(nil), d.Indexes...)
		s.Databases = append(s.Databases, d)
	}
	return s
}

// Describe gives the snapshot the texts of some statements.
func Describe(s *pgvigil.Snapshot, algorithm int, fps map[int]pgvigil.Fingerprint) *pgvigil.Snapshot {
	s.Queries = map[pgvigil.StatementKey]pgvigil.Query{}
	for i, fp := range fps {
		s.Queries[Key(i)] = Query(fp, algorithm)
	}
	return s
}

// Query is what is known of a fingerprint.
func Query(fp pgvigil.Fingerprint, algorithm int) pgvigil.Query {
	return pgvigil.Query{
		Fingerprint: fp, Algorithm: algorithm, Method: pgvigil.ByParse, Text: "SELECT * FROM jobs WHERE status = $1", Verb: "select",
		Tables: []string{"jobs"}, Predicates: []pgvigil.Predicate{{Table: "jobs", Column: "status", Op: "="}},
		Tags: map[string]string{"controller": "jobs"},
	}
}
