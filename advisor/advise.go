package advisor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/llm"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/query"
)

// Advise drafts and verifies proposals. The error is only that ctx is over;
// whatever else fails is said in warnings, and what could still be drafted is
// returned unverified.
func (a *Advisor) Advise(ctx context.Context, r Request) (Answer, error) {
	t := newTask(a, r)
	t.draft(ctx)
	t.judge(ctx)
	t.partition(ctx)
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
	catalog *index.Catalog
	options query.Options
	began   time.Time
	// By position of the work:
	shapes   []query.Shape
	bound    []map[int]string
	bindings [][]pgvigil.Warning
	// values caches common values by column.
	values     map[string][]whatif.Value
	candidates []index.Candidate
	// voice says how the prose came about; claims are the model's, checked.
	voice     string
	claims    []llm.Claim
	dossierOf dossier
	// rejected are drafts of the model that were not worth judging.
	rejected []index.Rejection
	found    index.Found
	judged   bool
	answer   Answer
}

func newTask(a *Advisor, r Request) *task {
	c := index.NewCatalog(r.Catalog)
	t := &task{
		Advisor: a, Request: r, catalog: c, options: options(c), began: a.o.Now(),
		shapes: make([]query.Shape, len(r.Work)), bound: make([]map[int]string, len(r.Work)),
		bindings: make([][]pgvigil.Warning, len(r.Work)), values: map[string][]whatif.Value{},
	}
	for i, w := range r.Work {
		s, err := query.Analyze(w.text(), t.options)
		if err != nil {
			t.warn("unparsed", fmt.Sprintf("statement %s cannot be read: %v", w.Query.Fingerprint, err), "")
			continue
		}
		t.shapes[i] = s
		t.bindPartitions(i)
	}
	t.Writes = t.allWrites()
	return t
}

func (t *task) warn(code, text, remedy string) {
	t.answer.Warnings = append(t.answer.Warnings, pgvigil.Warning{Code: code, Text: text, Remedy: remedy})
}

// weight is how much a statement matters, above 0.
func (t *task) weight(work int) float64 {
	if w := t.Work[work].Weight; w > 0 {
		return w
	}
	return 1
}

// draft collects candidates from the events, the rules and the model.
func (t *task) draft(ctx context.Context) {
	t.restores(ctx)
	for i, w := range t.Work {
		if !w.Context {
			t.generate(ctx, demands(t.catalog, i, t.shapes[i]))
		}
	}
	t.consult(ctx)
}

func (t *task) generate(ctx context.Context, list []index.Demand) {
	for _, d := range list {
		for _, c := range t.catalog.Generate(d) {
			if len(c.Conds) > 0 {
				c.Rows = t.shareOf(ctx, d.Table, c.Conds)
			}
			if c.Rows <= maxPartial {
				t.add(c)
			}
		}
	}
}

// maxPartial is the share of rows from which on a partial index is no use.
const maxPartial = 0.5

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
			if !strings.Contains(old.Author, c.Author) {
				old.Author += " and " + c.Author
			}
			return
		}
	}
	t.candidates = append(t.candidates, c)
}

// restores drafts what was dropped near an onset, or lately.
func (t *task) restores(ctx context.Context) {
	for i, w := range t.Work {
		if w.Alert != nil {
			t.restore(ctx, w.Alert.Verdict.Events, []int{i})
		}
	}
	t.restore(ctx, t.Events, nil)
}

func (t *task) restore(ctx context.Context, events []pgvigil.Event, wants []int) {
	for _, e := range events {
		if e.Kind != pgvigil.EventIndexDropped {
			continue
		}
		touching := t.touching(wants, e)
		if len(touching) == 0 {
			continue // it is another's index
		}
		c, table, ok := t.catalog.Restore(e.Before, touching)
		if !ok {
			continue
		}
		t.bindRestored(c)
		if c.Predicate != "" {
			conds := t.predicateOf(c)
			c.Rows = t.shareOf(ctx, table, conds)
			t.imply(&c, table, conds)
		}
		t.add(c)
	}
}

// touching are the statements of wants, or all others that advice is wanted
// for, that touch the table of an event.
func (t *task) touching(wants []int, e pgvigil.Event) (out []int) {
	for i := range t.Work {
		if len(wants) > 0 && !slices.Contains(wants, i) || t.Work[i].Context {
			continue
		}
		for _, id := range tablesOf(t.catalog, t.shapes[i]) {
			if table := t.catalog.ByOID(id); table.Name == e.Table || t.isPart(e.Table, table) {
				out = append(out, i)
			}
		}
	}
	return out
}

func (t *task) isPart(name string, of *pgvigil.Table) bool {
	return slices.ContainsFunc(t.catalog.Leaves(of), func(l *pgvigil.Table) bool { return l.Name == name })
}

// judge searches the candidates with the judge, if there is one. Statements
// that nothing helps get a second try with the rare value of skewed columns.
func (t *task) judge(ctx context.Context) {
	if t.Judge == nil {
		t.warn("no-judge", "nothing could be verified: neither HypoPG nor a scratch database is there",
			"CREATE EXTENSION hypopg")
		return
	}
	found, err := t.search(ctx)
	if err == nil && t.addRare(ctx, found) {
		calls := found.Calls
		found, err = t.search(ctx)
		found.Calls += calls
	}
	if err != nil {
		t.o.Log.Warn("what-if failed", "target", t.Target, "error", err)
		t.warn("judge-failed", "the what-if judge failed: "+err.Error(), pgvigil.Advice(err))
		return
	}
	t.found, t.judged = found, true
	t.answer.WhatIfCalls = found.Calls
	t.refusals()
}

func (t *task) search(ctx context.Context) (index.Found, error) {
	s := index.Search{Judge: t.Judge, Catalog: t.catalog, Budget: t.Budget, Writes: t.Writes}
	for i, w := range t.Work {
		s.Work = append(s.Work, index.Work{
			Statement: whatif.Statement{Text: w.text(), Tables: namesOf(t.shapes[i]), Role: w.Role, Bound: t.bound[i]},
			Weight:    t.weight(i), Tables: tablesOf(t.catalog, t.shapes[i]), Context: w.Context,
		})
	}
	return s.Run(ctx, t.candidates)
}

// addRare binds and drafts for the statements that found no index.
func (t *task) addRare(ctx context.Context, found index.Found) (any bool) {
	for i, w := range t.Work {
		helped := slices.ContainsFunc(found.Choices, func(c index.Choice) bool {
			return slices.ContainsFunc(c.Queries, func(e index.Effect) bool { return e.Work == i && e.Uses })
		})
		if helped || w.Context || found.Refused[i] != nil {
			continue
		}
		if list := t.bindRare(ctx, i); len(list) > 0 {
			t.generate(ctx, list)
			any = true
		}
	}
	return any
}

// refusals say which statements could not be planned, and why.
func (t *task) refusals() {
	for i, w := range t.Work {
		if err := t.found.Refused[i]; err != nil {
			t.warn("not-planned", fmt.Sprintf("statement %s: %v", w.Query.Fingerprint, err), pgvigil.Advice(err))
		}
	}
}
