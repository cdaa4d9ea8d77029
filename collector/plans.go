package collector

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector/plan"
	"github.com/pgvigil/pgvigil/internal/foreign"
)

// PlanWish is a query whose plan somebody wants to know.
type PlanWish struct {
	DBID  pgvigil.OID
	Query pgvigil.Query
	// Users are the roles that run it, the one that runs it most first: their
	// search_path and settings count. Empty is unknown.
	Users []pgvigil.OID
	// Since says how new the plan must be; an older one is asked for again.
	Since time.Time
}

// planner is the part of a pass that asks for plans.
type planner struct {
	ledger  *ledger
	wishes  []PlanWish // those that are due, the most urgent first
	roles   map[pgvigil.OID]string
	lowered bool // requests are made as pg_read_all_data
	spent   time.Duration
	limit   int // new entries a day
	entries int // that one request may make
}

// readWishes learns which plans are wanted and due.
func (p *pass) readWishes(ctx context.Context) error {
	if p.Plans == nil {
		return nil
	}
	wishes, err := p.Plans(ctx, p.snap.Server)
	if err != nil {
		return err
	}
	note, err := p.note(ctx, planNote)
	if err != nil {
		return err
	}
	now := p.snap.Clock
	l := readLedger(note)
	l.open(now)
	p.planner = planner{ledger: l, wishes: slices.DeleteFunc(wishes, func(w PlanWish) bool { return !l.due(&w, now) })}
	if len(p.planner.wishes) == 0 {
		return nil
	}
	p.planner.limit, p.planner.entries = p.planEntries()
	return p.readPlanRights(ctx)
}

// planEntries returns how many new entries of pg_stat_statements plans may make
// in a day, 0 for any number, and how many one request makes: the EXPLAIN, and
// with track = all the statement in it. (Before 16 it is fewer: the statement
// is prepared, which is not counted.)
func (p *pass) planEntries() (limit, each int) {
	if size := p.snap.Statements.Max; size > 0 {
		limit = max(1, int(math.Floor(planShare*float64(size))))
	}
	each = 1
	if p.setting("pg_stat_statements.track") == "all" && p.snap.Server.Version.Major() >= 16 {
		each = 2
	}
	return limit, each
}

// setting returns the value of a setting of the server, "" if unknown.
func (p *pass) setting(name string) string {
	for i := range p.snap.Settings {
		if s := &p.snap.Settings[i]; s.Name == name && s.Scope == "" {
			return s.Value
		}
	}
	return ""
}

// readPlanRights learns as whom plans are asked for, and the names of the roles
// that run the queries.
func (p *pass) readPlanRights(ctx context.Context) error {
	if err := p.conn.QueryRow(ctx, load("plan_rights")).Scan(&p.planner.lowered); err != nil {
		return err
	}
	var ids []int64
	for _, w := range p.planner.wishes {
		for _, u := range w.Users {
			ids = append(ids, int64(u))
		}
	}
	rows, err := p.conn.Query(ctx, load("plan_roles"), ids)
	if err != nil {
		return err
	}
	p.planner.roles = map[pgvigil.OID]string{}
	var oid pgvigil.OID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&oid, &name}, func() error {
		p.planner.roles[oid] = name
		return nil
	})
	return err
}

// makePlans asks for the plans that are wanted of the visited database, as far
// as the budgets go.
func (v *visit) makePlans(ctx context.Context) {
	var names *plan.Names
	for i := range v.planner.wishes {
		w := &v.planner.wishes[i]
		if w.DBID != v.db.OID {
			continue
		}
		if v.planner.spent >= planPass || ctx.Err() != nil {
			return // the next pass goes on
		}
		if names == nil {
			of := plan.NamesOf(v.db.Tables, v.db.Indexes)
			names = &of
		}
		if err := v.makePlan(ctx, w, *names); err != nil {
			v.warn("plans-unmade", fmt.Sprintf("ask for plans in database %s: %s", v.db.Name, plain(err)), "")
			return
		}
	}
}

// makePlan asks for one plan and notes what came of it. The error is about the
// connection.
func (v *visit) makePlan(ctx context.Context, w *PlanWish, names plan.Names) error {
	l := v.planner.ledger
	r := request{at: v.snap.Clock, entries: v.planner.entries}
	made := pgvigil.Plan{}
	var err error
	if spent := l.exhausted(w, r.entries, v.planner.limit); spent != "" {
		made.Refused = pgvigil.Warning{Code: pgvigil.RefusedBudget, Text: "the budget for plans is spent: " + spent}
	} else {
		began := v.Now()
		c := capture{visit: v, wish: w, checker: foreign.New(v.conn, v.TrustedRoles)}
		made, err = c.plan(ctx, names)
		r.took, r.sent, r.failed = v.Now().Sub(began), c.sent, c.failed
		v.planner.spent += r.took
	}
	if err != nil {
		made, err = v.unplanned(err)
	}
	l.book(w, &made, r)
	made.DBID, made.Fingerprint, made.Source = w.DBID, w.Query.Fingerprint, pgvigil.ByExplain
	made.First, made.Last = v.snap.At, v.snap.At
	v.snap.Plans = append(v.snap.Plans, made)
	return err
}

// unplanned is what becomes of a text when something else than EXPLAIN failed.
// If the connection is gone, the text is not sent again soon: it may have been
// the cause.
func (v *visit) unplanned(err error) (pgvigil.Plan, error) {
	w := pgvigil.Warning{Code: pgvigil.RefusedServer, Text: "the connection broke while it was planned"}
	if !v.conn.IsClosed() {
		w = pgvigil.Warning{Code: pgvigil.RefusedBudget, Text: "what it could run was not found out: " + plain(err)}
		err = nil
	}
	return pgvigil.Plan{Refused: w}, err
}

// keepLedger hands the ledger on to be remembered.
func (p *pass) keepLedger() {
	if p.planner.ledger != nil {
		p.remember(planNote, p.planner.ledger.note())
	}
}
