package analyzer

import (
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/outlook"
)

// waiting says that the verdict is about calls, or a whole server, that take
// longer without doing more.
func (e *evidence) waiting() bool {
	return e.v.Kind == pgvigil.KindIncident || e.v.Kind == pgvigil.KindRegression && !e.moreWork()
}

// rose says by what factor a rate rose; false if that is not known. One that
// was nothing before rose by its number.
func (e *evidence) rose(m pgvigil.ServerMetric) (was, is float64, ok bool) {
	was, is = e.server.before.perSecond(m), e.server.after.perSecond(m)
	return was, is, !math.IsNaN(was) && !math.IsNaN(is)
}

// checkpoints: WAL forces checkpoints before their time, each of which makes
// the first change of every page an image of it.
func checkpoints(e *evidence, s *suspicion) {
	was, is, ok := e.rose(pgvigil.CheckpointsRequested)
	if !ok || !e.waiting() || e.server.after.counters[pgvigil.CheckpointsRequested] < 2 || is < 2*was {
		return
	}
	s.pro(3, "checkpoints forced by WAL came %.1f times an hour, %.1f before", 3600*is, 3600*was)
	if was, is, ok := e.rose(pgvigil.ServerWALFPI); ok && is > 1.5*was {
		s.pro(2, "full-page images were written %.0f times a second, %.0f before", is, was)
	}
	if was, is, ok := e.rose(pgvigil.ServerWALBytes); ok && is > 1.5*was {
		s.pro(1, "the server wrote %.1f MiB of WAL a second, %.1f before", is/(1<<20), was/(1<<20))
	}
	if v := e.query.Verb; e.v.Kind == pgvigil.KindRegression && v == "select" {
		s.contra(2, "the query only reads")
	}
}

// fewReads is how many bytes must be read before and after for their time to
// mean anything.
const fewReads = 8 << 20

// slowReads: the same blocks take longer to come. The server tells from 16 on,
// with track_io_timing.
func slowReads(e *evidence, s *suspicion) {
	b, a := e.server.before, e.server.after
	if !e.waiting() || b.counters[pgvigil.IOReadBytes] < fewReads || a.counters[pgvigil.IOReadBytes] < fewReads {
		return
	}
	was, is := 8192*b.perByteRead(pgvigil.IOReadMS), 8192*a.perByteRead(pgvigil.IOReadMS)
	if !(was > 0) || !(is > 1.5*was) {
		return
	}
	s.pro(3, "reading a block took %.3f ms, %.3f before", is, was)
	if vacuum := a.perByteRead(pgvigil.IOVacuumReadBytes); vacuum > 0.5 && vacuum > 2*b.perByteRead(pgvigil.IOVacuumReadBytes) {
		s.pro(1, "vacuum read %.0f %% as much as all sessions did", 100*vacuum)
	}
	if bulk := a.perByteRead(pgvigil.IOBulkReadBytes); bulk > 0.5 && bulk > 2*b.perByteRead(pgvigil.IOBulkReadBytes) {
		s.pro(1, "scans of large tables did %.0f %% of the reading", 100*bulk)
	}
}

// maintenance: a vacuum or an index build of the query's tables, or something
// that takes the disk of the whole server, was under way at the onset.
func maintenance(e *evidence, s *suspicion) {
	if !e.waiting() {
		return
	}
	for _, p := range e.server.running() {
		if !p.Since.IsZero() && p.Since.Before(e.v.Onset.Add(-eventBefore*e.period)) {
			continue // it ran long before and nobody suffered
		}
		mine := e.touches(p)
		switch {
		case mine && p.Kind != "analyze":
			s.pro(3, "%s", runningWords(p))
		case !mine && slices.Contains([]string{"base backup", "cluster", "create index", "copy"}, p.Kind):
			s.pro(1.5, "%s", runningWords(p))
		}
	}
	if s.Score > 4.5 { // several at a time say no more than the first two
		s.Score = 4.5
	}
}

func runningWords(p pgvigil.Progress) string {
	text := "a " + p.Kind
	if p.Kind == "analyze" || p.Kind == "create index" {
		text = map[string]string{"analyze": "an analyze", "create index": "an index build"}[p.Kind]
	}
	if p.Auto {
		text = "an automatic " + p.Kind
	}
	if p.Name != "" {
		text += " of " + p.Name
	}
	text += " was under way near the onset (" + p.Phase
	if p.Total > 0 {
		text += fmt.Sprintf(", %.0f %%", 100*min(1, p.Done/p.Total))
	}
	return text + ")"
}

// touches says whether a piece of maintenance concerns a table of the query.
func (e *evidence) touches(p pgvigil.Progress) bool {
	if p.Key.RelID == 0 {
		return false
	}
	_, ours := e.tables[e.catalog.root(p.Key)]
	return ours
}

// deadRows returns that of the query's tables whose dead rows grew most.
func (e *evidence) deadRows() (worst tableMove, found bool) {
	for _, m := range e.tables {
		grew := m.dead > 200 && (m.dead > 2*m.deadBefore || m.dead > m.live)
		if grew && (!found || m.dead > worst.dead) {
			worst, found = m, true
		}
	}
	return worst, found
}

// heldFor is the age, in transactions, from which a holder may be why dead rows
// stay; what holds them back for moments is no news.
const heldFor = 1000

// heldBack: dead rows stay because a slot, a prepared transaction or a standby
// may need them. Sessions are longTransaction's.
func heldBack(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || e.v.Numbers.Blocks < 0.15 {
		return
	}
	m, dead := e.deadRows()
	h, held := e.server.holder()
	if !dead || !held || h.Kind == pgvigil.HeldBySession || h.Age < heldFor {
		return
	}
	s.pro(4, "%s holds %.0f dead rows beside %.0f live ones, %.0f before", m.name, m.dead, m.live, m.deadBefore)
	s.pro(3.5, "%s %s keeps vacuum from removing them: %d transactions began since", h.Kind, h.Name, h.Age)
}

// vacuumOutrun: autovacuum should have come to a table of the query and did not.
func vacuumOutrun(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || e.v.Numbers.Blocks < 0.15 || e.v.Numbers.Rows > 0.5*e.v.Numbers.Blocks {
		return
	}
	m, dead := e.deadRows()
	if !dead {
		return
	}
	for _, p := range m.parts {
		t := e.catalog.tables[p.key]
		up := outlook.UpkeepOf(&t, e.server.settings)
		if p.vacuums > 0 || !up.Due(p.dead) || p.dead < m.dead/4 {
			continue
		}
		s.pro(3, "%s holds %.0f dead rows; autovacuum is due from %.0f and did not come", e.catalog.label(p.key), p.dead, up.VacuumAt)
		if up.Off != "" {
			s.pro(3, "%s", up.Off)
		}
		return
	}
}

// deadlocks: transactions of the database are cancelled to free each other.
func deadlocks(e *evidence, s *suspicion) {
	b, a := e.server.before, e.server.after
	if !e.waiting() || a.deadlocks < 2 || a.perHour(a.deadlocks) < 3*b.perHour(b.deadlocks) {
		return
	}
	s.pro(3, "%.0f deadlocks since the onset, %.1f an hour before", a.deadlocks, b.perHour(b.deadlocks))
	if was, is := b.rollbacks/max(1, b.transactions), a.rollbacks/max(1, a.transactions); is > 0.02 && is > 2*was {
		s.pro(1, "%.1f %% of the transactions rolled back, %.1f %% before", 100*is, 100*was)
	}
	if e.v.Kind == pgvigil.KindRegression && e.query.Verb == "select" && share(e.waits, "Lock:") == 0 {
		s.contra(3, "the query only reads, and none of its sessions waited for a lock")
	}
}

// slru: sessions look up subtransactions or multixacts, page by page, in small
// caches that all share.
func slru(e *evidence, s *suspicion) {
	if !e.waiting() {
		return
	}
	for _, k := range []struct {
		what           string
		lookups, reads pgvigil.ServerMetric
	}{
		{"subtransactions", pgvigil.SubtransLookups, pgvigil.SubtransReads},
		{"multixacts", pgvigil.MultiXactLookups, pgvigil.MultiXactReads},
	} {
		was, is, ok := e.rose(k.lookups)
		if !ok || is < 500 || is < 5*was {
			continue
		}
		s.pro(3, "%.0f lookups of %s a second, %.0f before", is, k.what, was)
		if was, is, ok := e.rose(k.reads); ok && is > 10 && is > 5*was {
			s.pro(1, "%.0f pages of them a second came from disk, %.0f before", is, was)
		}
	}
	if p := share(e.allWaits, "LWLock:Subtrans", "LWLock:MultiXact", "LWLock:SLRU"); s.Score > 0 && p > 0.1 {
		s.pro(2, "%.0f %% of the active sessions waited for their locks", 100*p)
	}
}

// syncStandby: commits wait for a standby.
func syncStandby(e *evidence, s *suspicion) {
	waits := e.waits
	if e.v.Kind == pgvigil.KindIncident {
		waits = e.allWaits
	}
	p := share(waits, "IPC:SyncRep")
	if !e.waiting() || p < 0.2 {
		return
	}
	s.pro(3+3*p, "%.0f %% of the sessions waited for a standby to confirm", 100*p)
	if n := len(e.server.since); n > 0 {
		for _, r := range e.server.since[n-1].Replicas {
			if r.SyncState != "async" && r.LagBytes > 0 {
				s.pro(1, "standby %s (%s) is %.1f MiB behind", r.Application, r.SyncState, float64(r.LagBytes)/(1<<20))
				break
			}
		}
	}
}

// schemaEvents change what the planner knows of a table, or what it calls.
var schemaEvents = []pgvigil.EventKind{
	pgvigil.EventColumnChanged, pgvigil.EventConstraintDropped, pgvigil.EventPartitionAttached, pgvigil.EventPartitionDetached,
	pgvigil.EventExtensionUpdated, pgvigil.EventTableChanged,
}

// schemaChanged: a definition on its tables changed, and a call does more work.
func schemaChanged(e *evidence, s *suspicion) {
	list := e.eventsOf(schemaEvents...)
	if !e.slower() || len(list) == 0 {
		return
	}
	ev := list[0]
	change := ""
	if ev.Before != "" && ev.After != "" {
		change = " (" + ev.Before + ", then " + ev.After + ")"
	}
	s.pro(2.5, "%s near the onset: %s%s", ev.Kind, ev.Object, change)
	e.moreBlocks(s)
}
