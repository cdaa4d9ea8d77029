package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// planKey names the plans of one query that are compared with each other.
type planKey struct {
	dbid        pgvigil.OID
	fingerprint pgvigil.Fingerprint
	source      pgvigil.PlanSource
}

func planKeyOf(p *pgvigil.Plan) planKey { return planKey{p.DBID, p.Fingerprint, p.Source} }

// keepPlans writes the plans that this pass learned of. What was seen before is
// seen longer; another plan than before is an event.
func (r *recording) keepPlans(ctx context.Context) error {
	r.step.Events = append(r.step.Events, r.snap.Events...)
	if len(r.snap.Plans) == 0 {
		return nil
	}
	known, err := r.plansOf(ctx, r.snap.Plans)
	if err != nil {
		return err
	}
	t := Table{Name: "plans", Columns: []string{
		"server_id", "dbid", "fingerprint", "source", "hash", "refused", "first_seen", "last_seen", "body",
	}}
	for _, p := range r.snap.Plans {
		p.Server, p.First, p.Last = r.server, p.First.UTC().Truncate(precision), p.Last.UTC().Truncate(precision)
		before := known[planKeyOf(&p)]
		if again := seenBefore(before, &p); again != nil {
			if err := r.seenAgain(ctx, again, &p); err != nil {
				return err
			}
			continue
		}
		if e, changed := planChange(before, &p); changed {
			r.step.Events = append(r.step.Events, e)
		}
		body, err := pack(p)
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, []any{
			int64(r.server), int64(p.DBID), int64(p.Fingerprint), clean(string(p.Source)), int64(p.Hash), clean(p.Refused.Code),
			p.First, p.Last, body,
		})
		known[planKeyOf(&p)] = append(before, p)
	}
	return r.append(ctx, t)
}

// plansOf returns the plans that are known of the queries of some plans, oldest
// first.
func (r *recording) plansOf(ctx context.Context, list []pgvigil.Plan) (map[planKey][]pgvigil.Plan, error) {
	var fps []pgvigil.Fingerprint
	for i := range list {
		fps = append(fps, list[i].Fingerprint)
	}
	slices.Sort(fps)
	known := map[planKey][]pgvigil.Plan{}
	for part := range slices.Chunk(slices.Compact(fps), 1000) {
		err := each(ctx, r.Tx, ask("plans_of_queries", int64(r.server)).of(idList(part)), func(rows *sql.Rows) error {
			p, err := scanPlan(rows, r.server)
			known[planKeyOf(&p)] = append(known[planKeyOf(&p)], p)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

func scanPlan(rows *sql.Rows, server pgvigil.ServerID) (pgvigil.Plan, error) {
	var p pgvigil.Plan
	var fp int64
	var dbid pgvigil.OID
	var first, last moment
	var body []byte
	err := rows.Scan(&dbid, &fp, &first, &last, &body)
	if err == nil {
		err = unpack(body, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read a plan: %w", err)
	}
	p.Server, p.DBID, p.Fingerprint = server, dbid, pgvigil.Fingerprint(fp)
	p.First, p.Last = time.Time(first), time.Time(last)
	return p, nil
}

// latestPlan returns the one seen last of those that f takes, nil for none.
func latestPlan(list []pgvigil.Plan, f func(*pgvigil.Plan) bool) *pgvigil.Plan {
	var last *pgvigil.Plan
	for i := range list {
		if p := &list[i]; f(p) && (last == nil || !p.Last.Before(last.Last)) {
			last = p
		}
	}
	return last
}

// seenBefore returns the plan that p is once more. A query is asked for one
// plan at a time, so that only its last one counts; calls that ran may go by
// several at a time.
func seenBefore(before []pgvigil.Plan, p *pgvigil.Plan) *pgvigil.Plan {
	same := func(q *pgvigil.Plan) bool { return q.Hash == p.Hash && q.Refused.Code == p.Refused.Code }
	if p.Source == pgvigil.ByAutoExplain {
		return latestPlan(before, same)
	}
	if last := latestPlan(before, func(*pgvigil.Plan) bool { return true }); last != nil && same(last) {
		return last
	}
	return nil
}

// seenAgain keeps p as the newest sight of a plan; the oldest stays.
func (r *recording) seenAgain(ctx context.Context, again, p *pgvigil.Plan) error {
	now := *p
	now.First, now.Last = again.First, later(again.Last, p.Last)
	body, err := pack(now)
	if err != nil {
		return err
	}
	again.Last = now.Last
	return r.exec(ctx, "plan_seen", int64(r.server), int64(p.DBID), int64(p.Fingerprint), clean(string(p.Source)), int64(p.Hash),
		again.First, now.Last, body)
}

// planChange returns the event that a plan is, which was not seen before.
func planChange(before []pgvigil.Plan, p *pgvigil.Plan) (pgvigil.Event, bool) {
	was := latestPlan(before, func(q *pgvigil.Plan) bool { return q.Hash != 0 })
	if was == nil || p.Hash == 0 || was.Hash == p.Hash {
		return pgvigil.Event{}, false
	}
	lost, won := planDifference(was.Steps, p.Steps)
	return pgvigil.Event{
		DBID: p.DBID, At: p.First, Since: was.Last, Kind: pgvigil.EventPlanChanged, Object: p.Fingerprint.String(),
		Fingerprint: p.Fingerprint, Before: lost, After: won, Source: string(p.Source),
	}, true
}

// planDifference says in a few steps what one plan has and the other has not.
func planDifference(was, is []string) (lost, won string) {
	count := map[string]int{}
	for _, s := range was {
		count[s]++
	}
	for _, s := range is {
		count[s]--
	}
	pick := func(list []string, sign int) string {
		var out []string
		for _, s := range list {
			if count[s]*sign > 0 {
				count[s] -= sign
				out = append(out, s)
			}
		}
		return stepList(out)
	}
	lost, won = pick(was, 1), pick(is, -1)
	if lost == "" && won == "" {
		return "the same steps in another order", stepList(is)
	}
	return lost, won
}

// maxEventSteps is how many steps an event shows.
const maxEventSteps = 4

func stepList(steps []string) string {
	text := ""
	for i, s := range steps {
		switch {
		case i == maxEventSteps:
			return text + fmt.Sprintf("; %d more", len(steps)-i)
		case i > 0:
			text += "; "
		}
		text += s
	}
	return text
}

// Plans implements History.
func (h *SQL) Plans(ctx context.Context, f pgvigil.PlanFilter) ([]pgvigil.Plan, error) {
	var list []pgvigil.Plan
	from, to := bounds(f.Window)
	err := h.read(ctx, func(q querier) error {
		list = nil
		ids := []pgvigil.ServerID{f.Server}
		if f.Server == 0 {
			var err error
			if ids, err = serverIDs(ctx, q); err != nil {
				return err
			}
		}
		for _, id := range ids {
			if err := each(ctx, q, ask("plans", int64(id), from, to), func(rows *sql.Rows) error {
				p, err := scanPlan(rows, id)
				if wantedPlan(&p, f) {
					list = append(list, p)
				}
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read plans: %w", err)
	}
	return list, nil
}

func wantedPlan(p *pgvigil.Plan, f pgvigil.PlanFilter) bool {
	return (f.Database == 0 || p.DBID == f.Database) && (len(f.Fingerprints) == 0 || slices.Contains(f.Fingerprints, p.Fingerprint))
}

// Users implements History.
func (h *SQL) Users(ctx context.Context, id pgvigil.ServerID, fps []pgvigil.Fingerprint) (map[pgvigil.SeriesKey][]pgvigil.OID, error) {
	users := map[pgvigil.SeriesKey][]pgvigil.OID{}
	if len(fps) == 0 {
		return users, nil
	}
	err := h.read(ctx, func(q querier) error {
		clear(users)
		all, err := readLabels(ctx, q, id, fps...)
		for k, l := range all {
			key := pgvigil.SeriesKey{Server: id, DBID: k.DBID, Fingerprint: l.fingerprint}
			if !slices.Contains(users[key], k.UserID) {
				users[key] = append(users[key], k.UserID)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the roles of queries: %w", err)
	}
	for _, list := range users {
		slices.Sort(list)
	}
	return users, nil
}

// relabelPlans gives plans the fingerprints that their queries bear now.
func (tx *txn) relabelPlans(ctx context.Context, moves map[pgvigil.Fingerprint]pgvigil.Query) error {
	var have []pgvigil.Fingerprint
	err := each(ctx, tx.Tx, ask("planned_queries"), func(rows *sql.Rows) error {
		var fp int64
		if err := rows.Scan(&fp); err != nil {
			return fmt.Errorf("read a plan: %w", err)
		}
		have = append(have, pgvigil.Fingerprint(fp))
		return nil
	})
	if err != nil {
		return err
	}
	for _, fp := range have {
		if q, ok := moves[fp]; ok && q.Fingerprint != fp {
			if err := tx.exec(ctx, "relabel_plans", int64(fp), int64(q.Fingerprint)); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepNotes writes what the collector wants to find again.
func (r *recording) keepNotes(ctx context.Context) error {
	for name, note := range r.snap.Notes {
		if err := r.exec(ctx, "delete_state", int64(r.server), clean(name)); err != nil {
			return err
		}
		if note == nil {
			continue
		}
		if err := r.exec(ctx, "insert_state", int64(r.server), clean(name), note); err != nil {
			return err
		}
	}
	return nil
}
