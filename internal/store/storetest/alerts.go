package storetest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

func someAlert() pgvigil.Alert {
	return pgvigil.Alert{
		Target: "ci", Database: "app", State: pgvigil.Open, Severity: pgvigil.Ticket, Opened: start, Updated: start,
		Query: Query(1<<63+9, 1),
		Verdict: pgvigil.Regression{
			Kind: pgvigil.KindRegression, Series: pgvigil.SeriesKey{Server: 3, DBID: 16384, Fingerprint: 1<<63 + 9},
			Onset: start.Add(-time.Hour), Factor: 3.5, Before: pgvigil.Profile{MS: 1, HitRatio: math.NaN()},
			Events: []pgvigil.Event{{Kind: pgvigil.EventIndexDropped, Object: "public.i"}}, Causes: []pgvigil.CauseEvidence{{Cause: pgvigil.CausePlan, For: []string{"blocks"}}},
			Coverage: pgvigil.Coverage{Time: math.NaN(), Blocks: math.Inf(1)},
		},
		History: []pgvigil.AlertStep{{At: start, State: pgvigil.Open, Reason: "convicted", By: "pgvigil"}},
	}
}

func testAlerts(t *testing.T, p Place) {
	ctx := context.Background()
	h := p.open(t, store.Options{})
	open, closed, other := someAlert(), someAlert(), someAlert()
	closed.State, closed.Opened, closed.Closed = pgvigil.Resolved, start.Add(-48*time.Hour), start.Add(-24*time.Hour)
	other.Target, other.Verdict.Series.Server, other.Opened = "other", 4, start.Add(time.Hour)
	for _, a := range []*pgvigil.Alert{&open, &closed, &other} {
		if err := h.SaveAlert(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	if open.ID == 0 || open.ID == closed.ID {
		t.Errorf("ids %d and %d; want two", open.ID, closed.ID)
	}
	tests := map[string]struct {
		filter pgvigil.AlertFilter
		want   []pgvigil.Alert
	}{
		"all, newest first": {pgvigil.AlertFilter{}, []pgvigil.Alert{other, open, closed}},
		"by id":             {pgvigil.AlertFilter{ID: open.ID}, []pgvigil.Alert{open}},
		"by server":         {pgvigil.AlertFilter{Server: 4}, []pgvigil.Alert{other}},
		"by target":         {pgvigil.AlertFilter{Target: "ci"}, []pgvigil.Alert{open, closed}},
		"live ones":         {pgvigil.AlertFilter{Live: true}, []pgvigil.Alert{other, open}},
		"that lived in a window": {
			pgvigil.AlertFilter{Window: pgvigil.Window{From: start.Add(-25 * time.Hour), To: start.Add(time.Minute)}},
			[]pgvigil.Alert{open, closed},
		},
		"that lived after one was closed": {pgvigil.AlertFilter{Window: pgvigil.Window{From: start.Add(-23 * time.Hour)}}, []pgvigil.Alert{other, open}},
		"none":                            {pgvigil.AlertFilter{ID: 99}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { same(t, "alerts", tt.want, must(h.Alerts(ctx, tt.filter))(t)) })
	}
	open.State = pgvigil.Acknowledged
	if err := h.SaveAlert(ctx, &open); err != nil {
		t.Fatal(err)
	}
	same(t, "saved again", []pgvigil.Alert{open}, must(h.Alerts(ctx, pgvigil.AlertFilter{ID: open.ID}))(t))
	open.ID = 99
	if err := h.SaveAlert(ctx, &open); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("saving an alert that is not there: %v; want ErrNotFound", err)
	}
	healthy(t, h)
}

func testProposals(t *testing.T, p Place) {
	ctx := context.Background()
	h := p.open(t, store.Options{})
	index := pgvigil.Proposal{
		Server: 3, Target: "ci", Kind: pgvigil.ProposeIndex, Table: "public.jobs", Columns: []string{"status"}, Drafted: start, Alert: 8,
		State: pgvigil.Drafted, Steps: []pgvigil.Step{{SQL: "CREATE INDEX", OutsideTx: true}},
		Evidence: pgvigil.Evidence{Verdict: pgvigil.Verified, CostBefore: 100, CostAfter: 1, WriteOverhead: math.NaN()},
	}
	drop := pgvigil.Proposal{Server: 4, Target: "other", Kind: pgvigil.ProposeDrop, Drafted: start.Add(time.Hour), State: pgvigil.Declined}
	second := pgvigil.Proposal{Server: 4, Target: "other", Kind: pgvigil.ProposeIndex, Drafted: drop.Drafted, State: pgvigil.Declined}
	for _, x := range []*pgvigil.Proposal{&index, &drop, &second} {
		if err := h.SaveProposal(ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		filter pgvigil.ProposalFilter
		want   []pgvigil.Proposal
	}{
		"all, newest first, else as saved": {pgvigil.ProposalFilter{}, []pgvigil.Proposal{drop, second, index}},
		"by id":                            {pgvigil.ProposalFilter{ID: drop.ID}, []pgvigil.Proposal{drop}},
		"by server":                        {pgvigil.ProposalFilter{Server: 3}, []pgvigil.Proposal{index}},
		"by alert":                         {pgvigil.ProposalFilter{Alert: 8}, []pgvigil.Proposal{index}},
		"drafted":                          {pgvigil.ProposalFilter{Window: pgvigil.Window{From: start.Add(time.Minute)}}, []pgvigil.Proposal{drop, second}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { same(t, "proposals", tt.want, must(h.Proposals(ctx, tt.filter))(t)) })
	}
	index.Outcome = &pgvigil.Outcome{AppliedAt: start, Size: 5}
	if err := h.SaveProposal(ctx, &index); err != nil {
		t.Fatal(err)
	}
	same(t, "saved again", []pgvigil.Proposal{index}, must(h.Proposals(ctx, pgvigil.ProposalFilter{ID: index.ID}))(t))
}

func testState(t *testing.T, p Place) {
	ctx := context.Background()
	h := p.open(t, store.Options{})
	save := func(id pgvigil.ServerID, name string, blob []byte) {
		t.Helper()
		if err := h.SaveState(ctx, id, name, blob); err != nil {
			t.Fatal(err)
		}
	}
	save(1, "detector", []byte{0, 1, 255})
	save(1, "other", []byte("x"))
	save(2, "detector", []byte("two"))
	save(1, "detector", []byte{7, 0})
	same(t, "state", []byte{7, 0}, must(h.State(ctx, 1, "detector"))(t))
	same(t, "of another server", []byte("two"), must(h.State(ctx, 2, "detector"))(t))
	save(1, "detector", nil)
	if got := must(h.State(ctx, 1, "detector"))(t); got != nil {
		t.Errorf("forgotten state = %v; want nil", got)
	}
	same(t, "of another name", []byte("x"), must(h.State(ctx, 1, "other"))(t))
}
