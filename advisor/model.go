package advisor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/llm"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Bounds of what a model is told.
const (
	maxModelQueries = 12
	maxModelColumns = 60
	maxModelText    = 4 << 10 // bytes of one query
)

// dossier is the evidence for a model with the way back from its ids.
type dossier struct {
	llm.Evidence
	tables     map[string]*pgvigil.Table
	queries    map[string]int // positions of work
	predicates map[string][]index.Cond
}

// consult asks the model, if there is one. Whatever it does, the rules' drafts
// stand.
func (t *task) consult(ctx context.Context) {
	if t.o.Model == nil {
		t.voice = "written from the facts, without a model"
		return
	}
	name := t.o.Model.Name()
	d := t.dossier()
	if len(d.Queries) == 0 {
		t.voice = "written from the facts"
		return
	}
	limited, cancel := context.WithTimeout(ctx, t.o.ModelTimeout)
	defer cancel()
	answer, err := draftWithin(limited, t.o.Model, d.Evidence)
	if err != nil {
		t.o.Log.Warn("the model failed", "model", name, "error", err)
		t.warn("model-failed", fmt.Sprintf("the model failed, the rules stand alone: %v", err), "")
		t.voice = "written from the facts, for the model failed"
		return
	}
	checked, dropped := llm.Check(d.Evidence, answer)
	for _, x := range dropped {
		t.warn("model-dropped", fmt.Sprintf("%s of %s was dropped: %s", x.Part, name, x.Reason), "")
	}
	t.voice = fmt.Sprintf("the figures are from the facts; %s drafted beside the rules, %d parts of its answer were dropped", name, len(dropped))
	for _, c := range checked.Candidates {
		t.fromModel(ctx, d, name, c)
	}
	t.dossierOf, t.claims = d, checked.Claims
}

// draftWithin waits for a model no longer than ctx, even one that does not
// keep deadlines.
func draftWithin(ctx context.Context, m llm.Model, e llm.Evidence) (llm.Answer, error) {
	type result struct {
		answer llm.Answer
		err    error
	}
	done := make(chan result, 1)
	go func() {
		a, err := m.Draft(ctx, e)
		done <- result{a, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return llm.Answer{}, ctx.Err()
	}
}

// fromModel turns a checked candidate into one for the judge.
func (t *task) fromModel(ctx context.Context, d dossier, name string, c llm.Candidate) {
	table := d.tables[c.Table]
	x := index.Candidate{Kind: "model", Author: name, Index: whatif.Index{
		Schema: table.Schema, Table: table.Name, Method: c.Method, Include: c.Include,
	}}
	if x.Method == "btree" {
		x.Method = ""
	}
	for _, k := range c.Columns {
		x.Keys = append(x.Keys, whatif.Key{Column: k.Name, Desc: k.Desc, Nulls: k.Nulls})
	}
	for _, i := range d.queries {
		if slices.Contains(tablesOf(t.catalog, t.shapes[i]), table.Key.RelID) {
			x.Wants = append(x.Wants, i)
		}
	}
	slices.Sort(x.Wants)
	if conds := d.predicates[c.Predicate]; len(conds) > 0 {
		x.Conds, x.Rows = conds, t.shareOf(ctx, table, conds)
		x.Predicate, x.Folded, _ = index.Predicate(table, conds)
		t.imply(&x, table, conds)
	}
	if served := t.catalog.Served(table, x.Index); served != "" {
		t.refuse(x, "the index "+served+" serves it already")
		return
	}
	t.add(x)
}

// refuse keeps a candidate of a model that is not worth judging, to be shown
// with its reason.
func (t *task) refuse(c index.Candidate, reason string) {
	t.rejected = append(t.rejected, index.Rejection{Candidate: c, Reason: reason})
}

// dossier collects what a model may know: no literal, no secret, no name of a
// person.
func (t *task) dossier() dossier {
	d := dossier{tables: map[string]*pgvigil.Table{}, queries: map[string]int{}, predicates: map[string][]index.Cond{}}
	ids := map[pgvigil.OID]string{}
	for i, w := range t.Work {
		if w.Context || len(d.queries) >= maxModelQueries || len(t.shapes[i].Blocks) == 0 {
			continue
		}
		id := fmt.Sprintf("q%d", len(d.queries)+1)
		d.queries[id] = i
		d.Queries = append(d.Queries, llm.Query{
			ID: id, Text: clean(t.shapes[i].Text, maxModelText), CallsPerHour: w.Weight, Regressed: w.Alert != nil,
		})
		for _, oid := range tablesOf(t.catalog, t.shapes[i]) {
			if ids[oid] == "" {
				ids[oid] = fmt.Sprintf("t%d", len(ids)+1)
				d.addTable(t, ids[oid], t.catalog.ByOID(oid))
			}
		}
		d.addPredicates(t, i, ids)
		d.addFacts(id, w)
	}
	return d
}

func (d *dossier) addTable(t *task, id string, table *pgvigil.Table) {
	out := llm.Table{ID: id, Name: table.Schema + "." + table.Name, Rows: t.catalog.Rows(table), PartitionKey: table.PartitionKey}
	if table.Kind == "p" {
		out.Partitions = len(t.catalog.Leaves(table))
	}
	for _, c := range table.Columns[:min(len(table.Columns), maxModelColumns)] {
		col, _ := t.catalog.Column(table, c.Name)
		out.Columns = append(out.Columns, llm.Column{Name: c.Name, Type: c.Type, Distinct: index.Distinct(col, out.Rows)})
	}
	for _, x := range t.catalog.Indexes(table) {
		out.Indexes = append(out.Indexes, llm.Index{
			Method: x.Method, Keys: x.Parts.KeyNames(), Partial: x.Predicate != "", Valid: x.Valid,
		})
	}
	for col := range t.Writes[table.Key.RelID].Sets {
		out.SetColumns = append(out.SetColumns, col)
	}
	slices.Sort(out.SetColumns)
	d.tables[id] = table
	d.Tables = append(d.Tables, out)
	d.fact(id, "number of rows", out.Rows, "")
}

// addPredicates offers the constant conditions of a statement, their constants
// hidden.
func (d *dossier) addPredicates(t *task, work int, ids map[pgvigil.OID]string) {
	for _, demand := range demands(t.catalog, work, t.shapes[work]) {
		for _, c := range demand.Conds {
			conds := []index.Cond{c}
			sql, ok := index.Masked(demand.Table, conds)
			if !ok {
				continue
			}
			id := fmt.Sprintf("p%d", len(d.Predicates)+1)
			d.predicates[id] = conds
			d.Predicates = append(d.Predicates, llm.Predicate{ID: id, Table: ids[demand.Table.Key.RelID], Text: sql})
		}
	}
}

func (d *dossier) addFacts(id string, w Work) {
	if w.Weight > 0 {
		d.fact(id, "calls per hour", w.Weight, "")
	}
	if w.MS > 0 {
		d.fact(id, "time per call", w.MS, "ms")
	}
	if w.Alert == nil {
		return
	}
	v := w.Alert.Verdict
	for _, f := range []struct {
		what  string
		value float64
		unit  string
	}{
		{"time per call before the regression", v.Before.MS, "ms"},
		{"time per call since the regression", v.After.MS, "ms"},
		{"blocks per call before the regression", v.Before.Blocks, ""},
		{"blocks per call since the regression", v.After.Blocks, ""},
		{"slow-down factor", v.Factor, ""},
	} {
		if f.value > 0 {
			d.fact(id, f.what, f.value, f.unit)
		}
	}
}

func (d *dossier) fact(about, what string, value float64, unit string) {
	d.Facts = append(d.Facts, llm.Fact{ID: fmt.Sprintf("f%d", len(d.Facts)+1), About: about, What: what, Value: value, Unit: unit})
}

// clean cuts a text and takes out what does not print.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s[:min(n, len(s))])
	return strings.ToValidUTF8(s, "")
}

// said are the model's checked claims about the statements and the table of a
// proposal, as plain text.
func (t *task) said(work []int, table *pgvigil.Table) []string {
	about := map[string]bool{}
	for id, i := range t.dossierOf.queries {
		about[id] = slices.Contains(work, i)
	}
	for id, of := range t.dossierOf.tables {
		about[id] = of == table
	}
	var out []string
	for _, c := range t.claims {
		cites := func(id string) bool {
			return slices.ContainsFunc(t.dossierOf.Facts, func(f llm.Fact) bool { return f.ID == id && about[f.About] })
		}
		if slices.ContainsFunc(c.Facts, cites) {
			out = append(out, c.Text)
		}
	}
	return out
}
