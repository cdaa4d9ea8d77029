package analyzer

import (
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
)

// scene is what happens from the fault on.
type scene struct {
	prepare func(p *play)               // before the first pass
	event   func(p *play) pgvigil.Event // shown by the first faulty pass
	work    func(age int, f pgvigil.Fingerprint, w *work)
	look    func(p *play, age int) // adds activity and tables; age < 0 before
	always  bool                   // work counts before the fault, too
	within  int
	kind    pgvigil.VerdictKind
	cause   pgvigil.Cause
	detail  string
}

var scenes = map[string]scene{
	"a dropped index": {
		event: func(p *play) pgvigil.Event {
			return pgvigil.Event{Server: 1, DBID: 5, At: p.at, Since: p.at.Add(-passes), Kind: pgvigil.EventIndexDropped, Object: "public.jobs_7_token", Table: "jobs_7"}
		},
		work:   victimDoes(func(w *work) { w.ms *= 15; w.blocks *= 60 }),
		within: 8, kind: pgvigil.KindRegression, cause: pgvigil.CausePlan, detail: pgvigil.DetailIndexDropped,
	},
	"a plan that changed for no reason that shows": {
		event: func(p *play) pgvigil.Event {
			return pgvigil.Event{
				Server: 1, DBID: 5, At: p.at, Since: p.at.Add(-passes), Kind: pgvigil.EventPlanChanged, Object: victim.String(), Fingerprint: victim,
				Before: "Index Scan using jobs_token on public.jobs", After: "Seq Scan on public.jobs", Source: "explain",
			}
		},
		work:   victimDoes(func(w *work) { w.ms *= 6; w.blocks *= 8 }),
		within: 20, kind: pgvigil.KindRegression, cause: pgvigil.CausePlan, detail: pgvigil.DetailPlanChanged,
	},
	"another query's plan that changed": {
		event: func(p *play) pgvigil.Event {
			return pgvigil.Event{
				Server: 1, DBID: 5, At: p.at, Since: p.at.Add(-passes), Kind: pgvigil.EventPlanChanged, Object: "x", Fingerprint: victim + 1,
				Before: "Index Scan using jobs_token on public.jobs", After: "Seq Scan on public.jobs", Source: "explain",
			}
		},
		work:   victimDoes(func(w *work) { w.ms *= 6; w.blocks *= 8 }),
		within: 20, kind: pgvigil.KindRegression, cause: pgvigil.CausePlan,
	},
	"a setting changed": {
		event: func(p *play) pgvigil.Event {
			return pgvigil.Event{Server: 1, At: p.at, Since: p.at.Add(-passes), Kind: pgvigil.EventSettingChanged, Object: "random_page_cost", Before: "1.1", After: "40"}
		},
		work:   victimDoes(func(w *work) { w.ms *= 6; w.blocks *= 8 }),
		within: 20, kind: pgvigil.KindRegression, cause: pgvigil.CausePlan, detail: pgvigil.DetailSetting,
	},
	"a spill": {
		work:   victimDoes(func(w *work) { w.ms *= 3; w.temp = 80 }),
		within: 8, kind: pgvigil.KindRegression, cause: pgvigil.CauseSpill,
	},
	"a generic plan": {
		work: func(age int, f pgvigil.Fingerprint, w *work) {
			w.plan = 0.08
			if f == victim && age >= 0 {
				w.ms, w.blocks, w.plan = w.ms*5, w.blocks*6, 0
			}
		},
		always: true,
		within: 20, kind: pgvigil.KindRegression, cause: pgvigil.CausePlan, detail: pgvigil.DetailGenericPlan,
	},
	"more work, and nobody knows why": {
		work:   victimDoes(func(w *work) { w.ms *= 5; w.blocks *= 6 }),
		within: 20, kind: pgvigil.KindRegression, cause: pgvigil.CausePlan,
	},
	"more time, and nobody knows why": {
		work:   victimDoes(func(w *work) { w.ms *= 8 }),
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseUnknown,
	},
	"waits for a lock of the server's own": {
		work: victimDoes(func(w *work) { w.ms *= 8 }),
		look: func(p *play, age int) {
			if age >= 0 {
				p.session(pgvigil.Session{Fingerprint: victim, WaitType: "LWLock", WaitEvent: "LockManager"})
			}
		},
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseContention,
	},
	"more rows of a list of constants": {
		prepare: func(p *play) {
			q := p.queries[victim]
			q.Predicates = append(q.Predicates, pgvigil.Predicate{Table: "jobs", Column: "status", Op: "in"})
			p.queries[victim] = q
			p.catalog[0].Tables[0].RelTuples = 1e6
			p.catalog[0].Tables[0].Columns = []pgvigil.Column{{Name: "status", Distinct: 9}}
		},
		work:   victimDoes(func(w *work) { w.ms *= 6; w.blocks *= 8; w.rows *= 8 }),
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseRows,
	},
	"a longer list": {
		prepare: func(p *play) {
			q := p.queries[victim]
			q.Predicates = append(q.Predicates, pgvigil.Predicate{Table: "jobs", Column: "id", Op: "in"})
			p.queries[victim] = q
			p.catalog[0].Tables[0].Columns = []pgvigil.Column{{Name: "id", Distinct: -1}}
		},
		work:   victimDoes(func(w *work) { w.ms *= 6; w.blocks *= 8; w.rows *= 8 }),
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseRows, detail: pgvigil.DetailListGrowth,
	},
	"a row that all want": {
		work: victimDoes(func(w *work) { w.ms *= 8 }),
		look: func(p *play, age int) {
			if age >= 0 {
				p.session(pgvigil.Session{Fingerprint: victim, WaitType: "Lock", WaitEvent: "transactionid"})
				p.session(pgvigil.Session{Fingerprint: victim, WaitType: "Lock", WaitEvent: "tuple"})
			}
		},
		within: 30, kind: pgvigil.KindRegression, cause: pgvigil.CauseContention, detail: pgvigil.DetailHotRow,
	},
	"stale statistics": {
		work: victimDoes(func(w *work) { w.ms *= 5; w.blocks *= 6 }),
		look: func(p *play, age int) {
			p.table(pgvigil.TableCounters{LiveTuples: 10000, ModSinceAn: 5000, IndexScans: 10})
		},
		within: 20, kind: pgvigil.KindRegression, cause: pgvigil.CausePlan, detail: pgvigil.DetailStaleStatistics,
	},
	"a queue that bloats under a long transaction": {
		work: func(age int, f pgvigil.Fingerprint, w *work) {
			if f == victim {
				w.ms *= 1 + float64(age)/5
				w.blocks *= 1 + float64(age)/4
			}
		},
		look: func(p *play, age int) {
			p.table(pgvigil.TableCounters{LiveTuples: 1000, DeadTuples: float64(max(0, age)) * 500, IndexScans: 10})
			p.session(pgvigil.Session{State: "idle in transaction", XactStart: p.at.Add(-time.Duration(max(0, age)) * passes)})
		},
		within: 35, kind: pgvigil.KindRegression, cause: pgvigil.CauseBloat, detail: pgvigil.DetailLongTransaction,
	},
	"an n+1": {
		work:   victimDoes(func(w *work) { w.rate *= 12; w.rows = 1 }),
		within: 25, kind: pgvigil.KindTraffic, cause: pgvigil.CauseTraffic, detail: pgvigil.DetailNPlusOne,
	},
	"a lock queue": {
		work: victimDoes(func(w *work) { w.rate = 0 }),
		look: func(p *play, age int) {
			if age < 0 {
				return
			}
			p.session(pgvigil.Session{PID: 1, State: "idle in transaction"})
			p.session(pgvigil.Session{PID: 2, WaitType: "Lock", WaitEvent: "relation", Query: "ALTER TABLE jobs"})
			p.session(pgvigil.Session{PID: 3, WaitType: "Lock", WaitEvent: "relation", Fingerprint: victim})
			s := &p.sessions[len(p.sessions)-1]
			s.Locks = []pgvigil.LockWait{
				{Waiter: 2, Blocker: 1, Mode: "AccessExclusiveLock", LockType: "relation", Relation: "public.jobs"},
				{Waiter: 3, Blocker: 2, Mode: "AccessShareLock", LockType: "relation", Relation: "public.jobs"},
			}
		},
		within: 3, kind: pgvigil.KindIncident, cause: pgvigil.CauseContention, detail: pgvigil.DetailLockQueue,
	},
	"a statement that never ends": {
		work: func(int, pgvigil.Fingerprint, *work) {},
		look: func(p *play, age int) {
			if age >= 0 {
				p.session(pgvigil.Session{Fingerprint: 999, Query: "SELECT count(*) FROM a, b, c", QueryStart: p.at.Add(-time.Duration(age) * passes)})
			}
		},
		within: 12, kind: pgvigil.KindIncident, cause: pgvigil.CausePlan, detail: pgvigil.DetailNeverEnds,
	},
	"a statement that hits its timeout": {
		work: victimDoes(func(w *work) { w.rate = 0 }),
		look: func(p *play, age int) {
			d := pgvigil.DatabasePoint{Start: p.at.Add(-passes), End: p.at, DBID: 5}
			if age >= 0 {
				d.Stats.Rollbacks = 20
				p.session(pgvigil.Session{Fingerprint: victim, QueryStart: p.at.Add(-400 * time.Millisecond)})
			}
			p.databases = append(p.databases, d)
			p.session(pgvigil.Session{State: "idle"})
		},
		within: 6, kind: pgvigil.KindIncident, cause: pgvigil.CausePlan, detail: pgvigil.DetailTimeout,
	},
	"a statement that never ends and slows all others": {
		work: func(_ int, _ pgvigil.Fingerprint, w *work) { w.ms *= 1.8 },
		look: func(p *play, age int) {
			if age >= 0 {
				p.session(pgvigil.Session{Fingerprint: 999, Query: "SELECT count(*) FROM a, b, c", QueryStart: p.at.Add(-time.Duration(age) * passes)})
			}
		},
		within: 40, kind: pgvigil.KindIncident, cause: pgvigil.CausePlan, detail: pgvigil.DetailNeverEnds,
	},
	"retention that stopped": {
		prepare: func(p *play) {
			p.queries[victim] = pgvigil.Query{Fingerprint: victim, Verb: "delete", Tables: []string{"jobs"}}
		},
		work: victimDoes(func(w *work) { w.rate = 0 }),
		look: func(p *play, age int) {
			c := pgvigil.TableCounters{LiveTuples: 10000, Inserted: 40, Deleted: 40}
			if age >= 0 {
				c.Deleted = 0
			}
			p.table(c)
		},
		within: 16, kind: pgvigil.KindTraffic, cause: pgvigil.CauseRows, detail: pgvigil.DetailRetentionOff,
	},
	"an index that costs HOT updates": {
		prepare: func(p *play) {
			p.queries[victim] = pgvigil.Query{Fingerprint: victim, Verb: "update", Tables: []string{"jobs"}}
		},
		event: func(p *play) pgvigil.Event {
			return pgvigil.Event{Server: 1, DBID: 5, At: p.at, Since: p.at.Add(-passes), Kind: pgvigil.EventIndexCreated, Object: "public.jobs_7_at", Table: "jobs_7"}
		},
		work: victimDoes(func(w *work) { w.wal *= 4 }),
		look: func(p *play, age int) {
			c := pgvigil.TableCounters{LiveTuples: 10000, Updated: 40, HotUpdated: 38}
			if age >= 0 {
				c.HotUpdated = 1
			}
			p.table(c)
		},
		within: 20, kind: pgvigil.KindRegression, cause: pgvigil.CauseBloat, detail: pgvigil.DetailHOTLost,
	},
	"a server that suffers, from outside for all we know": {
		work:   func(_ int, f pgvigil.Fingerprint, w *work) { w.ms *= 1.4 + float64(f%7)/5 },
		look:   func(p *play, _ int) { p.session(pgvigil.Session{Fingerprint: 1}) },
		within: 5, kind: pgvigil.KindIncident, cause: pgvigil.CauseDatabase,
	},
	"a neighbour of many short statements": {
		work: func(_ int, f pgvigil.Fingerprint, w *work) { w.ms *= 1.4 + float64(f%7)/5 },
		look: func(p *play, age int) {
			p.session(pgvigil.Session{Fingerprint: 1})
			if age >= 0 {
				p.session(pgvigil.Session{Query: "SELECT $1", QueryStart: p.at})
				p.sessions[len(p.sessions)-1].Sessions[1].DBID = 77
			}
		},
		within: 12, kind: pgvigil.KindIncident, cause: pgvigil.CauseDatabase, detail: pgvigil.DetailNeighbour,
	},
	"a neighbour that slows most queries a little": {
		work: func(_ int, _ pgvigil.Fingerprint, w *work) { w.ms *= 1.12 },
		look: func(p *play, age int) {
			p.session(pgvigil.Session{Fingerprint: 1})
			if age >= 0 {
				p.session(pgvigil.Session{Query: "DO $1", QueryStart: p.at.Add(-time.Duration(age) * passes)})
				p.sessions[len(p.sessions)-1].Sessions[1].DBID = 77
			}
		},
		within: 14, kind: pgvigil.KindIncident, cause: pgvigil.CauseDatabase, detail: pgvigil.DetailNeighbour,
	},
	"a new query": {
		prepare: func(p *play) {
			p.queries[999] = pgvigil.Query{
				Fingerprint: 999, Verb: "select", Tables: []string{"jobs_7"},
				Predicates: []pgvigil.Predicate{{Table: "jobs_7", Column: "name", Op: "="}},
			}
			p.catalog[0].Indexes = []pgvigil.Index{{Key: pgvigil.RelationKey{DBID: 5, RelID: 200}, TableID: 107, Table: "jobs_7", Name: "jobs_7_pkey", Keys: []string{"id"}}}
		},
		work:   func(int, pgvigil.Fingerprint, *work) {},
		within: 8, kind: pgvigil.KindNew, cause: pgvigil.CausePlan, detail: pgvigil.DetailNoIndex,
	},
}

func victimDoes(bend func(*work)) func(int, pgvigil.Fingerprint, *work) {
	return func(_ int, f pgvigil.Fingerprint, w *work) {
		if f == victim {
			bend(w)
		}
	}
}

// run plays a scene to its end.
func (sc scene) run(t *testing.T, name string) *play {
	t.Helper()
	p := newPlay(t)
	a := New(p, Options{})
	if sc.prepare != nil {
		sc.prepare(p)
	}
	for i := range p.warm + sc.within {
		age := i - p.warm
		rec := p.next(func(f pgvigil.Fingerprint, w *work) {
			if age >= 0 || sc.always {
				sc.work(age, f, w)
			}
		})
		if name == "a new query" && age >= 0 {
			rec.Points = append(rec.Points, p.point(999, work{rate: 10, ms: 40, blocks: 4000, rows: 1}, rec.Previous))
		}
		if age == 0 && sc.event != nil {
			rec.Events = []pgvigil.Event{sc.event(p)}
		}
		if sc.look != nil {
			sc.look(p, age)
		}
		if n := len(p.relations); n > 0 {
			all := p.relations[0].Intervals
			rec.Relations = all[len(all)-1:]
		}
		p.observe(a, rec)
	}
	return p
}

func TestEachFaultIsAnAlertWithItsCause(t *testing.T) {
	for name, sc := range scenes {
		t.Run(name, func(t *testing.T) {
			p := sc.run(t, name)
			if len(p.alerts) == 0 {
				t.Fatalf("no alert within %d passes", sc.within)
			}
			for _, al := range p.alerts {
				v := al.Verdict
				if v.Kind != sc.kind || v.Cause != sc.cause || v.CauseDetail != sc.detail {
					t.Errorf("alert on %s: %s, cause %s, %s; want %s, %s, %s\n%s\n%+v", v.Series.Fingerprint, v.Kind, v.Cause, v.CauseDetail, sc.kind, sc.cause, sc.detail, v.Rule, v.Causes)
				}
			}
			if len(p.alerts) > 1 {
				t.Errorf("%d alerts for one event; want 1", len(p.alerts))
			}
			if al := p.alerts[0]; al.Target != "ci" || al.Verdict.Rule == "" || al.History[0].Reason == "" {
				t.Errorf("alert = %+v; want target, rule and the reason of its first step", al)
			}
		})
	}
}
