package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/interval"
)

// precision is that of both databases' times.
const precision = time.Microsecond

// Record implements History.
func (h *SQL) Record(ctx context.Context, s *pgvigil.Snapshot) (pgvigil.Recorded, error) {
	snap := *s
	snap.At, snap.Clock = s.At.UTC().Truncate(precision), s.Clock.UTC().Truncate(precision)
	var done pgvigil.Recorded
	err := refuse(&snap)
	if err == nil {
		err = h.write(ctx, func(tx *txn) error {
			r := &recording{txn: tx, snap: &snap}
			var err error
			done, err = r.record(ctx)
			return err
		})
	}
	if err != nil {
		return pgvigil.Recorded{}, fmt.Errorf("record a snapshot of %s: %w", s.Server.Target, err)
	}
	return done, nil
}

// refuse says what makes a snapshot unfit for the history.
func refuse(s *pgvigil.Snapshot) error {
	if s.At.IsZero() || s.Server.Target == "" {
		return errors.New("it names no time or no target")
	}
	for i := range s.Statements.List {
		st := &s.Statements.List[i]
		for m, v := range st.Counters {
			if math.IsInf(v, 0) || v < 0 {
				return fmt.Errorf("%s of query id %d is %v", pgvigil.Metric(m), st.Key.QueryID, v)
			}
		}
	}
	for m, v := range s.Counters {
		if math.IsInf(v, 0) || v < 0 {
			return fmt.Errorf("%s is %v", m, v)
		}
	}
	for i := range s.Databases {
		if err := refuseDatabase(&s.Databases[i]); err != nil {
			return fmt.Errorf("database %s: %w", s.Databases[i].Name, err)
		}
	}
	return nil
}

func refuseDatabase(d *pgvigil.DatabaseRead) error {
	for _, m := range interval.DatabaseMetrics {
		if v := *m.Of(&d.Stats); math.IsInf(v, 0) {
			return fmt.Errorf("%s is %v", m.Name, v)
		}
	}
	for i := range d.Tables {
		for _, m := range interval.TableMetrics {
			if v := *m.Of(&d.Tables[i].Counters); math.IsInf(v, 0) {
				return fmt.Errorf("%s of table %s is %v", m.Name, d.Tables[i].Name, v)
			}
		}
	}
	for i := range d.Indexes {
		x := interval.OfIndex(&d.Indexes[i])
		for _, m := range interval.TableMetrics {
			if v := *m.Of(&x); math.IsInf(v, 0) {
				return fmt.Errorf("%s of index %s is %v", m.Name, d.Indexes[i].Name, v)
			}
		}
	}
	return nil
}

// recording is one Record in its transaction.
type recording struct {
	*txn
	snap   *pgvigil.Snapshot
	server pgvigil.ServerID
	pass   int64
	prev   *interval.State // nil for the first
	step   interval.Step
	next   *interval.State
	labels labels
}

func (r *recording) record(ctx context.Context) (pgvigil.Recorded, error) {
	var none pgvigil.Recorded
	last, err := r.recall(ctx)
	if err != nil {
		return none, err
	}
	switch {
	case r.prev == nil:
	case r.prev.Last.At.Equal(r.snap.At) && r.prev.Last.Clock.Equal(r.snap.Clock):
		return recordedAgain(ctx, r.Tx, r.server, last)
	case !r.snap.At.After(r.prev.Last.At) && !r.snap.Clock.After(r.prev.Last.Clock):
		return none, fmt.Errorf("%w: taken at %s, the last one at %s", ErrOlder, stamp(r.snap.At), stamp(r.prev.Last.At))
	}
	failed, err := r.failures(ctx)
	if err != nil {
		return none, err
	}
	if r.pass, err = r.nextID(ctx, "passes"); err != nil {
		return none, err
	}
	r.step, r.next = interval.Next(r.prev, r.snap, failed)
	for _, keep := range []func(context.Context) error{
		r.keepServer, r.keepLabels, r.keepQueries, r.countOwn, r.keepStatements, r.keepDatabases, r.keepRelations,
		r.keepServerPoint, r.keepSessions, r.keepWaits, r.keepPlans, r.keepNotes, r.keepEvents, r.keepPass, r.keepSnapshot,
	} {
		if err := keep(ctx); err != nil {
			return none, err
		}
	}
	return r.recorded(), nil
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

// recall finds the server and what is remembered of it, and returns the number
// of its last pass.
func (r *recording) recall(ctx context.Context) (last int64, err error) {
	err = r.QueryRowContext(ctx, text("server"), int64(r.snap.Server.SystemID), clean(r.snap.Server.Target)).Scan(&r.server)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, r.addServer(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("find the server: %w", err)
	}
	r.prev, last, err = lastState(ctx, r.Tx, r.server)
	return last, err
}

// lastState returns what is remembered of a server, nil if nothing.
func lastState(ctx context.Context, q querier, id pgvigil.ServerID) (*interval.State, int64, error) {
	var last int64
	var counters, catalog []byte
	err := q.QueryRowContext(ctx, text("last_snapshot"), int64(id)).Scan(&last, &counters, &catalog)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read the last snapshot: %w", err)
	}
	var state interval.State
	var rest catalogState
	if err := errors.Join(unpack(counters, &state), unpack(catalog, &rest)); err != nil {
		return nil, 0, fmt.Errorf("read the last snapshot: %w", err)
	}
	state.Databases, state.Settings = rest.Databases, rest.Settings
	return &state, last, nil
}

// catalogState is the part of a state that Catalog and Settings answer from.
type catalogState struct {
	Databases []interval.Database
	Settings  []pgvigil.Setting
}

func (r *recording) addServer(ctx context.Context) error {
	id, err := r.nextID(ctx, "servers")
	if err != nil {
		return err
	}
	r.server = pgvigil.ServerID(id)
	s := r.snap.Server
	return r.exec(ctx, "insert_server", id, int64(s.SystemID), clean(s.Target), s.Timeline, int(s.Version),
		timeOrNull(s.PostmasterStart), s.InRecovery, r.snap.At)
}

// failures counts the passes that failed since the last snapshot.
func (r *recording) failures(ctx context.Context) (int, error) {
	if r.prev == nil {
		return 0, nil
	}
	var n int
	since := r.prev.Last.Clock
	err := r.QueryRowContext(ctx, text("failures"), clean(r.snap.Server.Target), since, r.snap.Clock).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count failed passes: %w", err)
	}
	return n, nil
}

func (r *recording) keepServer(ctx context.Context) error {
	s := r.snap.Server
	return r.exec(ctx, "update_server", int64(r.server), s.Timeline, int(s.Version), timeOrNull(s.PostmasterStart), s.InRecovery, r.snap.At)
}

// countOwn adds up what pgvigil's own statements took of the time seen.
func (r *recording) countOwn(ctx context.Context) error {
	c := &r.step.Coverage
	if c.SeenMS == 0 {
		return nil
	}
	own := map[pgvigil.Fingerprint]bool{}
	err := each(ctx, r.Tx, ask("own_queries"), func(rows *sql.Rows) error {
		var fp int64
		if err := rows.Scan(&fp); err != nil {
			return fmt.Errorf("read a query: %w", err)
		}
		own[pgvigil.Fingerprint(fp)] = true
		return nil
	})
	for i := range r.step.Statements {
		if iv := &r.step.Statements[i]; iv.Key.TopLevel && own[r.labels.fingerprint(iv.Key)] {
			c.OwnMS += iv.Counters[pgvigil.ExecMS] + iv.Counters[pgvigil.PlanMS]
		}
	}
	return err
}

func (r *recording) keepPass(ctx context.Context) error {
	warnings, err := pack(r.step.Warnings)
	if err != nil {
		return err
	}
	c, s := r.step.Coverage, r.snap
	err = r.exec(ctx, "insert_pass", r.pass, int64(r.server), clean(s.Server.Target), s.At, timeOrNull(s.Clock),
		timeOrNull(r.step.Previous), inMS(s.Took), len(s.Statements.List), len(r.step.Statements),
		c.SeenBlocks, c.TrueBlocks, c.SeenMS, c.TrueMS, c.Evicted, c.FirstSights, c.Resets, c.Missed, warnings,
		inMS(s.Footprint.LongestLock), s.Footprint.OldestXmin, s.Footprint.Stopped,
		c.OwnMS, c.SeenCalls, c.LostMin, c.LostMax, c.Rollbacks, inMS(c.Covered))
	if err != nil {
		return err
	}
	t := Table{Name: "incarnations", Columns: []string{"server_id", "pass_id", "kind", "since", "proof"}}
	for _, in := range r.step.Incarnations {
		t.Rows = append(t.Rows, []any{int64(r.server), r.pass, string(in.Kind), in.Since.UTC(), clean(in.Proof)})
	}
	return r.append(ctx, t)
}

func (r *recording) keepSnapshot(ctx context.Context) error {
	counters := *r.next
	counters.Databases, counters.Settings = nil, nil
	a, err := pack(counters)
	if err != nil {
		return err
	}
	b, err := pack(catalogState{r.next.Databases, r.next.Settings})
	if err != nil {
		return err
	}
	if err := r.exec(ctx, "delete_last_snapshot", int64(r.server)); err != nil {
		return err
	}
	return r.exec(ctx, "insert_last_snapshot", int64(r.server), r.pass, a, b)
}

// recorded is the answer; EachPass gives the same when it replays the pass.
func (r *recording) recorded() pgvigil.Recorded {
	return pgvigil.Recorded{
		Server: r.server, Pass: r.pass, Previous: r.step.Previous, At: r.snap.At,
		Points:    interval.Points(r.step.Statements, r.labels.fingerprint),
		Relations: r.step.Relations, Events: r.step.Events,
		Coverage:  r.step.Coverage.Coverage(pgvigil.Window{From: r.step.Previous, To: r.snap.At}, 1),
		Footprint: r.footprint(), Warnings: r.step.Warnings,
	}
}

// footprint is that of the snapshot as a replay gives it.
func (r *recording) footprint() pgvigil.Footprint {
	f := r.snap.Footprint
	f.LongestLock = fromMS(inMS(f.LongestLock))
	return f
}

// RecordFailure implements History.
func (h *SQL) RecordFailure(ctx context.Context, target string, at time.Time, reason string) error {
	err := h.write(ctx, func(tx *txn) error {
		id, err := tx.nextID(ctx, "passes")
		if err != nil {
			return err
		}
		return tx.exec(ctx, "insert_failure", id, clean(target), at.UTC().Truncate(precision), clean(reason))
	})
	if err != nil {
		return fmt.Errorf("record a failed pass of %s: %w", target, err)
	}
	return nil
}
