package advisor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Advise drafts and verifies proposals. The error is only that ctx is over;
// whatever else fails is said in warnings, and what could still be drafted is
// returned unverified.
func (a *Advisor) Advise(ctx context.Context, r Request) (Answer, error) {
	t := &task{Advisor: a, Request: r, catalog: index.NewCatalog(r.Catalog), began: a.o.Now()}
	t.draft(ctx)
	t.judge(ctx)
	t.propose()
	if err := ctx.Err(); err != nil {
		return Answer{}, fmt.Errorf("advise on %s: %w", r.Target, err)
	}
	t.answer.Took = a.o.Now().Sub(t.began)
	return t.answer, nil
}

// task is one call of Advise.
type task struct {
	*Advisor
	Request
	catalog    *index.Catalog
	began      time.Time
	candidates []index.Candidate
	found      index.Found
	judged     bool
	answer     Answer
}

func (t *task) warn(code, text, remedy string) {
	t.answer.Warnings = append(t.answer.Warnings, pgvigil.Warning{Code: code, Text: text, Remedy: remedy})
}

// draft collects candidates from the events, the rules and the model.
func (t *task) draft(ctx context.Context) {
	t.restores()
	for i, w := range t.Work {
		if w.Context {
			continue
		}
		for _, d := range demands(t.catalog, i, w.Query) {
			for _, c := range t.catalog.Generate(d) {
				t.add(c)
			}
		}
	}
}

// add keeps a candidate, joined with an equal one.
func (t *task) add(c index.Candidate) {
	for i := range t.candidates {
		old := &t.candidates[i]
		if old.Definition() == c.Definition() {
			for _, w := range c.Wants {
				if !slices.Contains(old.Wants, w) {
					old.Wants = append(old.Wants, w)
				}
			}
			return
		}
	}
	t.candidates = append(t.candidates, c)
}

// restores drafts what was dropped near an onset, or lately.
func (t *task) restores() {
	for i, w := range t.Work {
		if w.Alert == nil {
			continue
		}
		t.restore(w.Alert.Verdict.Events, []int{i})
	}
	t.restore(t.Events, nil)
}

func (t *task) restore(events []pgvigil.Event, wants []int) {
	for _, e := range events {
		if e.Kind != pgvigil.EventIndexDropped {
			continue
		}
		if c, _, ok := t.catalog.Restore(e.Before, wants); ok {
			t.add(c)
		}
	}
}

// judge searches the candidates with the judge, if there is one.
func (t *task) judge(ctx context.Context) {
	if t.Judge == nil {
		t.warn("no-judge", "nothing could be verified: neither HypoPG nor a scratch database is there",
			"CREATE EXTENSION hypopg")
		return
	}
	s := index.Search{Judge: t.Judge, Catalog: t.catalog, Budget: t.Budget}
	for _, w := range t.Work {
		s.Work = append(s.Work, index.Work{
			Statement: whatif.Statement{Text: w.text(), Tables: w.Query.Tables, Role: w.Role},
			Weight:    max(w.Weight, 0), Tables: tablesOf(t.catalog, w.Query),
		})
		if w.Weight == 0 {
			s.Work[len(s.Work)-1].Weight = 1
		}
	}
	found, err := s.Run(ctx, t.candidates)
	if err != nil {
		t.o.Log.Warn("what-if failed", "target", t.Target, "error", err)
		t.warn("judge-failed", "the what-if judge failed: "+err.Error(), pgvigil.Advice(err))
		return
	}
	t.found, t.judged = found, true
	t.answer.WhatIfCalls = found.Calls
}
