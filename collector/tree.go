package collector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// tree is a blocking tree whose relations have no names yet.
type tree struct {
	pgvigil.BlockingTree
	waits []lockWait
}

// maxWaiters is for how many waiting sessions, those that wait longest, the
// server is asked who blocks them: each question stops its lock manager for a moment.
const maxWaiters = 100

// readTree asks who blocks whom if anybody waits for a lock, unless sampling
// costs much, or the last answer took long: then a hundred times as long passes.
func (s *sampler) readTree(ctx context.Context, conn *pgx.Conn, list []sighting, at time.Time) error {
	waiting := 0
	for i := range list {
		if list[i].waitType == waitsOnLock && !list[i].ours() {
			waiting++
		}
	}
	began := time.Now()
	if waiting == 0 || began.Before(s.blocked) || !s.budget.ample(began) {
		return nil
	}
	waits, err := readLockWaits(ctx, conn, waitersQuery)
	took := time.Since(began)
	s.budget.spend(time.Now(), took)
	s.blocked = began.Add(time.Duration(float64(took) / costShare))
	if err != nil || len(waits) == 0 {
		return err
	}
	s.tally.addTree(waits, waiting, list, at)
	return nil
}

// readLockWaits returns the edges of the blocking tree. sql is a statement or
// the name of a prepared one.
func readLockWaits(ctx context.Context, conn *pgx.Conn, sql string) ([]lockWait, error) {
	rows, err := conn.Query(ctx, sql, maxWaiters)
	if err != nil {
		return nil, fmt.Errorf("read who blocks whom: %w", err)
	}
	waits, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (lockWait, error) {
		var w lockWait
		var since *moment
		err := row.Scan(&w.Waiter, &w.Blocker, &w.Mode, &w.LockType, &w.relation.DBID, &w.relation.RelID, &since)
		w.Since = utc(since)
		return w, err
	})
	if err != nil {
		return nil, fmt.Errorf("read who blocks whom: %w", err)
	}
	return waits, nil
}

// addTree keeps a blocking tree if it is the worst of its minute, and notes who
// blocks each call.
func (t *tally) addTree(waits []lockWait, waiting int, list []sighting, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	blockers := map[int][]int{}
	for _, w := range waits {
		if !slices.Contains(blockers[w.Waiter], w.Blocker) {
			blockers[w.Waiter] = append(blockers[w.Waiter], w.Blocker)
		}
	}
	for pid, by := range blockers {
		if c := t.calls.live[pid]; c != nil {
			c.BlockedBy = by
		}
	}
	m := t.minute(at)
	if m.tree != nil && m.tree.Waiting > waiting {
		return
	}
	m.tree = &tree{pgvigil.BlockingTree{SessionSample: pgvigil.SessionSample{At: at}, Waiting: waiting}, waits}
	for _, pid := range inTree(waits) {
		m.tree.Sessions = append(m.tree.Sessions, t.session(pid, list, blockers[pid]))
	}
}

// inTree returns the processes of a tree: those that block and do not wait
// first, the most blocking first among equals.
func inTree(waits []lockWait) (pids []int) {
	held, waits4 := map[int]int{}, map[int]bool{}
	for _, w := range waits {
		held[w.Blocker]++
		waits4[w.Waiter] = true
		pids = append(pids, w.Waiter, w.Blocker)
	}
	slices.Sort(pids)
	pids = slices.Compact(pids)
	rank := func(pid int) int {
		if !waits4[pid] {
			return -1_000_000 - held[pid]
		}
		return -held[pid]
	}
	slices.SortStableFunc(pids, func(a, b int) int { return rank(a) - rank(b) })
	return pids
}

// session describes a process of a tree. One that was not sampled, an idle one
// that holds an advisory lock for example, has its number only.
func (t *tally) session(pid int, list []sighting, blockedBy []int) pgvigil.Session {
	i := slices.IndexFunc(list, func(x sighting) bool { return x.pid == pid })
	if i < 0 {
		return pgvigil.Session{PID: pid, BlockedBy: blockedBy}
	}
	x := &list[i]
	means := t.phrases.known[x.text]
	return pgvigil.Session{
		PID: pid, DBID: x.dbid, UserID: x.user, Application: x.application, State: x.state,
		WaitType: x.waitType, WaitEvent: x.waitEvent, QueryID: x.text.queryID,
		Fingerprint: means.fingerprint, Query: means.text, BackendType: x.backend,
		XactStart: x.xactStart, QueryStart: x.queryStart, StateChange: x.stateChange,
		BlockedBy: blockedBy, OwnedByUs: x.ours(),
	}
}

// relations makes the relations that somebody waits for keys of names.
func (t *tree) relations(names map[pgvigil.RelationKey]string) {
	if t == nil {
		return
	}
	for _, w := range t.waits {
		names[w.relation] = ""
	}
}

// named returns the tree with the names of its relations.
func (t *tree) named(names map[pgvigil.RelationKey]string) *pgvigil.BlockingTree {
	if t == nil {
		return nil
	}
	out := t.BlockingTree
	for _, w := range t.waits {
		w.Relation = names[w.relation]
		out.Locks = append(out.Locks, w.LockWait)
	}
	return &out
}
