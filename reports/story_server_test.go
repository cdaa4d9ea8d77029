package reports

import (
	"time"

	"github.com/pgvigil/pgvigil"
)

// storyCourse is what the server of the story did, by the hour: the numbers of
// its jobs come to their end, a slot has no reader since Thursday, and the long
// transaction is the one that lets the queue swell.
func storyCourse() []pgvigil.ServerPoint {
	var list []pgvigil.ServerPoint
	for at := monday.Add(time.Hour); !at.After(sunday); at = at.Add(time.Hour) {
		hours := at.Sub(monday).Hours()
		p := pgvigil.ServerPoint{
			Start: at.Add(-time.Hour), End: at,
			Counters: pgvigil.ServerCounters{
				pgvigil.CheckpointsTimed: 9, pgvigil.CheckpointsRequested: 3, pgvigil.CheckpointBuffers: 180_000, pgvigil.BackendBuffers: 21_000,
				pgvigil.ServerWALBytes: 6 << 30, pgvigil.ServerWALRecords: 30e6, pgvigil.ServerWALFPI: 700_000, pgvigil.SubtransLookups: 1e6, pgvigil.MultiXactLookups: 4e5,
			},
			State: pgvigil.ServerState{
				Connections: pgvigil.Connections{Used: 150 + at.Hour()*5, Active: 12, IdleInTx: 9, Limit: 300, Reserved: 13},
				Replicas:    []pgvigil.Replica{{Application: "replica-1", State: "streaming", SyncState: "async", LagBytes: 3 << 20, ReplayLag: 400 * time.Millisecond}},
				Sequences: []pgvigil.Sequence{{
					Key: pgvigil.RelationKey{DBID: ciDB, RelID: 20060}, Schema: "public", Name: "deployments_id_seq", Table: "public.deployments", Column: "id", Type: "integer",
					First: 1, Limit: 1<<31 - 1, Step: 1, Outgrows: true, Last: 2_050_000_000 + int64(100_000*hours), Known: true,
				}},
			},
		}
		if thursday := monday.Add(3 * 24 * time.Hour); at.After(thursday) {
			p.State.Slots = []pgvigil.Slot{{Name: "analytics_cdc", Kind: "logical", Database: "gitlabhq_production", Status: "extended", Retained: pgvigil.Bytes(at.Sub(thursday).Hours() * float64(6<<30) / 10), Safe: -1}}
		}
		if at.After(swollen) {
			p.State.Transactions = []pgvigil.Transaction{{PID: 4711, DBID: ciDB, Application: "etl-nightly", State: "idle in transaction", Since: swollen}}
			p.State.Holders = []pgvigil.Holder{{Kind: pgvigil.HeldBySession, Name: "4711", Database: "gitlabhq_production", State: "idle in transaction", Age: int64(at.Sub(swollen).Seconds() * 200), Since: swollen}}
		}
		list = append(list, p)
	}
	return list
}

// storyPoints are those of the story's two databases, by the hour.
func storyPoints() []pgvigil.DatabasePoint {
	var list []pgvigil.DatabasePoint
	for at := monday.Add(time.Hour); !at.After(sunday); at = at.Add(time.Hour) {
		work := pgvigil.DatabaseStats{Commits: 700_000, Rollbacks: 9000, TempFiles: 12, TempBytes: 300 << 20, IdleInTxMS: 40_000, SizeBytes: 24 << 30, XIDAge: 120e6}
		if at.Equal(monday.Add(3*24*time.Hour + 15*time.Hour)) {
			work.Deadlocks = 2
		}
		list = append(list,
			pgvigil.DatabasePoint{Start: at.Add(-time.Hour), End: at, DBID: ciDB, Stats: work},
			pgvigil.DatabasePoint{Start: at.Add(-time.Hour), End: at, DBID: 16999, Stats: pgvigil.DatabaseStats{Commits: 300, SizeBytes: 9 << 20, XIDAge: 121e6}})
	}
	return list
}
