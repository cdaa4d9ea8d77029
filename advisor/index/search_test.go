package index_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// ledger is a judge that prices statements by a table: the cost of statement s
// with index x is ledger[s][columns of x], and "" is without any.
type ledger []map[string]pgvigil.Cost

func (ledger) Method() string { return "ledger" }

func (l ledger) Cost(_ context.Context, statements []whatif.Statement, indexes []whatif.Index) (whatif.Result, error) {
	res := whatif.Result{
		Plans: make([]whatif.Plan, len(statements)), Sizes: make([]pgvigil.Bytes, len(indexes)),
		Unproven: make([]error, len(indexes)), StandIn: make([]bool, len(indexes)), Calls: len(statements),
	}
	for i, st := range statements {
		var n int
		if _, err := fmt.Sscan(st.Text, &n); err != nil {
			return res, err
		}
		p := whatif.Plan{Cost: l[n][""]}
		for k, x := range indexes {
			if c, ok := l[n][strings.Join(x.KeyNames(), ",")]; ok && c < p.Cost {
				p.Cost, p.Used = c, []int{k}
			}
		}
		res.Plans[i] = p
	}
	return res, nil
}

func on(columns ...string) index.Candidate {
	c := index.Candidate{Author: index.Rules, Wants: []int{0}, Index: whatif.Index{Schema: "public", Table: "jobs"}}
	for _, name := range columns {
		c.Keys = append(c.Keys, whatif.Key{Column: name})
	}
	return c
}

func TestSearchKeepsTheFewThatServeBest(t *testing.T) {
	tests := map[string]struct {
		costs   ledger
		weights []float64
		drafts  []index.Candidate
		budget  pgvigil.Bytes
		want    string
	}{
		"the cheaper of two": {
			ledger{{"": 1000, "a": 100, "b": 10}}, nil, []index.Candidate{on("a"), on("b")}, 0, "b",
		},
		"among equals the smaller": {
			ledger{{"": 1000, "a": 10, "a,b": 10}}, nil, []index.Candidate{on("a", "b"), on("a")}, 0, "a",
		},
		"one that serves both instead of two": {
			ledger{{"": 1000, "a": 10, "a,b": 10.2}, {"": 1000, "b": 500, "a,b": 10}},
			nil,
			[]index.Candidate{on("a"), on("b"), on("a", "b")},
			0, "a,b",
		},
		"a cheap hot statement beside a huge cold report": {
			ledger{{"": 60, "a": 4}, {"": 5e6, "b": 4.9e6}}, []float64{1e5, 1}, []index.Candidate{on("a"), on("b")}, 0, "a",
		},
		"nothing for a gain below a fifth": {
			ledger{{"": 1000, "a": 850}}, nil, []index.Candidate{on("a")}, 0, "",
		},
		"nothing beyond the budget": {
			ledger{{"": 1000, "a": 10}}, nil, []index.Candidate{on("a")}, 8192, "",
		},
		"what a later choice made superfluous goes": {
			ledger{{"": 1000, "a": 10, "a,b": 30}, {"": 900, "b": 800, "a,b": 10}},
			[]float64{1, 1},
			[]index.Candidate{on("a"), on("a", "b")},
			0, "a,b",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := index.NewCatalog(jobs(1e6))
			s := index.Search{Judge: tt.costs, Catalog: c, Budget: tt.budget}
			for i := range tt.costs {
				w := 1.0
				if tt.weights != nil {
					w = tt.weights[i]
				}
				s.Work = append(s.Work, index.Work{Statement: whatif.Statement{Text: fmt.Sprint(i)}, Weight: w, Tables: []pgvigil.OID{1}})
			}
			found, err := s.Run(t.Context(), tt.drafts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, ch := range found.Choices {
				got = append(got, strings.Join(ch.KeyNames(), ","))
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("choices = %v; want %q", got, tt.want)
			}
		})
	}
}
