package analyzer

import (
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
)

// stand adds what the server did in this pass, and how it stands.
func (p *play) stand(c pgvigil.ServerCounters, s pgvigil.ServerState) {
	p.points = append(p.points, pgvigil.ServerPoint{Start: p.at.Add(-passes), End: p.at, Counters: c, State: s})
}

// slower makes the victim wait, bloated makes it read more with each pass.
var (
	slower  = victimDoes(func(w *work) { w.ms *= 8 })
	bloated = func(age int, f pgvigil.Fingerprint, w *work) {
		if f == victim {
			w.ms *= 1 + float64(age)/5
			w.blocks *= 1 + float64(age)/4
		}
	}
)

func dying(p *play, age int) {
	p.table(pgvigil.TableCounters{LiveTuples: 1000, DeadTuples: float64(max(0, age)) * 500, IndexScans: 10})
}

// ofServer are the causes that the server's own counters and state tell of.
var ofServer = map[string]scene{
	"checkpoints that WAL forces": {
		prepare: func(p *play) {
			p.queries[victim] = pgvigil.Query{Fingerprint: victim, Verb: "update", Tables: []string{"jobs"}}
		},
		work: slower,
		look: func(p *play, age int) {
			c := pgvigil.ServerCounters{pgvigil.CheckpointsRequested: 0, pgvigil.ServerWALFPI: 10, pgvigil.ServerWALBytes: 1e5}
			if age >= 0 {
				c = pgvigil.ServerCounters{pgvigil.CheckpointsRequested: 1, pgvigil.ServerWALFPI: 4000, pgvigil.ServerWALBytes: 4e7}
			}
			p.stand(c, pgvigil.ServerState{})
		},
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseIO, detail: pgvigil.DetailCheckpoints,
	},
	"a disk that got slow": {
		work: slower,
		look: func(p *play, age int) {
			c := pgvigil.ServerCounters{pgvigil.IOReadBytes: 64 << 20, pgvigil.IOReadMS: 200, pgvigil.IOVacuumReadBytes: 0}
			if age >= 0 {
				c[pgvigil.IOReadMS], c[pgvigil.IOVacuumReadBytes] = 3000, 80<<20
			}
			p.stand(c, pgvigil.ServerState{})
		},
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseIO, detail: pgvigil.DetailSlowReads,
	},
	"a vacuum of the query's table": {
		work: slower,
		look: func(p *play, age int) {
			p.table(pgvigil.TableCounters{LiveTuples: 1000, IndexScans: 10})
			var s pgvigil.ServerState
			if age >= 0 {
				s.Progress = []pgvigil.Progress{{
					Kind: "vacuum", PID: 9, Key: pgvigil.RelationKey{DBID: 5, RelID: 107}, Name: "public.jobs_7", Phase: "scanning heap",
					Done: float64(age), Total: 100, Auto: true, Since: p.at.Add(-time.Duration(age) * passes),
				}}
			}
			p.stand(nil, s)
		},
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseDatabase, detail: pgvigil.DetailMaintenance,
	},
	"a slot that keeps dead rows": {
		work: bloated,
		look: func(p *play, age int) {
			dying(p, age)
			p.stand(nil, pgvigil.ServerState{Holders: []pgvigil.Holder{{Kind: pgvigil.HeldBySlot, Name: "forgotten", Age: int64(100 + 500*max(0, age))}}})
		},
		within: 35, kind: pgvigil.KindRegression, cause: pgvigil.CauseBloat, detail: pgvigil.DetailHeldBack,
	},
	"a table that autovacuum leaves alone": {
		prepare: func(p *play) { p.catalog[0].Tables[1].Options = []string{"autovacuum_enabled=false"} },
		work:    bloated,
		look:    dying,
		within:  35, kind: pgvigil.KindRegression, cause: pgvigil.CauseBloat, detail: pgvigil.DetailVacuumOutrun,
	},
	"deadlocks": {
		prepare: func(p *play) {
			p.queries[victim] = pgvigil.Query{Fingerprint: victim, Verb: "update", Tables: []string{"jobs"}}
		},
		work: slower,
		look: func(p *play, age int) {
			d := pgvigil.DatabasePoint{Start: p.at.Add(-passes), End: p.at, DBID: 5, Stats: pgvigil.DatabaseStats{Commits: 500}}
			if age >= 0 {
				d.Stats.Deadlocks, d.Stats.Rollbacks = 2, 30
			}
			p.databases = append(p.databases, d)
		},
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseContention, detail: pgvigil.DetailDeadlocks,
	},
	"subtransactions that overflow": {
		work: slower,
		look: func(p *play, age int) {
			c := pgvigil.ServerCounters{pgvigil.SubtransLookups: 20, pgvigil.SubtransReads: 0}
			if age >= 0 {
				c = pgvigil.ServerCounters{pgvigil.SubtransLookups: 90000, pgvigil.SubtransReads: 4000}
				p.session(pgvigil.Session{Fingerprint: 1, WaitType: "LWLock", WaitEvent: "SubtransSLRU"})
			}
			p.stand(c, pgvigil.ServerState{})
		},
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseContention, detail: pgvigil.DetailSLRU,
	},
	"a standby that confirms late": {
		prepare: func(p *play) {
			p.queries[victim] = pgvigil.Query{Fingerprint: victim, Verb: "update", Tables: []string{"jobs"}}
		},
		work: slower,
		look: func(p *play, age int) {
			var s pgvigil.ServerState
			if age >= 0 {
				p.session(pgvigil.Session{Fingerprint: victim, WaitType: "IPC", WaitEvent: "SyncRep"})
				s.Replicas = []pgvigil.Replica{{Application: "standby_1", SyncState: "sync", LagBytes: 64 << 20}}
			}
			p.stand(nil, s)
		},
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseContention, detail: pgvigil.DetailSyncStandby,
	},
	"connections that run out, those kept back aside": {
		work: func(int, pgvigil.Fingerprint, *work) {},
		look: func(p *play, age int) {
			c := pgvigil.Connections{Used: 40, Limit: 100, Reserved: 13}
			if age >= 0 {
				c.Used, c.IdleInTx = 80, 60
			}
			p.session(pgvigil.Session{State: "idle"})
			p.stand(nil, pgvigil.ServerState{Connections: c})
		},
		within: 3, kind: pgvigil.KindIncident, cause: pgvigil.CauseContention, detail: pgvigil.DetailConnections,
	},
	"a column of another type": {
		event: func(p *play) pgvigil.Event {
			return pgvigil.Event{
				Server: 1, DBID: 5, At: p.at, Since: p.at.Add(-passes), Kind: pgvigil.EventColumnChanged,
				Object: "public.jobs_7.token", Table: "jobs_7", Before: "text", After: "character varying(20)",
			}
		},
		work:   victimDoes(func(w *work) { w.ms *= 10; w.blocks *= 12 }),
		within: 20, kind: pgvigil.KindRegression, cause: pgvigil.CausePlan, detail: pgvigil.DetailSchema,
	},
}

func TestTheServerTellsOfACause(t *testing.T) {
	for name, sc := range ofServer {
		t.Run(name, func(t *testing.T) {
			p := sc.run(t, name)
			if len(p.alerts) != 1 {
				t.Fatalf("%d alerts within %d passes; want 1", len(p.alerts), sc.within)
			}
			if v := p.alerts[0].Verdict; v.Kind != sc.kind || v.Cause != sc.cause || v.CauseDetail != sc.detail {
				t.Errorf("%s, cause %s, %s; want %s, %s, %s\n%s\n%+v", v.Kind, v.Cause, v.CauseDetail, sc.kind, sc.cause, sc.detail, v.Rule, v.Causes)
			}
		})
	}
}

// TestWhatWasAlwaysSoIsNoCause: the same state before and after the onset.
func TestWhatWasAlwaysSoIsNoCause(t *testing.T) {
	sc := scene{
		work: slower, within: 30,
		look: func(p *play, _ int) {
			p.stand(pgvigil.ServerCounters{
				pgvigil.CheckpointsRequested: 1, pgvigil.ServerWALFPI: 4000, pgvigil.IOReadBytes: 64 << 20, pgvigil.IOReadMS: 3000,
				pgvigil.SubtransLookups: 90000, pgvigil.MultiXactLookups: 90000,
			}, pgvigil.ServerState{
				Progress: []pgvigil.Progress{{Kind: "base backup", PID: 9, Since: p.at.Add(-time.Hour)}},
				Holders:  []pgvigil.Holder{{Kind: pgvigil.HeldBySlot, Name: "forgotten", Age: 1e6}},
			})
			p.databases = append(p.databases, pgvigil.DatabasePoint{
				Start: p.at.Add(-passes), End: p.at, DBID: 5, Stats: pgvigil.DatabaseStats{Commits: 500, Deadlocks: 2, Rollbacks: 30},
			})
		},
	}
	p := sc.run(t, "nothing new")
	if len(p.alerts) != 1 {
		t.Fatalf("%d alerts; want 1", len(p.alerts))
	}
	for _, c := range p.alerts[0].Verdict.Causes {
		if c.Detail != "" {
			t.Errorf("cause %s, %s for %q; want none that was there before", c.Cause, c.Detail, c.For)
		}
	}
}
