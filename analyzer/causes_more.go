package analyzer

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pgvigil/pgvigil"
)

// keyHas says whether a partition key such as "LIST (partition_id)" names the
// column.
func keyHas(key, column string) bool {
	open, end := strings.IndexByte(key, '('), strings.LastIndexByte(key, ')')
	if open < 0 || end < open {
		return false
	}
	words := strings.FieldsFunc(key[open:end], func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return slices.Contains(words, column)
}

// planners are the settings that change plans or what a call costs.
var planners = []string{
	"random_page_cost", "seq_page_cost", "cpu_", "work_mem", "hash_mem_multiplier", "effective_cache_size", "enable_",
	"jit", "plan_cache_mode", "default_statistics_target", "shared_buffers", "effective_io_concurrency", "parallel_",
	"min_parallel_", "max_parallel_", "geqo", "from_collapse_limit", "join_collapse_limit", "constraint_exclusion",
	"cursor_tuple_fraction", "synchronous_commit",
}

// settings returns the changes of settings that may change plans.
func (e *evidence) settings() []pgvigil.Event {
	return slices.DeleteFunc(e.eventsOf(pgvigil.EventSettingChanged), func(ev pgvigil.Event) bool {
		return !slices.ContainsFunc(planners, func(p string) bool { return strings.Contains(ev.Object, p) })
	})
}

// longEnough is the age of a transaction, in passes, from which it may hold
// back vacuum.
const longEnough = 10

// longText is how many characters of a statement a sentence quotes.
const longText = 160

func longTransaction(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || e.v.Numbers.Blocks < 0.15 {
		return
	}
	if e.oldestXact < longEnough*e.period {
		return
	}
	for _, m := range e.tables {
		if m.dead > 2*m.deadBefore && m.dead > 200 || m.dead > m.live && m.dead > 200 {
			s.pro(4, "%s holds %.0f dead rows beside %.0f live ones, %.0f before", m.name, m.dead, m.live, m.deadBefore)
			s.pro(3, "%s has had a transaction open for %s, which keeps vacuum from removing them", who(e.oldest), e.oldestXact.Round(time.Second))
			if text := []rune(e.oldest.Query); len(text) > 0 {
				s.pro(0, "its last statement: %s", string(text[:min(longText, len(text))]))
			}
			return
		}
	}
}

// bloat: blocks per call creep up with dead rows.
func bloat(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || e.v.Numbers.Blocks < 0.15 || e.v.Numbers.Rows > 0.5*e.v.Numbers.Blocks {
		return
	}
	for _, m := range e.tables {
		if m.dead > 0.5*m.live && m.dead > 2*m.deadBefore && m.dead > 200 {
			s.pro(3, "%s holds %.0f dead rows beside %.0f live ones", m.name, m.dead, m.live)
			return
		}
	}
}

// hotLost: updates of a table dirty more and log more since an index was
// created on it.
func hotLost(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || e.query.Verb != "update" && e.query.Verb != "merge" && e.query.Verb != "insert" {
		return
	}
	for _, m := range e.tables {
		was, is := m.before.hot/max(1e-9, m.before.upd), m.after.hot/max(1e-9, m.after.upd)
		if m.before.upd > 0 && m.after.upd > 0 && is < 0.6*was {
			s.pro(4, "%.0f %% of the updates of %s are HOT, %.0f %% before", 100*is, m.name, 100*was)
		}
	}
	if s.Score == 0 {
		return
	}
	if list := e.eventsOf(pgvigil.EventIndexCreated); len(list) > 0 {
		s.pro(4, "index %s on %s was created near the onset", list[0].Object, list[0].Table)
	}
	if e.v.After.WALBytes > 1.3*e.v.Before.WALBytes {
		s.pro(1, "a call writes %.0f bytes of WAL, %.0f before", e.v.After.WALBytes, e.v.Before.WALBytes)
	}
}

// listGrowth: more rows a call, by a list that can be seen to have grown. A list
// of constants, or rows that each value has more of, look the same in the text;
// so the length that the rows speak for must be more than the values can have.
func listGrowth(e *evidence, s *suspicion) {
	n := e.v.Numbers
	if e.v.Kind != pgvigil.KindRegression || n.Rows < 0.3*n.Shift || n.Rows < 0.2 {
		return
	}
	for _, p := range e.query.Predicates {
		each, ok := e.rowsPerValue(p)
		if p.Op != "in" && p.Op != "any" || !ok {
			continue
		}
		was, is := e.v.Before.Rows/each, e.v.After.Rows/each
		if is < 2 || is < 1.5*max(was, 0.5) {
			continue
		}
		s.pro(4, "rows per call %.1f times: a value of %s has %.1f rows, so the list holds %.0f values at least, %.0f before", math.Exp(n.Rows), p.Column, each, is, was)
		return
	}
}

// rowsPerValue returns how many rows of its table a value of the predicate's
// column has, by the planner's statistics.
func (e *evidence) rowsPerValue(p pgvigil.Predicate) (float64, bool) {
	for _, k := range e.catalog.find(e.v.Series.DBID, p.Table) {
		t := e.catalog.tables[k]
		for _, c := range t.Columns {
			switch d := c.Distinct; {
			case c.Name != p.Column || d == 0 || math.IsNaN(d):
			case d < 0: // a share of the rows
				return max(1, 1/-d), true
			case t.RelTuples > 0:
				return max(1, t.RelTuples/d), true
			}
		}
	}
	return 0, false
}

// retentionOff: deletes of a table stop while inserts go on.
func retentionOff(e *evidence, s *suspicion) {
	gone := e.v.Kind == pgvigil.KindTraffic && e.v.Factor == 0
	if !gone && e.v.Kind != pgvigil.KindRegression || gone && e.query.Verb != "delete" {
		return
	}
	for _, m := range e.tables {
		stopped := m.before.del > 0 && m.after.del < 0.1*m.before.del
		switch {
		case gone && stopped && m.after.ins > 0:
			s.pro(6, "rows of %s are not deleted any more (%.1f a second before) while %.1f a second are inserted", m.name, m.before.del, m.after.ins)
			return
		case stopped && m.after.ins > 0 && e.v.Numbers.Blocks > 0.15:
			s.pro(3, "rows of %s are not deleted any more while %.1f a second are inserted", m.name, m.after.ins)
			return
		}
	}
}

// fewSamples of a query's sessions say nothing of what it waits for.
const fewSamples = 2

// contention: its sessions were seen waiting for something that others hold.
func contention(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || e.sampled < fewSamples {
		return
	}
	if p := share(e.waits, "Lock:", "LWLock:", "BufferPin:", "IPC:"); p > 0.2 {
		s.pro(1.5+2*p, "%.0f %% of its sessions waited, most for %s", 100*p, mostWaited(e.waits))
		e.flatBlocks(s)
	}
}

// mostWaited returns what was waited for most.
func mostWaited(waits map[string]int) string {
	best := ""
	for w, n := range waits {
		if w != "" && (best == "" || n > waits[best] || n == waits[best] && w < best) {
			best = w
		}
	}
	return best
}

func lockQueue(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || e.sampled < fewSamples {
		return
	}
	if p := share(e.waits, "Lock:relation"); p > 0.2 {
		s.pro(3+3*p, "%.0f %% of its sessions waited for a lock on a table", 100*p)
		e.blamed(s)
		e.flatBlocks(s)
	}
}

func hotRow(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindRegression || e.sampled < fewSamples {
		return
	}
	if p := share(e.waits, "Lock:transactionid", "Lock:tuple"); p > 0.2 {
		s.pro(3+3*p, "%.0f %% of its sessions waited for a row", 100*p)
		e.blamed(s)
		e.flatBlocks(s)
	}
}

// flatBlocks adds what blocks per call say about a cause that costs no work.
func (e *evidence) flatBlocks(s *suspicion) {
	if e.moreWork() {
		s.contra(2, "blocks per call %.1f times", math.Exp(e.v.Numbers.Blocks))
		return
	}
	s.pro(1, "a call does no more work: blocks %.2f times", math.Exp(e.v.Numbers.Blocks))
}

// wholeServer: all queries are slower and none of them does more.
func wholeServer(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindIncident {
		return
	}
	n := e.v.Numbers
	s.pro(2, "the server's queries take %.1f times as long and none of them does more work; of %d that were asked %d are slower", e.v.Factor, n.Asked, n.Slower)
	if p := share(e.allWaits, "Lock:"); p > 0.3 {
		s.contra(2, "%.0f %% of the active sessions wait for locks", 100*p)
	}
}

// neighbour: others take the processors or the disk meanwhile.
func neighbour(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindIncident || e.outside.now == 0 {
		return
	}
	s.pro(4, "%s", e.outside.words())
	if p := share(e.allWaits, "Lock:"); p > 0.3 {
		s.contra(2, "%.0f %% of the active sessions wait for locks", 100*p)
	}
}

// nPlusOne: many more calls of the same cheap lookup.
func nPlusOne(e *evidence, s *suspicion) {
	if e.v.Kind != pgvigil.KindTraffic || e.v.Factor < 1 {
		return
	}
	if e.v.After.Rows <= 1.5 {
		s.pro(3, "%.1f times the calls, %.1f rows a call, and a call costs %.2f times what it did",
			e.v.Factor, e.v.After.Rows, e.v.After.MS/e.v.Before.MS)
	}
}
