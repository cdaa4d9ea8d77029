package reports

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
)

// The story of the tests: a week of a CI database. On Wednesday an index is
// dropped by a deploy and the pick of jobs gets slow, an index is proposed,
// proved and, on Friday, applied. On Thursday DDL queues for a lock. A long
// transaction lets the queue of jobs swell, and is still open.

var (
	monday  = time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC)
	dropped = monday.Add(62*time.Hour + 5*time.Minute)
	applied = monday.Add(4*24*time.Hour + 9*time.Hour)
	locked  = monday.Add(3*24*time.Hour + 14*time.Hour + 20*time.Minute)
	swollen = monday.Add(5*24*time.Hour + 6*time.Hour)
	sunday  = monday.Add(7 * 24 * time.Hour)
)

const (
	ciDB    = pgvigil.OID(16384)
	byState = pgvigil.Fingerprint(0x4be1c0ffee4d20a1)
	pick    = pgvigil.Fingerprint(0x9a33e2d01b7f6c55)
	beat    = pgvigil.Fingerprint(0x1f00dbabe0a4c9e2)
	expire  = pgvigil.Fingerprint(0xd1ce5eed77a10b3c)
	newborn = pgvigil.Fingerprint(0x77aa00ff1239bd04)
)

// memory is a History held in memory.
type memory struct {
	servers   []pgvigil.ServerInfo
	loads     []pgvigil.LoadShare
	previous  []pgvigil.LoadShare // of windows that end by monday
	series    []pgvigil.Series
	queries   map[pgvigil.Fingerprint]pgvigil.Query
	alerts    []pgvigil.Alert
	proposals []pgvigil.Proposal
	events    []pgvigil.Event
	coverage  pgvigil.Coverage
	relations []pgvigil.RelationSeries
	points    []pgvigil.DatabasePoint
	resets    []pgvigil.Incarnation
	course    []pgvigil.ServerPoint
	catalog   []pgvigil.DatabaseRead
	settings  []pgvigil.Setting
	plans     []pgvigil.Plan
}

// storyRange is the range of the story.
func storyRange() Range {
	return Range{
		Window: pgvigil.Window{From: monday, To: sunday}, Target: "ci-main",
		Now: sunday.Add(6 * time.Minute), Version: "0.1.0",
	}
}

// shape is how a series of the story behaves at a time, for one call.
type shape struct {
	fingerprint pgvigil.Fingerprint
	callsPerMin float64
	at          func(time.Time) (ms, blocks, rows float64)
}

func shapes() []shape {
	return []shape{
		{byState, 40, func(t time.Time) (float64, float64, float64) {
			if !t.Before(dropped) && t.Before(applied) {
				return 58, 9120, 11.8
			}
			return 1.42, 41, 11.8
		}},
		{pick, 300, func(t time.Time) (float64, float64, float64) {
			if t.Before(swollen) {
				return 0.9, 62, 1
			}
			grown := 1 + 5*t.Sub(swollen).Hours()/42
			return 0.9 * grown, 62 * grown * 1.4, 1
		}},
		{beat, 900, func(t time.Time) (float64, float64, float64) {
			if !t.Before(locked) && t.Before(locked.Add(12*time.Minute)) {
				return 2900, 6, 1
			}
			return 0.11, 6, 1
		}},
		{expire, 2, func(time.Time) (float64, float64, float64) { return 84, 2400, 100 }},
		{newborn, 6, func(t time.Time) (float64, float64, float64) {
			if t.Before(dropped) {
				return math.NaN(), 0, 0
			}
			return 12.5, 880, 20
		}},
	}
}

// seriesOf makes the story's intervals of ten minutes, with a day's rhythm, a
// little noise, and one gap on Tuesday night.
func seriesOf(s shape) pgvigil.Series {
	rnd := rand.New(rand.NewPCG(7, uint64(s.fingerprint)))
	series := pgvigil.Series{Key: pgvigil.SeriesKey{Server: 1, DBID: ciDB, Fingerprint: s.fingerprint}}
	const step = 10 * time.Minute
	for t := monday.Add(-24 * time.Hour); t.Before(sunday); t = t.Add(step) {
		if night := monday.Add(47 * time.Hour); !t.Before(night) && t.Before(night.Add(4*time.Hour)) {
			continue
		}
		ms, blocks, rows := s.at(t)
		if math.IsNaN(ms) {
			continue
		}
		day := 0.55 + 0.45*math.Sin((float64(t.Hour())+float64(t.Minute())/60-9)/24*2*math.Pi)
		calls := math.Max(1, math.Round(s.callsPerMin*10*day*(0.9+0.2*rnd.Float64())))
		mean := ms * (0.94 + 0.14*rnd.Float64())
		perCall := math.Round(blocks * (0.97 + 0.06*rnd.Float64()))
		var c pgvigil.Counters
		c[pgvigil.Calls], c[pgvigil.ExecMS] = calls, calls*mean
		c[pgvigil.ExecSqMS] = calls * mean * mean * 1.3
		c[pgvigil.PlanMS], c[pgvigil.Rows] = calls*0.08, math.Round(calls*rows)
		c[pgvigil.SharedHit], c[pgvigil.SharedRead] = calls*perCall*0.985, calls*perCall*0.015
		series.Points = append(series.Points, pgvigil.Point{Start: t, End: t.Add(step), Counters: c})
	}
	return series
}

// story is the history that the tests report on.
func story() *memory {
	m := &memory{
		servers: []pgvigil.ServerInfo{{
			ID: 1, FirstSeen: monday.Add(-15 * 24 * time.Hour), LastSeen: sunday,
			Server: pgvigil.Server{Target: "ci-main", SystemID: 7311, Version: 150018},
		}},
		queries:   storyQueries(),
		alerts:    storyAlerts(),
		proposals: storyProposals(),
		events:    storyEvents(),
		coverage:  storyCoverage(),
		settings: []pgvigil.Setting{
			{Name: "pg_stat_statements.max", Value: "5000"},
			{Name: "track_io_timing", Value: "on"},
			{Name: "pg_stat_statements.track_planning", Value: "on"},
			{Name: "work_mem", Value: "4096", Unit: "kB"},
		},
	}
	m.catalog, m.relations = storyTables()
	m.course, m.points = storyCourse(), storyPoints()
	for _, s := range shapes() {
		m.series = append(m.series, seriesOf(s))
	}
	m.loads = storyLoads(m.series, pgvigil.Window{From: monday, To: sunday})
	m.previous = storyLoads(m.series, pgvigil.Window{From: monday.Add(-24 * time.Hour), To: monday})
	return m
}

func storyLoads(list []pgvigil.Series, w pgvigil.Window) []pgvigil.LoadShare {
	var loads []pgvigil.LoadShare
	all := 0.0
	for _, s := range list {
		var c pgvigil.Counters
		for _, p := range s.Points {
			if !p.Start.Before(w.From) && !p.End.After(w.To) {
				c = c.Add(p.Counters)
			}
		}
		if c[pgvigil.Calls] > 0 {
			all += c[pgvigil.ExecMS] + c[pgvigil.PlanMS]
			loads = append(loads, pgvigil.LoadShare{Series: s.Key, Counters: c})
		}
	}
	for i, l := range loads {
		loads[i].Share = (l.Counters[pgvigil.ExecMS] + l.Counters[pgvigil.PlanMS]) / all * 0.93
	}
	slices.SortFunc(loads, func(a, b pgvigil.LoadShare) int { return int(math.Copysign(1, b.Share-a.Share)) })
	return loads
}

func storyQueries() map[pgvigil.Fingerprint]pgvigil.Query {
	column := func(table string, names ...string) (list []pgvigil.Predicate) {
		for _, n := range names {
			list = append(list, pgvigil.Predicate{Table: table, Column: n, Op: "="})
		}
		return list
	}
	list := []pgvigil.Query{
		{
			Fingerprint: byState, Verb: "select", Tables: []string{"p_ci_builds"},
			Predicates: column("p_ci_builds", "commit_id", "partition_id", "status"),
			Text:       "SELECT p_ci_builds.* FROM p_ci_builds\nWHERE p_ci_builds.commit_id = $1 AND p_ci_builds.partition_id = $2\n  AND p_ci_builds.status = ANY($3)\nORDER BY p_ci_builds.stage_idx, p_ci_builds.name",
			Tags:       map[string]string{"application": "web", "endpoint_id": "Projects::PipelinesController#show"},
		},
		{
			Fingerprint: pick, Verb: "select", Tables: []string{"ci_pending_builds", "ci_running_builds"},
			Predicates: column("ci_pending_builds", "tag_ids", "protected"),
			Text:       "WITH project_builds AS MATERIALIZED (\n  SELECT project_id, count(*) AS running_builds FROM ci_running_builds WHERE runner_type = $1 GROUP BY project_id)\nSELECT ci_pending_builds.build_id, ci_pending_builds.partition_id\nFROM ci_pending_builds LEFT JOIN project_builds USING (project_id)\nWHERE ci_pending_builds.tag_ids <@ $2 AND NOT ci_pending_builds.protected\nORDER BY coalesce(project_builds.running_builds, $3), ci_pending_builds.build_id LIMIT $4",
			Tags:       map[string]string{"application": "api", "endpoint_id": "POST /api/:version/jobs/request"},
		},
		{
			Fingerprint: beat, Verb: "update", Tables: []string{"ci_runner_machines"},
			Predicates: column("ci_runner_machines", "id"),
			Text:       "UPDATE ci_runner_machines SET contacted_at = $1 WHERE id = $2",
		},
		{
			Fingerprint: expire, Verb: "delete", Tables: []string{"p_ci_job_artifacts"},
			Predicates: column("p_ci_job_artifacts", "id"),
			Text:       "DELETE FROM p_ci_job_artifacts WHERE id IN (SELECT id FROM p_ci_job_artifacts WHERE expire_at < $1 AND locked = $2 LIMIT $3)",
		},
		{
			Fingerprint: newborn, Verb: "select", Tables: []string{"deployments", "environments", "p_ci_builds"},
			Text: "SELECT deployments.* FROM deployments JOIN environments ON environments.id = deployments.environment_id JOIN p_ci_builds ON p_ci_builds.id = deployments.deployable_id WHERE environments.project_id = $1",
		},
	}
	byPrint := make(map[pgvigil.Fingerprint]pgvigil.Query)
	for _, q := range list {
		q.Method = pgvigil.ByParse
		byPrint[q.Fingerprint] = q
	}
	return byPrint
}

func storyCoverage() pgvigil.Coverage {
	return pgvigil.Coverage{
		From: monday, To: sunday, Time: 0.962, Blocks: 0.981, Calls: 0.981, CallsMin: 0.964, CallsMax: 0.992, Own: 0.004, Gap: 0.012, Rollbacks: 1204, Passes: 984, Expected: 1008,
		Evicted: 318, FirstSights: 41, Resets: 0,
		Warnings: []pgvigil.Warning{
			{Code: "pgss-evictions", Text: "318 entries were evicted: pg_stat_statements.max of 5,000 is too small for this workload.", Remedy: "ALTER SYSTEM SET pg_stat_statements.max = 10000; -- and restart"},
			{Code: "gap", Text: "24 passes are missing on Tuesday night, 23:00 to 03:00: the server refused connections."},
		},
	}
}

func storyEvents() []pgvigil.Event {
	return []pgvigil.Event{
		{ID: 1, Server: 1, At: dropped.Add(-4 * time.Minute), Kind: pgvigil.EventDeploy, Object: "17.8.0-pre", Source: "user"},
		{ID: 2, Server: 1, DBID: ciDB, At: dropped.Add(5 * time.Minute), Since: dropped.Add(-5 * time.Minute), Kind: pgvigil.EventIndexDropped, Object: "public.index_p_ci_builds_on_commit_id_and_status", Table: "p_ci_builds", Before: "btree (commit_id, status, type)", Source: "catalog"},
		{ID: 3, Server: 1, DBID: ciDB, At: monday.Add(3 * 24 * time.Hour), Kind: pgvigil.EventTableCreated, Object: "gitlab_partitions.ci_builds_104", Table: "ci_builds_104", Source: "catalog"},
		{ID: 4, Server: 1, DBID: ciDB, At: applied, Kind: pgvigil.EventIndexCreated, Object: "public.idx_p_ci_builds_commit_id_status", Table: "p_ci_builds", After: "btree (commit_id, status)", Source: "catalog"},
		{ID: 5, Server: 1, At: applied.Add(time.Minute), Kind: pgvigil.EventProposalDone, Object: "proposal 3", Source: "user"},
		{ID: 6, Server: 1, At: swollen.Add(-2 * time.Hour), Kind: pgvigil.EventSettingChanged, Object: "autovacuum_naptime", Before: "15s", After: "1min", Source: "catalog"},
	}
}

func storyAlerts() []pgvigil.Alert {
	events := storyEvents()
	key := func(f pgvigil.Fingerprint) pgvigil.SeriesKey {
		return pgvigil.SeriesKey{Server: 1, DBID: ciDB, Fingerprint: f}
	}
	ok := pgvigil.Coverage{Time: 0.97, Blocks: 0.98}
	index := pgvigil.Alert{
		ID: 12, Target: "ci-main", Database: "gitlabhq_production", State: pgvigil.Resolved, Severity: pgvigil.Page,
		Opened: dropped.Add(40 * time.Minute), Updated: applied.Add(time.Hour), Closed: applied.Add(time.Hour),
		Query: storyQueries()[byState],
		Verdict: pgvigil.Regression{
			Kind: pgvigil.KindRegression, Series: key(byState), Onset: dropped, Detected: dropped.Add(35 * time.Minute),
			Factor: 41.2, Before: pgvigil.Profile{MS: 1.42, PlanMS: 0.08, Blocks: 41, Rows: 11.8, WALBytes: 0, HitRatio: 0.985, CallsPerHour: 1320},
			After: pgvigil.Profile{MS: 58.5, PlanMS: 0.08, Blocks: 9120, Rows: 11.8, HitRatio: 0.985, CallsPerHour: 1290},
			Band:  pgvigil.Band{Level: 1.42, Low: 1.28, High: 1.61}, ExtraMSPerHour: 73600, LoadShare: 0.118, Confidence: 0.998,
			Cause: pgvigil.CausePlan, CauseDetail: pgvigil.DetailIndexDropped,
			Causes: []pgvigil.CauseEvidence{
				{
					Cause: pgvigil.CausePlan, Detail: pgvigil.DetailIndexDropped, Score: 9.1,
					For:     []string{"blocks per call rose 222-fold, from 41 to 9,120, while rows per call stayed at 11.8", "index_p_ci_builds_on_commit_id_and_status on p_ci_builds was dropped within the ten minutes of the onset", "sequential scans of p_ci_builds rose from 0 to 1,290 an hour"},
					Against: []string{"three other statements of p_ci_builds did not move: they use other indexes"},
				},
				{Cause: pgvigil.CauseRows, Score: 0.4, Against: []string{"rows per call stayed at 11.8"}},
				{Cause: pgvigil.CauseContention, Score: 0.2, Against: []string{"time rose with blocks, and samples show no lock waits of this query"}},
			},
			Rule:   "time per call of 58.5 ms stood over the band of 1.28 to 1.61 ms in 7 of 7 intervals, and blocks per call moved with it (9,120 against 41)",
			Events: events[:2], Coverage: ok,
		},
	}
	queue := pgvigil.Alert{
		ID: 15, Target: "ci-main", Database: "gitlabhq_production", State: pgvigil.Open, Severity: pgvigil.Ticket,
		Opened: swollen.Add(5 * time.Hour), Updated: sunday, Query: storyQueries()[pick],
		Verdict: pgvigil.Regression{
			Kind: pgvigil.KindRegression, Series: key(pick), Onset: swollen.Add(time.Hour), Detected: swollen.Add(5 * time.Hour),
			Factor: 4.4, Before: pgvigil.Profile{MS: 0.91, PlanMS: 0.08, Blocks: 62, Rows: 1, HitRatio: 0.985, CallsPerHour: 9900},
			After: pgvigil.Profile{MS: 4.03, PlanMS: 0.31, Blocks: 388, Rows: 1, HitRatio: 0.985, CallsPerHour: 9870},
			Band:  pgvigil.Band{Level: 0.91, Low: 0.8, High: 1.05}, ExtraMSPerHour: 30800, LoadShare: 0.39, Confidence: 0.94,
			Cause: pgvigil.CauseBloat, CauseDetail: pgvigil.DetailLongTransaction,
			Causes: []pgvigil.CauseEvidence{
				{Cause: pgvigil.CauseBloat, Detail: pgvigil.DetailLongTransaction, Score: 6.7, For: []string{"dead rows of ci_pending_builds rose from 4,100 to 1,920,000 while live rows stayed near 14,000", "a session of application \u201cetl-nightly\u201d has been idle in transaction since Sat 17 Jan 05:58"}},
				{Cause: pgvigil.CausePlan, Score: 1.9, For: []string{"blocks per call rose"}, Against: []string{"they rise slowly, a plan changes at once"}},
			},
			Rule: "time per call rose in 27 of 30 intervals, from 0.91 to 4.03 ms, beyond the band of 0.80 to 1.05 ms",
			Coverage: pgvigil.Coverage{Time: 0.95, Blocks: 0.97, Warnings: []pgvigil.Warning{
				{Code: "sampled", Text: "Sessions are sampled once a pass; a short transaction between two passes is not seen."},
			}},
		},
	}
	incident := pgvigil.Alert{
		ID: 14, Target: "ci-main", Database: "gitlabhq_production", State: pgvigil.Resolved, Severity: pgvigil.Page,
		Opened: locked.Add(2 * time.Minute), Closed: locked.Add(12 * time.Minute),
		Verdict: pgvigil.Regression{
			Kind: pgvigil.KindIncident, Series: pgvigil.SeriesKey{Server: 1}, Queries: []pgvigil.Fingerprint{beat, pick, byState},
			Onset: locked, Detected: locked.Add(2 * time.Minute), Factor: 38, Cause: pgvigil.CauseContention, CauseDetail: pgvigil.DetailLockQueue,
			Rule: "61 % of active sessions waited for locks in 4 samples, all behind one ALTER TABLE ci_runner_machines that itself waited for a report",
		},
	}
	return []pgvigil.Alert{queue, incident, freshAlert(), index}
}

func freshAlert() pgvigil.Alert {
	return pgvigil.Alert{
		ID: 13, Target: "ci-main", Database: "gitlabhq_production", State: pgvigil.Open, Severity: pgvigil.ReportOnly, Opened: dropped.Add(time.Hour), Query: storyQueries()[newborn],
		Verdict: pgvigil.Regression{Kind: pgvigil.KindNew, Series: pgvigil.SeriesKey{Server: 1, DBID: ciDB, Fingerprint: newborn}, Onset: dropped, After: pgvigil.Profile{MS: 12.5}, LoadShare: 0.021, Rule: "first seen after the deploy of 17.8.0-pre"},
	}
}

func storyProposals() []pgvigil.Proposal {
	created := "CREATE INDEX CONCURRENTLY idx_p_ci_builds_commit_id_status\n    ON public.p_ci_builds (commit_id, status)"
	index := pgvigil.Proposal{
		ID: 3, Server: 1, Target: "ci-main", Database: "gitlabhq_production", Kind: pgvigil.ProposeIndex,
		Table: "public.p_ci_builds", Columns: []string{"commit_id", "status"}, Author: "rules", Alert: 12, State: pgvigil.Applied,
		Reason: "The query compares commit_id and status for equality and no index begins with commit_id any more.",
		Steps: []pgvigil.Step{
			{SQL: created + ";", Note: "Takes SHARE UPDATE EXCLUSIVE: reads and writes go on. About 40 s for 6.1 GiB. Look for an invalid index after it.", OutsideTx: true},
			{SQL: "ANALYZE public.p_ci_builds;", Note: "Only needed for expressions; harmless here."},
		},
		Undo: []pgvigil.Step{{SQL: "DROP INDEX CONCURRENTLY public.idx_p_ci_builds_commit_id_status;", OutsideTx: true}},
		Evidence: pgvigil.Evidence{
			Verdict: pgvigil.Verified, Method: "hypopg", CostBefore: 184220.4, CostAfter: 912.8, Size: 412 << 20, WriteOverhead: 0.031, LosesHOT: []string{"status"},
			Queries: []pgvigil.QueryEvidence{
				{
					Fingerprint: byState, Weight: 221400, CostBefore: 41822.5, CostAfter: 48.3, Uses: true,
					PlanBefore: "Sort  (cost=41822.10..41822.50 rows=12 width=612)\n  Sort Key: stage_idx, name\n  ->  Gather  (cost=1000.00..41821.88 rows=12 width=612)\n        Workers Planned: 2\n        ->  Parallel Seq Scan on ci_builds_103 p_ci_builds  (cost=0.00..40820.68 rows=5 width=612)\n              Filter: ((commit_id = $1) AND (partition_id = $2) AND (status = ANY ($3)))",
					PlanAfter:  "Sort  (cost=48.20..48.30 rows=12 width=612)\n  Sort Key: stage_idx, name\n  ->  Index Scan using <16412>btree_p_ci_builds_commit_id_status on ci_builds_103 p_ci_builds  (cost=0.43..47.98 rows=12 width=612)\n        Index Cond: ((commit_id = $1) AND (status = ANY ($3)))\n        Filter: (partition_id = $2)",
				},
				{Fingerprint: newborn, Weight: 4100, CostBefore: 912.4, CostAfter: 912.4},
			},
			Seconds: 1.9, WhatIfCalls: 34,
		},
		Drafted: dropped.Add(45 * time.Minute),
		Outcome: &pgvigil.Outcome{
			AppliedAt: applied, From: applied.Add(10 * time.Minute), To: sunday, Size: 398 << 20,
			Queries: []pgvigil.QueryOutcome{{Fingerprint: byState, Baseline: pgvigil.Profile{MS: 1.42, Blocks: 41}, Before: pgvigil.Profile{MS: 58.5, Blocks: 9120}, After: pgvigil.Profile{MS: 1.45, Blocks: 42.3}}},
		},
	}
	partition := pgvigil.Proposal{
		ID: 5, Server: 1, Target: "ci-main", Database: "gitlabhq_production", Kind: pgvigil.ProposePartition,
		Table: "public.deployments", Columns: []string{"created_at"}, Author: "gemini-1.5-pro", State: pgvigil.Drafted,
		Reason: "Half of its deletes remove rows older than 90 days, and 83 % of its queries name created_at.",
		Prose:  "The table grows by 1.1 GiB a day and retention deletes a tenth of it each night. With monthly partitions retention becomes a detach, which leaves no dead rows behind.",
		Steps: []pgvigil.Step{
			{SQL: "CREATE TABLE public.deployments_parted (LIKE public.deployments INCLUDING ALL)\n    PARTITION BY RANGE (created_at);", Note: "Locks nothing that is in use."},
			{SQL: "ALTER TABLE public.deployments ADD CONSTRAINT deployments_range\n    CHECK (created_at < '2026-02-01') NOT VALID;", Note: "ACCESS EXCLUSIVE for a moment: set lock_timeout to 100 ms and try again."},
		},
		Evidence: pgvigil.Evidence{
			Verdict: pgvigil.Unverified, Method: "none", WriteOverhead: math.NaN(),
			Warnings: []pgvigil.Warning{{Code: "not-pruned", Text: "17 % of its queries carry no created_at and would visit every partition."}},
		},
		Drafted: monday.Add(6 * 24 * time.Hour),
	}
	rejected := pgvigil.Proposal{
		ID: 4, Server: 1, Target: "ci-main", Database: "gitlabhq_production", Kind: pgvigil.ProposeIndex, Author: "gemini-1.5-pro",
		Table: "public.ci_pending_builds", Columns: []string{"tag_ids"}, State: pgvigil.Declined, Alert: 15,
		Reason: "A GIN index on tag_ids was said to serve the pick of jobs.",
		Steps:  []pgvigil.Step{{SQL: "CREATE INDEX CONCURRENTLY idx_ci_pending_builds_tag_ids ON public.ci_pending_builds USING gin (tag_ids);", OutsideTx: true}},
		Evidence: pgvigil.Evidence{
			Verdict: pgvigil.Rejected, Method: "scratch database", CostBefore: 402.2, CostAfter: 402.2, Size: 9 << 20, WriteOverhead: 0.62, Seconds: 4, WhatIfCalls: 2,
			Queries: []pgvigil.QueryEvidence{{Fingerprint: pick, Weight: 980000, CostBefore: 402.2, CostAfter: 402.2}},
		},
		Drafted: swollen.Add(6 * time.Hour),
	}
	return []pgvigil.Proposal{rejected, index, partition}
}

// storyTables are a table with four partitions, one of them new, an index and
// a TOAST table, a queue that swells, and one that shrinks.
func storyTables() ([]pgvigil.DatabaseRead, []pgvigil.RelationSeries) {
	db := pgvigil.DatabaseRead{OID: ciDB, Name: "gitlabhq_production", Visited: true}
	var sizes []pgvigil.RelationSeries
	grow := func(oid pgvigil.OID, schema, name string, from, to int64) {
		r := pgvigil.RelationSeries{Key: pgvigil.RelationKey{DBID: ciDB, RelID: oid}, Schema: schema, Name: name}
		for i := range int64(29) {
			if from == 0 && i < 12 { // new on Thursday
				continue
			}
			r.Sizes = append(r.Sizes, pgvigil.SizePoint{At: monday.Add(time.Duration(i) * 6 * time.Hour), Pages: from + (to-from)*i/28})
		}
		sizes = append(sizes, r)
	}
	table := func(oid pgvigil.OID, schema, name, kind string, parent pgvigil.OID, from, to int64, b *pgvigil.Bloat) {
		db.Tables = append(db.Tables, pgvigil.Table{Key: pgvigil.RelationKey{DBID: ciDB, RelID: oid}, Schema: schema, Name: name, Kind: kind, Parent: parent, Pages: to, Bloat: b})
		if kind != "p" {
			grow(oid, schema, name, from, to)
		}
	}
	index := func(oid, of pgvigil.OID, name string, from, to int64, b *pgvigil.Bloat) {
		db.Indexes = append(db.Indexes, pgvigil.Index{Key: pgvigil.RelationKey{DBID: ciDB, RelID: oid}, TableID: of, Schema: "public", Name: name, Pages: to, Valid: true, Bloat: b})
		grow(oid, "public", name, from, to)
	}
	estimate := func(share float64, pages int64, method string, err float64) *pgvigil.Bloat {
		b := &pgvigil.Bloat{Share: share, Bytes: pgvigil.Bytes(share * float64(pages) * 8192), Method: method, Error: err}
		if method != "estimate" {
			b.At = time.Date(2026, 1, 17, 6, 30, 0, 0, time.UTC)
		}
		return b
	}
	table(20000, "public", "p_ci_builds", "p", 0, 0, 0, nil)
	table(20001, "public", "ci_builds", "r", 20000, 410000, 410000, estimate(0.06, 410000, "estimate", 0.1))
	table(20002, "gitlab_partitions", "ci_builds_103", "r", 20000, 780000, 801000, estimate(0.11, 801000, "estimate", 0.1))
	table(20003, "gitlab_partitions", "ci_builds_104", "r", 20000, 0, 96000, nil)
	index(20010, 20002, "ci_builds_103_pkey", 91000, 94800, estimate(0.18, 94800, "estimate", 0.15))
	toast := &db.Tables[2].TOAST
	*toast = pgvigil.TOAST{RelID: 20020, Pages: 12600, Live: 31000, Dead: 9000, Bloat: estimate(0.38, 12600, "chunks", 0.2)}
	grow(20020, "pg_toast", "pg_toast_20002", 12000, 12600)
	table(20030, "public", "ci_pending_builds", "r", 0, 1900, 41200, estimate(0.94, 41200, "pgstattuple_approx", 0.02))
	index(20031, 20030, "ci_pending_builds_pkey", 300, 5200, nil)
	table(20040, "public", "deployments", "r", 0, 610000, 748000, estimate(0.031, 748000, "estimate", 0.1))
	table(20050, "public", "p_ci_job_artifacts", "r", 0, 210000, 204500, estimate(0.21, 204500, "estimate", 0.1))
	pending := &db.Tables[4]
	pending.RelTuples, pending.Counters.LiveTuples, pending.Counters.DeadTuples = 14_000, 14_000, 1_920_000
	pending.LastVacuum = sunday.Add(-20 * time.Minute)
	db.Indexes = append(db.Indexes, pgvigil.Index{
		Key: pgvigil.RelationKey{DBID: ciDB, RelID: 20070}, TableID: 20040, Schema: "public", Name: "index_deployments_on_sha_ccnew", Table: "deployments", Pages: 64, Valid: false,
	})
	return []pgvigil.DatabaseRead{db}, sizes
}

// hostile is a text that tries everything at once.
func hostile() string {
	return "SELECT '</script><script>window.pwned=1</script>' AS \"<img src=x onerror=window.pwned=1>\" /* {{.Title}} <!-- --> ]]> */, " +
		"'\x00\x07\x1b[31mred\x1b[0m\u202etxt.exe\u2066\u200b\xff\xfe\xc3\x28 \\u003c/script\\u003e' , 'javascript:window.pwned=1' " +
		"\u2028window.pwned=1\u2029 <svg/onload=window.pwned=1> <iframe srcdoc='<script>parent.pwned=1</script>'> <link rel=stylesheet href=http://127.0.0.1:47999/x.css> <style>@import 'http://127.0.0.1:47999/y.css'</style> " +
		"<meta http-equiv=refresh content='0;url=http://127.0.0.1:47999/'> <base href=http://127.0.0.1:47999/> FROM t " + strings.Repeat("x", 200)
}
