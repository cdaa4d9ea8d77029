package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor"
	"github.com/pgvigil/pgvigil/advisor/llm"
	"github.com/pgvigil/pgvigil/advisor/partition"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/server"
	"github.com/pgvigil/pgvigil/internal/store"
)

// contextQueries is how many of a database's heaviest queries are weighed
// beside those that advice is wanted for.
const contextQueries = 30

// loadsRead is how many of the server's heaviest series are looked through for
// those of the database.
const loadsRead = 2000

// adviser gathers from the history what the advisor needs, has it judged on
// the target, and saves what it proposes.
type adviser struct {
	history store.History
	model   llm.Model // nil for none
	scratch pgvigil.Secret
	log     *slog.Logger
	// writing is held while proposals are read and saved again.
	writing sync.Locker
}

// forAlert advises on the query of one alert.
func (a adviser) forAlert(ctx context.Context, t pgvigil.Target, alert pgvigil.Alert) ([]pgvigil.Proposal, error) {
	return a.advise(ctx, t, wanted{
		server: alert.Verdict.Series.Server, database: alert.Verdict.Series.DBID,
		alerts: []pgvigil.Alert{alert},
	})
}

// wanted says what advice is for: alerts, else queries, else the whole load.
type wanted struct {
	server   pgvigil.ServerID
	database pgvigil.OID
	alerts   []pgvigil.Alert
	queries  []pgvigil.Fingerprint
	window   pgvigil.Window
	budget   pgvigil.Bytes
}

func (a adviser) advise(ctx context.Context, t pgvigil.Target, w wanted) ([]pgvigil.Proposal, error) {
	db, err := a.database(ctx, w)
	if err != nil {
		return nil, err
	}
	request := advisor.Request{
		Target: t.Name, Server: w.server, Database: db.Name, Catalog: db, Budget: w.budget,
		Partition: partition.DefaultThresholds,
	}
	if request.Work, err = a.work(ctx, w); err != nil {
		return nil, err
	}
	if request.Settings, err = a.history.Settings(ctx, w.server); err != nil {
		return nil, err
	}
	if request.Events, err = a.history.Events(ctx, w.server, w.window); err != nil {
		return nil, err
	}
	conn, err := collector.Connect(ctx, t, db.Name)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	judge, done, err := a.judge(ctx, conn)
	if err != nil {
		return nil, err
	}
	request.Judge = judge
	answer, err := advisor.New(advisor.Options{Model: a.model, Log: a.log}).Advise(ctx, request)
	if err = errors.Join(err, done(context.WithoutCancel(ctx))); err != nil {
		return nil, fmt.Errorf("advise on %s: %w", t.Name, err)
	}
	if err := a.doubt(ctx, w, answer.Proposals); err != nil {
		return nil, err
	}
	return answer.Proposals, a.save(ctx, answer.Proposals)
}

// doubt says on each proposal what makes the window it rests on a sample.
func (a adviser) doubt(ctx context.Context, w wanted, list []pgvigil.Proposal) error {
	c, err := a.history.Coverage(ctx, w.server, w.window)
	for i := range list {
		e := &list[i].Evidence
		e.Warnings = append(e.Warnings, c.Doubts()...)
	}
	return err
}

// judge prefers HypoPG on the target; without it a scratch database with real
// indexes; without either proposals stay unverified.
func (a adviser) judge(ctx context.Context, conn *pgx.Conn) (whatif.Judge, func(context.Context) error, error) {
	nothing := func(context.Context) error { return nil }
	hypo, err := whatif.NewHypoPG(ctx, conn, whatif.Options{})
	if err == nil {
		return hypo, nothing, nil
	}
	if a.scratch == "" {
		a.log.Warn("proposals stay unverified", "error", err, "advice", pgvigil.Advice(err))
		return nil, nothing, nil
	}
	scratch, err := whatif.NewScratch(ctx, a.scratch, conn, whatif.Options{})
	if err != nil {
		return nil, nil, err
	}
	return scratch, scratch.Close, nil
}

func (a adviser) database(ctx context.Context, w wanted) (pgvigil.DatabaseRead, error) {
	all, err := a.history.Catalog(ctx, w.server)
	if err != nil {
		return pgvigil.DatabaseRead{}, err
	}
	for _, db := range all {
		if db.OID == w.database {
			return db, nil
		}
	}
	return pgvigil.DatabaseRead{}, &pgvigil.Hint{
		Err:    fmt.Errorf("advise: the history has no catalog of database %d", w.database),
		Advice: "let a pass visit it: see databases in the configuration",
	}
}

// work is what advice is wanted for, and the heaviest queries as its context.
func (a adviser) work(ctx context.Context, w wanted) ([]advisor.Work, error) {
	loads, err := a.history.Loads(ctx, w.server, w.window, loadsRead)
	if err != nil {
		return nil, err
	}
	loads = slices.DeleteFunc(loads, func(l pgvigil.LoadShare) bool { return l.Series.DBID != w.database })
	loads = loads[:min(len(loads), contextQueries)]
	asked := map[pgvigil.Fingerprint]*pgvigil.Alert{}
	for i, alert := range w.alerts {
		asked[alert.Verdict.Series.Fingerprint] = &w.alerts[i]
	}
	for _, f := range w.queries {
		asked[f] = nil
	}
	everything := len(asked) == 0
	list := append(fingerprints(loads), slices.Sorted(maps.Keys(asked))...)
	queries, err := a.history.Queries(ctx, list)
	if err != nil {
		return nil, err
	}
	work := make([]advisor.Work, 0, len(list))
	seen := map[pgvigil.Fingerprint]bool{}
	add := func(f pgvigil.Fingerprint, calls, ms float64) {
		alert, ok := asked[f]
		if q := queries[f]; q.Text != "" && !seen[f] && !q.Own() {
			seen[f] = true
			work = append(work, advisor.Work{Query: q, Weight: calls, MS: ms, Alert: alert, Context: !ok && !everything})
		}
	}
	for _, l := range loads {
		add(l.Series.Fingerprint, l.Counters[pgvigil.Calls], l.Counters.PerCall(pgvigil.ExecMS))
	}
	for _, f := range slices.Sorted(maps.Keys(asked)) {
		if alert := asked[f]; alert != nil {
			add(f, alert.Verdict.After.CallsPerHour, alert.Verdict.After.MS)
		} else {
			add(f, 1, 0)
		}
	}
	return work, nil
}

// save keeps proposals. One that is there already, and not applied, is brought
// up to date: what people decided about it stays.
func (a adviser) save(ctx context.Context, list []pgvigil.Proposal) error {
	if len(list) == 0 {
		return nil
	}
	a.writing.Lock()
	defer a.writing.Unlock()
	known, err := a.history.Proposals(ctx, pgvigil.ProposalFilter{Server: list[0].Server})
	if err != nil {
		return err
	}
	for i := range list {
		if at := slices.IndexFunc(known, func(old pgvigil.Proposal) bool { return sameChange(old, list[i]) }); at >= 0 {
			takeOver(&list[i], known[at])
		}
		if err := a.history.SaveProposal(ctx, &list[i]); err != nil {
			return fmt.Errorf("save the proposal: %w", err)
		}
	}
	return nil
}

// sameChange says whether a proposal that is kept, and not applied, is about the
// change that another drafts anew. Later steps may differ: there is one for
// each partition.
func sameChange(old, fresh pgvigil.Proposal) bool {
	return old.State != pgvigil.Applied && len(old.Steps) > 0 && len(fresh.Steps) > 0 &&
		old.Target == fresh.Target && old.Database == fresh.Database && old.Kind == fresh.Kind && old.Table == fresh.Table &&
		old.Steps[0].SQL == fresh.Steps[0].SQL
}

// takeOver gives a fresh draft the place and the decision of an old one.
func takeOver(fresh *pgvigil.Proposal, old pgvigil.Proposal) {
	fresh.ID, fresh.Decision = old.ID, old.Decision
	fresh.Alert = cmp.Or(fresh.Alert, old.Alert)
	if old.Decision != nil {
		fresh.State = old.State
	}
}

// Advise implements server.App.
func (a *app) Advise(ctx context.Context, r server.AdviseRequest) ([]pgvigil.Proposal, error) {
	w, target, err := a.wantedBy(ctx, r)
	if err != nil {
		return nil, err
	}
	t, err := a.cfg.Resolve(ctx, target)
	if err != nil {
		return nil, err
	}
	scratch, err := a.cfg.ScratchDSN(ctx)
	if err != nil {
		return nil, err
	}
	model, err := modelOf(ctx, a.cfg)
	if err != nil {
		return nil, err
	}
	defer model.close()
	return adviser{history: a.watcher.history, model: model.Model, scratch: scratch, log: a.log, writing: &a.watcher.writing}.advise(ctx, t, w)
}

// wantedBy finds server and database that a request is about.
func (a *app) wantedBy(ctx context.Context, r server.AdviseRequest) (wanted, string, error) {
	w := wanted{queries: r.Queries, window: r.Window, budget: r.Budget}
	if w.window.From.IsZero() {
		w.window.From = a.now().Add(-7 * 24 * time.Hour)
	}
	if r.Alert != 0 {
		found, err := a.watcher.history.Alerts(ctx, pgvigil.AlertFilter{ID: r.Alert})
		if err != nil {
			return w, "", err
		}
		if len(found) == 0 {
			return w, "", noAlert(r.Alert)
		}
		w.alerts, w.server, w.database = found, found[0].Verdict.Series.Server, found[0].Verdict.Series.DBID
		return w, found[0].Target, nil
	}
	servers, err := a.serversOf(ctx, r.Target)
	if err != nil {
		return w, "", err
	}
	if !oneTarget(servers) {
		return w, "", &pgvigil.Hint{
			Err:    fmt.Errorf("advise: the history knows %d servers and none was named: %w", len(servers), server.ErrInvalid),
			Advice: "pass --target",
		}
	}
	on := latest(servers)
	w.server = on.ID
	w.database, err = a.databaseNamed(ctx, w.server, r.Database)
	return w, on.Server.Target, err
}

// databaseNamed finds a database by name, or the one that has the most tables.
func (a *app) databaseNamed(ctx context.Context, id pgvigil.ServerID, name string) (pgvigil.OID, error) {
	all, err := a.watcher.history.Catalog(ctx, id)
	if err != nil {
		return 0, err
	}
	var best pgvigil.OID
	most := -1
	for _, db := range all {
		if name == db.Name {
			return db.OID, nil
		}
		if name == "" && len(db.Tables) > most {
			best, most = db.OID, len(db.Tables)
		}
	}
	if best == 0 {
		return 0, &pgvigil.Hint{
			Err:    fmt.Errorf("find database %q in the history: %w", name, server.ErrNotFound),
			Advice: "let a pass visit it: see databases in the configuration",
		}
	}
	return best, nil
}
