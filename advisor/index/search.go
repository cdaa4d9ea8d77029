package index

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Rules of the search. They are about planner costs of single statements, so
// that a small hot table is not starved by a big cold one.
const (
	// minGain is the share of its cost that at least one statement must lose
	// for an index to be worth its upkeep.
	minGain = 0.20
	// minUse is the share of the whole gain, or of a statement's first cost,
	// that an index must bring beside the others; less, and it is removed again.
	minUse = 0.05
	// tie is how much better a bigger index must be to beat a smaller one.
	tie = 0.10
	// maxChosen bounds the indexes of one table.
	maxChosen = 3
)

// Work is one statement with its weight: calls per hour, or any other measure
// of how much it matters, above 0.
type Work struct {
	Statement whatif.Statement
	Weight    float64
	// Tables are the tables that it reads or writes.
	Tables []pgvigil.OID
	// Context statements are weighed, but no index is kept for their sake alone.
	Context bool
}

// Choice is a candidate that the search kept, with what it does.
type Choice struct {
	Candidate
	Size    pgvigil.Bytes
	Queries []Effect
	// Unproven says why the judge could not try it; nil if it did.
	Unproven error
}

// Effect is what a choice does to one statement, beside the other choices.
type Effect struct {
	Work   int
	Before whatif.Plan
	After  whatif.Plan
	Uses   bool
}

// Found is what a search ends with.
type Found struct {
	Choices []Choice
	// Refused says by work why it could not be planned.
	Refused map[int]error
	// Rejected are candidates by others than Rules that were tried and not
	// kept, with what the judge said, and all that it could not try.
	Rejected []Rejection
	// Before are the costs of the work as it is, 0 for what was refused.
	Before []pgvigil.Cost
	Calls  int
}

// Rejection is a candidate that was tried and not kept.
type Rejection struct {
	Candidate
	Reason string
	// Unproven says that the judge could not try it: it may be good.
	Unproven bool
	Size     pgvigil.Bytes
}

// Search tries all candidates and keeps the few that serve the work best.
type Search struct {
	Judge   whatif.Judge
	Catalog *Catalog
	Work    []Work
	// Writes are the changes to tables, for the price of an index.
	Writes map[pgvigil.OID]Writes
	// Budget bounds the sizes of all indexes together; 0 is no bound.
	Budget pgvigil.Bytes

	candidates []tried
	base       []whatif.Plan
	refused    map[int]error
	calls      int
	spent      pgvigil.Bytes
}

// tried is a candidate with what it does alone.
type tried struct {
	Candidate
	table    *pgvigil.Table
	size     pgvigil.Bytes
	unproven error
	alone    map[int]whatif.Plan // by work
}

// Run judges candidates, which must have distinct definitions.
func (s *Search) Run(ctx context.Context, candidates []Candidate) (Found, error) {
	if err := s.measure(ctx, candidates); err != nil {
		return Found{}, err
	}
	found := Found{Refused: s.refused}
	var rest []Rejection
	for _, table := range s.tables() {
		chosen, err := s.greedy(ctx, table)
		if err != nil {
			return found, err
		}
		if chosen, err = s.remove(ctx, chosen); err != nil {
			return found, err
		}
		choices, err := s.explain(ctx, chosen)
		if err != nil {
			return found, err
		}
		found.Choices = append(found.Choices, choices...)
		rest = append(rest, s.rejections(table, chosen)...)
	}
	for _, p := range s.base {
		found.Before = append(found.Before, p.Cost)
	}
	found.Rejected, found.Calls = rest, s.calls
	return found, nil
}

// measure plans all work without and with each candidate alone.
func (s *Search) measure(ctx context.Context, candidates []Candidate) error {
	s.refused = map[int]error{}
	all := make([]int, len(s.Work))
	for i := range all {
		all[i] = i
	}
	plans, _, err := s.cost(ctx, all, nil)
	if err != nil {
		return err
	}
	s.base = plans
	for i, p := range plans {
		if p.Refused != nil {
			s.refused[i] = p.Refused
		}
	}
	for _, c := range candidates {
		t, err := s.try(ctx, c)
		if err != nil {
			return err
		}
		s.candidates = append(s.candidates, t)
	}
	return nil
}

// try plans the work on the candidate's table with it alone. A partial index
// that goes unused may be one that the judge cannot hold there; then it is
// tried again with a stand-in.
func (s *Search) try(ctx context.Context, c Candidate) (tried, error) {
	t, err := s.tryOnce(ctx, c)
	if err != nil || t.StandIn || t.unproven != nil || len(c.Whole) == 0 || t.used() {
		return t, err
	}
	c.PreferWhole = true
	again, err := s.tryOnce(ctx, c)
	if err != nil || !again.StandIn || !again.used() {
		return t, err
	}
	return again, nil
}

// used says whether any of the work that the candidate was drafted for uses it.
func (t tried) used() bool {
	return slices.ContainsFunc(t.Wants, func(w int) bool { return len(t.alone[w].Used) > 0 })
}

func (s *Search) tryOnce(ctx context.Context, c Candidate) (tried, error) {
	t := tried{Candidate: c, table: s.Catalog.Table(c.Schema + "." + c.Table), alone: map[int]whatif.Plan{}}
	if t.table == nil {
		t.unproven = fmt.Errorf("the table %s is not known", whatif.Quote(c.Schema, c.Table))
		return t, nil
	}
	work := s.on(t.table)
	plans, res, err := s.cost(ctx, work, []Candidate{c})
	if err != nil {
		return t, err
	}
	t.size, t.unproven, t.StandIn = res.Sizes[0], res.Unproven[0], res.StandIn[0]
	if t.size == 0 {
		t.size = s.Catalog.Size(t.table, c.Index, s.Catalog.Share(t.table, c))
	}
	for i, w := range work {
		if !t.StandIn || slices.Contains(t.Wants, w) {
			t.alone[w] = plans[i]
		}
	}
	return t, nil
}

// on lists the work that concerns a table and can be planned.
func (s *Search) on(t *pgvigil.Table) (work []int) {
	for i, w := range s.Work {
		if slices.Contains(w.Tables, t.Key.RelID) && s.refused[i] == nil {
			work = append(work, i)
		}
	}
	return work
}

// cost plans some of the work with candidates in place.
func (s *Search) cost(ctx context.Context, work []int, with []Candidate) ([]whatif.Plan, whatif.Result, error) {
	statements := make([]whatif.Statement, len(work))
	for i, w := range work {
		statements[i] = s.Work[w].Statement
	}
	indexes := make([]whatif.Index, len(with))
	for i, c := range with {
		indexes[i] = c.Index
	}
	res, err := s.Judge.Cost(ctx, statements, indexes)
	s.calls += res.Calls
	return res.Plans, res, err
}

// tables are the tables that have candidates, each once, in order.
func (s *Search) tables() (out []*pgvigil.Table) {
	for _, c := range s.candidates {
		if c.table != nil && !slices.Contains(out, c.table) {
			out = append(out, c.table)
		}
	}
	return out
}

// current is the work of one table with what is chosen so far.
type current struct {
	chosen []tried
	costs  map[int]pgvigil.Cost
}

// greedy adds the best candidate until none is worth it.
func (s *Search) greedy(ctx context.Context, table *pgvigil.Table) ([]tried, error) {
	now := current{costs: map[int]pgvigil.Cost{}}
	for _, w := range s.on(table) {
		now.costs[w] = s.base[w].Cost
	}
	for len(now.chosen) < maxChosen {
		add := s.together(table, now)
		if best, ok := s.best(table, now); ok {
			add = []tried{best}
		}
		if len(add) == 0 {
			break
		}
		costs, err := s.costs(ctx, table, append(slices.Clone(now.chosen), add...))
		if err != nil {
			return nil, err
		}
		if !s.worth(now.costs, costs) {
			break
		}
		now.chosen, now.costs = append(now.chosen, add...), costs
		for _, t := range add {
			s.spent += t.size
		}
	}
	return now.chosen, nil
}

// together returns the candidates for the sides of an OR, which help only all
// at once; nil if there is no such pair or one of them is chosen.
func (s *Search) together(table *pgvigil.Table, now current) (out []tried) {
	size := s.spent
	for _, c := range s.candidates {
		switch {
		case c.table != table || c.Kind != "either" || c.unproven != nil:
		case slices.ContainsFunc(now.chosen, c.is) || len(out) > 0 && !slices.Equal(out[0].Wants, c.Wants):
			return nil
		default:
			out, size = append(out, c), size+c.size
		}
	}
	if len(out) < 2 || len(out) > maxChosen || s.Budget > 0 && size > s.Budget {
		return nil
	}
	return out
}

// best returns the candidate that leaves the least cost; its plans alone stand
// for its plans beside the others, which is checked after.
func (s *Search) best(table *pgvigil.Table, now current) (best tried, ok bool) {
	for _, c := range s.candidates {
		if c.table != table || c.unproven != nil || slices.ContainsFunc(now.chosen, c.is) ||
			s.Budget > 0 && s.spent+c.size > s.Budget {
			continue
		}
		if !s.worth(now.costs, lower(now.costs, c)) {
			continue
		}
		if !ok || s.better(now, c, best) {
			best, ok = c, true
		}
	}
	return best, ok
}

// lower returns the costs with c in place too.
func lower(now map[int]pgvigil.Cost, c tried) map[int]pgvigil.Cost {
	out := map[int]pgvigil.Cost{}
	for w, p := range c.alone {
		out[w] = min(p.Cost, now[w])
	}
	return out
}

// better says whether c beats the best so far: by what is left of the cost of
// the statements on which they differ, which a huge report that neither helps
// must not blur. Among equals a restored index wins, then one in the order of
// a LIMIT, which holds where statistics mislead, then the smaller one.
func (s *Search) better(now current, c, best tried) bool {
	a, b := lower(now.costs, c), lower(now.costs, best)
	left, leftBest := 0.0, 0.0
	for w, cost := range a {
		if d := b[w]; math.Abs(float64(cost-d)) > 0.01*float64(now.costs[w]) || cost < d/2 || d < cost/2 {
			left += s.weight(w) * float64(cost)
			leftBest += s.weight(w) * float64(d)
		}
	}
	left, leftBest = left*s.handicap(c), leftBest*s.handicap(best)
	switch {
	case left < leftBest*(1-tie):
		return true
	case leftBest < left*(1-tie):
		return false
	case (c.Kind == "restore") != (best.Kind == "restore"):
		return c.Kind == "restore"
	case c.Ordered != best.Ordered:
		return c.Ordered
	}
	return c.size < best.size
}

// handicap is how much better a candidate must be for its upkeep: payload
// columns make an index wide and need a vacuumed table, and an index on what
// updates set costs their HOT.
func (s *Search) handicap(c tried) float64 {
	h := 1.0
	if len(c.Include) > 0 {
		h *= 1.6
	}
	if _, lost := s.Catalog.Overhead(c.table, c.Index, 1, s.Writes[c.table.Key.RelID]); len(lost) > 0 {
		h *= 1.3
	}
	return h
}

func (t tried) is(o tried) bool { return t.Definition() == o.Definition() }

// gain is the sum of what the work loses in cost, each statement by its weight.
func (s *Search) gain(before, after map[int]pgvigil.Cost) float64 {
	sum := 0.0
	for w, b := range before {
		a, ok := after[w]
		if !ok || b <= 0 {
			continue
		}
		sum += s.weight(w) * float64(b-a)
	}
	return sum
}

func (s *Search) weight(w int) float64 { return math.Max(s.Work[w].Weight, 1e-9) }

// worth says whether at least one statement that is no context gains enough: a
// fifth of what it costs now, and a part of what it cost at first that is worth
// an index more.
func (s *Search) worth(before, after map[int]pgvigil.Cost) bool {
	for w, b := range before {
		a, ok := after[w]
		gain := float64(b - a)
		if ok && !s.Work[w].Context && gain > 1 && gain > minGain*float64(b) && gain > minUse*float64(s.base[w].Cost) {
			return true
		}
	}
	return false
}

// costs plans a table's work with several candidates in place.
func (s *Search) costs(ctx context.Context, table *pgvigil.Table, with []tried) (map[int]pgvigil.Cost, error) {
	work := s.on(table)
	plans, err := s.plans(ctx, work, with)
	if err != nil {
		return nil, err
	}
	out := map[int]pgvigil.Cost{}
	for i, w := range work {
		if plans[i].Refused == nil {
			out[w] = plans[i].Cost
		}
	}
	return out, nil
}

// plans plans work with several candidates in place; stand-ins are kept from
// the statements that they were not drafted for.
func (s *Search) plans(ctx context.Context, work []int, with []tried) ([]whatif.Plan, error) {
	var standIns bool
	for _, t := range with {
		standIns = standIns || t.StandIn
	}
	if !standIns {
		plans, _, err := s.cost(ctx, work, drafts(with))
		return plans, err
	}
	out := make([]whatif.Plan, len(work))
	for i, w := range work {
		var use []tried
		var at []int
		for j, t := range with {
			if !t.StandIn || slices.Contains(t.Wants, w) {
				use, at = append(use, t), append(at, j)
			}
		}
		plans, _, err := s.cost(ctx, []int{w}, drafts(use))
		if err != nil {
			return nil, err
		}
		out[i] = plans[0]
		for k, pos := range out[i].Used {
			out[i].Used[k] = at[pos]
		}
	}
	return out, nil
}

func drafts(with []tried) []Candidate {
	out := make([]Candidate, len(with))
	for i, t := range with {
		out[i] = t.Candidate
	}
	return out
}
