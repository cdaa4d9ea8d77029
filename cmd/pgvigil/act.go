package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server"
)

// What people do to alerts and proposals. Both are read and saved again under
// the watcher's lock, for a pass may change the same alert.

// Alerts implements server.App.
func (a *app) Alerts(ctx context.Context, f pgvigil.AlertFilter) ([]pgvigil.Alert, error) {
	return a.watcher.history.Alerts(ctx, f)
}

// Suspects implements server.App.
func (a *app) Suspects(ctx context.Context, target string) ([]pgvigil.Alert, error) {
	servers, err := a.serversOf(ctx, target)
	if err != nil {
		return nil, err
	}
	var all []pgvigil.Alert
	for _, s := range servers {
		list, err := a.watcher.analyzer.Suspects(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// ActOnAlert implements server.App.
func (a *app) ActOnAlert(ctx context.Context, id int64, act server.AlertAction) (pgvigil.Alert, error) {
	a.watcher.writing.Lock()
	defer a.watcher.writing.Unlock()
	found, err := a.watcher.history.Alerts(ctx, pgvigil.AlertFilter{ID: id})
	if err != nil {
		return pgvigil.Alert{}, err
	}
	if len(found) == 0 {
		return pgvigil.Alert{}, noAlert(id)
	}
	alert := found[0]
	if err := possible(alert, act); err != nil {
		return pgvigil.Alert{}, err
	}
	step := pgvigil.AlertStep{At: a.now().UTC(), State: stateAfter[act.Verb], Reason: act.Reason, By: act.By}
	alert.State, alert.Updated, alert.SilencedUntil = step.State, step.At, time.Time{}
	switch act.Verb {
	case server.Resolve:
		alert.Closed = step.At
	case server.Silence:
		alert.SilencedUntil = step.At.Add(cmp.Or(act.For, server.DefaultSilence))
		step.Reason = strings.TrimSuffix("until "+alert.SilencedUntil.Format(time.DateTime)+": "+act.Reason, ": ")
	}
	alert.History = append(alert.History, step)
	return alert, a.watcher.history.SaveAlert(ctx, &alert)
}

// stateAfter is what each verb makes of an alert.
var stateAfter = map[server.AlertVerb]pgvigil.AlertState{
	server.Ack: pgvigil.Acknowledged, server.Silence: pgvigil.Silenced, server.Resolve: pgvigil.Resolved,
}

// possible says why an action cannot be taken on an alert as it is: nil if it
// can. A silence may be given a new end.
func possible(alert pgvigil.Alert, act server.AlertAction) error {
	state, known := stateAfter[act.Verb]
	switch {
	case !known:
		return fmt.Errorf("act on an alert: there is no verb %q: %w", act.Verb, server.ErrInvalid)
	case act.For < 0 || act.For > server.MaxSilence || act.For > 0 && act.Verb != server.Silence:
		return &pgvigil.Hint{
			Err:    fmt.Errorf("%s alert %d for %s: %w", act.Verb, alert.ID, act.For, server.ErrInvalid),
			Advice: fmt.Sprintf("silence it for 30d at most; without --for it is %s", hours(server.DefaultSilence)),
		}
	case !alert.State.Live():
		return &pgvigil.Hint{
			Err:    fmt.Errorf("%s alert %d: it is over: %s: %w", act.Verb, alert.ID, lastStep(alert), server.ErrConflict),
			Advice: fmt.Sprintf(`there is nothing to do: a new alert opens when its cause comes back; see "pgvigil alerts show %d"`, alert.ID),
		}
	case alert.State == state && act.Verb == server.Ack:
		return &pgvigil.Hint{
			Err:    fmt.Errorf("%s alert %d: %s already: %w", act.Verb, alert.ID, lastStep(alert), server.ErrConflict),
			Advice: fmt.Sprintf(`"pgvigil advise --alert %d" for a fix, "pgvigil alerts silence %d --for 4h" or "pgvigil alerts resolve %d"`, alert.ID, alert.ID, alert.ID),
		}
	}
	return nil
}

// lastStep is how an alert came to be as it is: "resolved by kim at ...".
func lastStep(alert pgvigil.Alert) string {
	text := string(alert.State)
	for _, s := range alert.History {
		if s.State == alert.State {
			text = fmt.Sprintf("%s by %s at %s", s.State, oneLine(cmp.Or(s.By, "somebody"), 40), s.At.UTC().Format(time.DateTime))
		}
	}
	return text
}

// hours shows a length that is whole hours.
func hours(d time.Duration) string { return fmt.Sprintf("%dh", int(d.Hours())) }

func noAlert(id int64) error {
	return &pgvigil.Hint{
		Err:    fmt.Errorf("find alert %d: %w", id, server.ErrNotFound),
		Advice: `see "pgvigil alerts list --all"`,
	}
}

// Proposals implements server.App.
func (a *app) Proposals(ctx context.Context, f pgvigil.ProposalFilter) ([]pgvigil.Proposal, error) {
	return a.watcher.history.Proposals(ctx, f)
}

// DecideProposal implements server.App. A decision may be changed until the
// proposal is applied.
func (a *app) DecideProposal(ctx context.Context, id int64, act server.ProposalAction) (pgvigil.Proposal, error) {
	states := map[server.ProposalVerb]pgvigil.ProposalState{server.Accept: pgvigil.Accepted, server.Reject: pgvigil.Declined}
	state, known := states[act.Verb]
	if !known {
		return pgvigil.Proposal{}, fmt.Errorf("decide about a proposal: there is no verb %q: %w", act.Verb, server.ErrInvalid)
	}
	a.watcher.writing.Lock()
	defer a.watcher.writing.Unlock()
	found, err := a.watcher.history.Proposals(ctx, pgvigil.ProposalFilter{ID: id})
	if err != nil {
		return pgvigil.Proposal{}, err
	}
	if len(found) == 0 {
		return pgvigil.Proposal{}, noProposal(id)
	}
	p := found[0]
	if p.State == state || p.State == pgvigil.Applied {
		return pgvigil.Proposal{}, &pgvigil.Hint{
			Err:    fmt.Errorf("%s proposal %d: it is %s already: %w", act.Verb, id, decided(p), server.ErrConflict),
			Advice: fmt.Sprintf(`see "pgvigil proposals show %d"`, id),
		}
	}
	p.State, p.Decision = state, &pgvigil.Decision{At: a.now().UTC(), By: act.By, Reason: act.Reason}
	return p, a.watcher.history.SaveProposal(ctx, &p)
}

// decided is a proposal's state with who brought it about.
func decided(p pgvigil.Proposal) string {
	if d := p.Decision; d != nil {
		return fmt.Sprintf("%s by %s at %s", p.State, oneLine(cmp.Or(d.By, "somebody"), 40), d.At.UTC().Format(time.DateTime))
	}
	return string(p.State)
}

func noProposal(id int64) error {
	return &pgvigil.Hint{
		Err:    fmt.Errorf("find proposal %d: %w", id, server.ErrNotFound),
		Advice: `see "pgvigil proposals list"`,
	}
}
