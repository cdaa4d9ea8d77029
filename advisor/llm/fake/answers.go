package fake

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil/advisor/llm"
)

const lies = `{
  "candidates": [
    {"table": "t1", "method": "btree", "columns": [{"name": "no_such_column"}]},
    {"table": "t99", "method": "btree", "columns": [{"name": "id"}]}
  ],
  "claims": [
    {"text": "This makes the query 1000 times faster.", "facts": ["f1"]},
    {"text": "The manual says so.", "facts": ["f999"]},
    {"text": "Everybody knows it.", "facts": []}
  ]
}`

const injection = `{
  "candidates": [
    {"table": "t1", "method": "btree", "columns": [{"name": "id); DROP TABLE jobs; --"}]},
    {"table": "t1", "method": "btree; DROP TABLE jobs", "columns": [{"name": "id"}]},
    {"table": "t1", "method": "btree", "columns": [{"name": "id"}], "predicate": "1=1); DROP TABLE jobs; --"},
    {"table": "t1", "method": "btree", "columns": [{"name": "id", "nulls": "first; DROP TABLE jobs"}]}
  ],
  "claims": [
    {"text": "<script>alert(1)</script>", "facts": ["f1"]},
    {"text": "See [this](javascript:alert(1)).", "facts": ["f1"]},
    {"text": "Run DROP TABLE jobs; it is safe.", "facts": ["f1"]}
  ]
}`

// compared finds columns that a query compares with a parameter by equality.
var compared = regexp.MustCompile(`([a-z_][a-z0-9_]*)\s*(?:=|in)\s*\(?\s*\$\d+`)

// draft is what a sensible model would say: an index over the columns that the
// first regressed query compares, and one claim per fact about it.
func draft(prompt string) llm.Answer {
	var e llm.Evidence
	if err := json.Unmarshal([]byte(prompt), &e); err != nil {
		return llm.Answer{}
	}
	var a llm.Answer
	for _, q := range e.Queries {
		if !q.Regressed {
			continue
		}
		for _, t := range e.Tables {
			if c, ok := over(t, q); ok {
				a.Candidates = append(a.Candidates, c)
			}
		}
		for _, f := range e.Facts {
			if f.About == q.ID {
				a.Claims = append(a.Claims, llm.Claim{
					Facts: []string{f.ID},
					Text:  strings.TrimSpace(fmt.Sprintf("The %s of the query is %.6g %s", f.What, f.Value, f.Unit)) + ".",
				})
			}
		}
	}
	a.Claims = a.Claims[:min(len(a.Claims), 4)]
	return a
}

func over(t llm.Table, q llm.Query) (llm.Candidate, bool) {
	c := llm.Candidate{Table: t.ID, Method: "btree"}
	for _, m := range compared.FindAllStringSubmatch(strings.ToLower(q.Text), -1) {
		has := slices.ContainsFunc(t.Columns, func(col llm.Column) bool { return col.Name == m[1] })
		taken := slices.ContainsFunc(c.Columns, func(k llm.Key) bool { return k.Name == m[1] })
		if has && !taken && !strings.Contains(t.PartitionKey, m[1]) && len(c.Columns) < 3 {
			c.Columns = append(c.Columns, llm.Key{Name: m[1]})
		}
	}
	return c, len(c.Columns) > 0
}
