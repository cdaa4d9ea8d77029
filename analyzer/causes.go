package analyzer

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// suspicion weighs one possible cause. A score of 0 or less drops it.
type suspicion struct {
	pgvigil.CauseEvidence
}

func (s *suspicion) pro(score float64, format string, args ...any) {
	s.Score += score
	s.For = append(s.For, fmt.Sprintf(format, args...))
}

func (s *suspicion) contra(score float64, format string, args ...any) {
	s.Score -= score
	s.Against = append(s.Against, fmt.Sprintf(format, args...))
}

// theory is one cause that is looked for; it leaves s alone when nothing speaks
// for it. Adding one is adding a line to theories.
type theory struct {
	cause  pgvigil.Cause
	detail string
	weigh  func(e *evidence, s *suspicion)
}

// theories are all causes of slower calls, in no order.
var theories = []theory{
	{pgvigil.CausePlan, pgvigil.DetailIndexDropped, indexDropped},
	{pgvigil.CausePlan, pgvigil.DetailIndexInvalid, indexInvalid},
	{pgvigil.CausePlan, pgvigil.DetailNoIndex, noIndex},
	{pgvigil.CausePlan, pgvigil.DetailPruningLost, pruningLost},
	{pgvigil.CausePlan, pgvigil.DetailStaleStatistics, staleStatistics},
	{pgvigil.CausePlan, pgvigil.DetailGenericPlan, genericPlan},
	{pgvigil.CausePlan, pgvigil.DetailSetting, settingChanged},
	{pgvigil.CausePlan, pgvigil.DetailPlanChanged, planChanged},
	{pgvigil.CauseSpill, "", spill},
	{pgvigil.CauseSpill, pgvigil.DetailSetting, spillBySetting},
	{pgvigil.CauseBloat, pgvigil.DetailLongTransaction, longTransaction},
	{pgvigil.CauseBloat, pgvigil.DetailHOTLost, hotLost},
	{pgvigil.CauseBloat, "", bloat},
	{pgvigil.CauseRows, pgvigil.DetailListGrowth, listGrowth},
	{pgvigil.CauseRows, pgvigil.DetailRetentionOff, retentionOff},
	{pgvigil.CauseRows, "", moreRows},
	{pgvigil.CauseContention, pgvigil.DetailLockQueue, lockQueue},
	{pgvigil.CauseContention, pgvigil.DetailHotRow, hotRow},
	{pgvigil.CauseIO, "", coldCache},
	{pgvigil.CauseContention, "", contention},
	{pgvigil.CausePlan, "", workRose},
	{pgvigil.CauseDatabase, "", wholeServer},
	{pgvigil.CauseDatabase, pgvigil.DetailNeighbour, neighbour},
	{pgvigil.CausePlan, pgvigil.DetailSchema, schemaChanged},
	{pgvigil.CauseBloat, pgvigil.DetailHeldBack, heldBack},
	{pgvigil.CauseBloat, pgvigil.DetailVacuumOutrun, vacuumOutrun},
	{pgvigil.CauseContention, pgvigil.DetailDeadlocks, deadlocks},
	{pgvigil.CauseContention, pgvigil.DetailSLRU, slru},
	{pgvigil.CauseContention, pgvigil.DetailSyncStandby, syncStandby},
	{pgvigil.CauseIO, pgvigil.DetailCheckpoints, checkpoints},
	{pgvigil.CauseIO, pgvigil.DetailSlowReads, slowReads},
	{pgvigil.CauseDatabase, pgvigil.DetailMaintenance, maintenance},
	{pgvigil.CauseTraffic, pgvigil.DetailNPlusOne, nPlusOne},
}

// name weighs the causes of v and writes them into r.
func (b *book) name(ctx context.Context, v change.Verdict, r *pgvigil.Regression) error {
	e, err := b.gather(ctx, v)
	if err != nil {
		return fmt.Errorf("gather evidence: %w", err)
	}
	r.Events = e.events
	r.Causes = e.rank()
	if len(r.Causes) > 0 {
		r.Cause, r.CauseDetail = r.Causes[0].Cause, r.Causes[0].Detail
	}
	return nil
}

// rank returns the causes that something speaks for, likeliest first. A cause
// is never named because no other fits: then it is unknown, with what was ruled
// out.
func (e *evidence) rank() []pgvigil.CauseEvidence {
	var out []pgvigil.CauseEvidence
	for _, t := range theories {
		s := suspicion{pgvigil.CauseEvidence{Cause: t.cause, Detail: t.detail}}
		t.weigh(e, &s)
		e.planned(&s)
		if s.Score > 0 {
			out = append(out, s.CauseEvidence)
		}
	}
	slices.SortStableFunc(out, func(a, b pgvigil.CauseEvidence) int { return cmp.Compare(b.Score, a.Score) })
	if len(out) == 0 && e.v.Kind == pgvigil.KindRegression {
		out = append(out, pgvigil.CauseEvidence{Cause: pgvigil.CauseUnknown, For: []string{e.numbers()}, Against: e.ruledOut()})
	}
	return out
}

// ruledOut says why none of the causes that would show in numbers is named.
func (e *evidence) ruledOut() []string {
	n := e.v.Numbers
	var out []string
	if n.Blocks > 0.15 {
		out = append(out, "bloat: no table of the query holds many dead rows")
	} else {
		out = append(out, fmt.Sprintf("another plan, or bloat: blocks per call %.2f times", math.Exp(n.Blocks)))
	}
	out = append(out, fmt.Sprintf("more rows: rows per call %.2f times", math.Exp(n.Rows)), "spills: no temporary blocks that were not there before")
	if !n.Hit {
		out = append(out, "a cold cache: the hit ratio did not fall")
	}
	if e.sampled < fewSamples {
		out = append(out, "waits: not known, its sessions were hardly seen at work")
	} else {
		out = append(out, fmt.Sprintf("waits: %.0f %% of %d samples of its sessions were running", 100*float64(e.waits[""])/float64(e.sampled), e.sampled))
	}
	if len(e.events) == 0 {
		out = append(out, "a change: no index, setting, definition or deploy near the onset")
	}
	return out
}

// numbers says in a sentence what moved.
func (e *evidence) numbers() string {
	n := e.v.Numbers
	return fmt.Sprintf("time per call %.2f times, blocks %.2f times, rows %.2f times", math.Exp(n.Shift), math.Exp(n.Blocks), math.Exp(n.Rows))
}

// moreWork says that a call touches more blocks without returning more rows.
func (e *evidence) moreWork() bool {
	n := e.v.Numbers
	return n.Blocks > 0.3*n.Shift && n.Blocks > 0.15 && n.Rows < 0.5*n.Blocks
}

// eventsOf returns the events of a kind near the onset.
func (e *evidence) eventsOf(kinds ...pgvigil.EventKind) []pgvigil.Event {
	var out []pgvigil.Event
	for _, ev := range e.events {
		if slices.Contains(kinds, ev.Kind) {
			out = append(out, ev)
		}
	}
	return out
}

func (e *evidence) isNew() bool { return e.v.Kind == pgvigil.KindNew }
func (e *evidence) slower() bool {
	return e.v.Kind == pgvigil.KindRegression || e.isNew()
}

// scans says how sequential scans took over from index scans on its tables.
func (e *evidence) scans() (table string, more bool) {
	for _, m := range e.tables {
		if m.after.seqTuples > 3*m.before.seqTuples && m.after.seqTuples > 1000 {
			return m.name, true
		}
	}
	return "", false
}

func indexDropped(e *evidence, s *suspicion) {
	list := e.eventsOf(pgvigil.EventIndexDropped)
	if !e.slower() || len(list) == 0 {
		return
	}
	s.pro(4, "index %s on %s was dropped near the onset", list[0].Object, list[0].Table)
	e.moreBlocks(s)
	if t, more := e.scans(); more {
		s.pro(2, "sequential scans of %s read more tuples than before", t)
	}
}

// moreBlocks adds what blocks per call say about a cause that costs work.
func (e *evidence) moreBlocks(s *suspicion) {
	n := e.v.Numbers
	switch {
	case e.isNew():
	case e.moreWork():
		s.pro(3, "blocks per call %.1f times, rows per call %.1f times", math.Exp(n.Blocks), math.Exp(n.Rows))
	default:
		s.contra(4, "blocks per call %.2f times: a call does no more work", math.Exp(n.Blocks))
	}
}

func indexInvalid(e *evidence, s *suspicion) {
	list := e.eventsOf(pgvigil.EventIndexInvalid)
	if !e.slower() || len(list) == 0 {
		return
	}
	s.pro(4, "index %s on %s became invalid near the onset", list[0].Object, list[0].Table)
	e.moreBlocks(s)
}

// noIndex is about new queries: an expensive one whose predicates no index
// begins with.
func noIndex(e *evidence, s *suspicion) {
	if !e.isNew() {
		return
	}
	if blocks := e.v.After.Blocks; blocks > 100 && e.v.After.Rows < blocks {
		s.pro(1, "a new query reads %.0f blocks a call for %.0f rows", blocks, e.v.After.Rows)
	}
	if p, ok := e.unindexed(); ok {
		s.pro(3, "no index of %s begins with %s", p.Table, p.Column)
	}
	if t, more := e.scans(); more {
		s.pro(1, "sequential scans of %s read more tuples than before", t)
	}
}

// unindexed returns a predicate of the query on a column that no index of its
// table begins with, when that is so of all its predicates on that table.
func (e *evidence) unindexed() (pgvigil.Predicate, bool) {
	served := map[string]bool{}
	var first pgvigil.Predicate
	for _, p := range e.query.Predicates {
		t := unqualified(p.Table)
		indexes := e.indexes(p.Table)
		if p.Join || len(indexes) == 0 {
			continue
		}
		for _, i := range indexes {
			if len(i.Keys) > 0 && i.Keys[0] == p.Column {
				served[t] = true
			}
		}
		if first.Column == "" {
			first = p
		}
	}
	return first, first.Column != "" && !served[unqualified(first.Table)]
}

// indexes returns those of the tables that the query may mean by a name.
func (e *evidence) indexes(table string) (out []pgvigil.Index) {
	for _, k := range e.catalog.find(e.v.Series.DBID, table) {
		out = append(out, e.catalog.indexes[k]...)
	}
	return out
}

// pruningLost: a query on a partitioned table touches partitions it need not.
func pruningLost(e *evidence, s *suspicion) {
	if !e.slower() {
		return
	}
	if table, ok := e.unpruned(); ok && e.isNew() {
		s.pro(4.5, "a new query names the partitioned table %s without its partition key %s", e.catalog.label(table.Key), table.PartitionKey)
		return
	}
	rate := e.v.After.CallsPerHour / 3600
	for _, m := range e.tables {
		more := 0
		for _, x := range m.scanned {
			if x > 0.4*rate {
				more++
			}
		}
		if len(m.scanned) > 1 && more > 1 && e.moreWork() && rate > 0 {
			s.pro(5, "%d partitions of %s are scanned more often than before, by about as much as the query is called", more, m.name)
			e.moreBlocks(s)
			break
		}
	}
	if before, after := e.v.Before.PlanMS, e.v.After.PlanMS; s.Score > 0 && after > 1.5*before {
		s.pro(1, "planning takes %.2f ms, %.2f ms before", after, before)
	}
}

// unpruned returns a partitioned table that the query names with no predicate
// on its partition key.
func (e *evidence) unpruned() (pgvigil.Table, bool) {
	for _, name := range e.query.Tables {
		for _, k := range e.catalog.find(e.v.Series.DBID, name) {
			if t := e.catalog.tables[k]; t.PartitionKey != "" && !e.prunes(name, t.PartitionKey) {
				return t, true
			}
		}
	}
	return pgvigil.Table{}, false
}

// prunes says whether the query compares a column of the partition key of a
// table that it names so.
func (e *evidence) prunes(table, key string) bool {
	return slices.ContainsFunc(e.query.Predicates, func(p pgvigil.Predicate) bool {
		mine := p.Table == "" || unqualified(p.Table) == unqualified(table)
		return mine && !p.Join && keyHas(key, p.Column)
	})
}

// staleStatistics: more work, and the planner's numbers are old.
func staleStatistics(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || !e.moreWork() {
		return
	}
	for _, m := range e.tables {
		if m.live <= 0 || m.modified < 0.1*m.live || m.modified < 500 {
			continue
		}
		score := 1.0
		if m.changed > 0.05*m.live || m.modified > 0.25*m.live {
			score = 3
		}
		s.pro(score, "%.0f rows of %s changed since it was analyzed, of %.0f", m.modified, m.name, m.live)
		break
	}
	if s.Score == 0 {
		return
	}
	if list := e.eventsOf(pgvigil.EventAnalyzed); len(list) > 0 {
		s.pro(1, "%s was analyzed near the onset", list[0].Table)
	}
	e.moreBlocks(s)
}

// genericPlan: a statement does more work since it is planned no more. Only
// planning times tell (track_planning).
func genericPlan(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || !e.moreWork() {
		return
	}
	before, after := e.v.Before.PlanMS, e.v.After.PlanMS
	if !(before > 0) || !(after < 0.5*before) {
		return
	}
	s.pro(4, "planning takes %.3f ms a call, %.3f ms before: a plan is used again", after, before)
	e.moreBlocks(s)
}

// workRose: a call does more work for the same rows, at once. It is the coarse
// word for it: why the plan changed is another theory's.
func workRose(e *evidence, s *suspicion) {
	if e.v.Kind == pgvigil.KindRegression && e.v.Cause != pgvigil.CauseBloat && e.moreWork() {
		s.pro(1.5, "%s: a call does more work from one pass to the next", e.numbers())
	}
}

func settingChanged(e *evidence, s *suspicion) {
	list := e.settings()
	if !e.slower() || len(list) == 0 {
		return
	}
	ev := list[0]
	s.pro(4, "%s near the onset", settingWords(ev))
	e.moreBlocks(s)
}

// settingWords say how a setting changed; one of a database or role may not have
// been set before, or not be set any more.
func settingWords(ev pgvigil.Event) string {
	switch {
	case ev.Before == "":
		return fmt.Sprintf("%s was set to %s", ev.Object, ev.After)
	case ev.After == "":
		return fmt.Sprintf("%s, %s before, was reset", ev.Object, ev.Before)
	}
	return fmt.Sprintf("%s changed from %s to %s", ev.Object, ev.Before, ev.After)
}

func spill(e *evidence, s *suspicion) {
	if e.v.Kind == pgvigil.KindRegression && e.v.Numbers.Temp {
		s.pro(5, "%.0f temporary blocks a call, %.0f before", e.v.After.TempBlocks, e.v.Before.TempBlocks)
	}
}

func spillBySetting(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || !e.v.Numbers.Temp {
		return
	}
	for _, ev := range e.settings() {
		s.pro(8, "%.0f temporary blocks a call; %s near the onset", e.v.After.TempBlocks, settingWords(ev))
		return
	}
}

func moreRows(e *evidence, s *suspicion) {
	n := e.v.Numbers
	if e.v.Kind == pgvigil.KindRegression && n.Rows > 0.5*n.Shift && n.Rows > 0.5*n.Blocks {
		s.pro(2, "rows per call %.1f times, %.0f before", math.Exp(n.Rows), e.v.Before.Rows)
	}
}

func coldCache(e *evidence, s *suspicion) {
	if e.v.Kind == pgvigil.KindRegression && e.v.Numbers.Hit {
		s.pro(3, "hit ratio %.2f, %.2f before", e.v.After.HitRatio, e.v.Before.HitRatio)
	}
}
