package index

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// remove drops choices that later ones made superfluous.
func (s *Search) remove(ctx context.Context, chosen []tried) ([]tried, error) {
	for i := 0; len(chosen) > 1 && i < len(chosen); {
		table := chosen[i].table
		with, err := s.costs(ctx, table, chosen)
		if err != nil {
			return nil, err
		}
		fewer := slices.Delete(slices.Clone(chosen), i, i+1)
		without, err := s.costs(ctx, table, fewer)
		if err != nil {
			return nil, err
		}
		before := map[int]pgvigil.Cost{}
		for w := range with {
			before[w] = s.base[w].Cost
		}
		if s.gain(without, with) < minUse*s.gain(before, with) && !s.worth(without, with) {
			s.spent -= chosen[i].size
			chosen = fewer
			continue
		}
		i++
	}
	return chosen, nil
}

// explain collects the evidence of what was chosen for one table.
func (s *Search) explain(ctx context.Context, chosen []tried) ([]Choice, error) {
	if len(chosen) == 0 {
		return nil, nil
	}
	work := s.on(chosen[0].table)
	plans, err := s.plans(ctx, work, chosen)
	if err != nil {
		return nil, err
	}
	out := make([]Choice, len(chosen))
	for i, t := range chosen {
		out[i] = Choice{Candidate: t.Candidate, Size: t.size, Unproven: t.unproven}
		for j, w := range work {
			uses := slices.Contains(plans[j].Used, i)
			if uses || slices.Contains(t.Wants, w) {
				out[i].Queries = append(out[i].Queries, Effect{w, s.base[w], plans[j], uses})
			}
		}
	}
	return out, nil
}

// rejections says of the candidates that others drafted why they were not kept.
func (s *Search) rejections(table *pgvigil.Table, chosen []tried) (out []Rejection) {
	for _, c := range s.candidates {
		if c.table != table || c.Author == Rules && c.unproven == nil || slices.ContainsFunc(chosen, c.is) {
			continue
		}
		out = append(out, Rejection{c.Candidate, s.reason(c, chosen), c.unproven != nil, c.size})
	}
	return out
}

func (s *Search) reason(c tried, chosen []tried) string {
	if c.unproven != nil {
		return c.unproven.Error()
	}
	before, after := pgvigil.Cost(0), pgvigil.Cost(0)
	for w, p := range c.alone {
		before += s.base[w].Cost
		after += p.Cost
	}
	verdict := "no statement gains a fifth of its cost"
	if len(chosen) > 0 {
		verdict = "what was chosen gains more or is smaller"
	}
	return fmt.Sprintf("planner cost %.0f before, %.0f with it alone: %s", float64(before), float64(after), verdict)
}
