package llm_test

import (
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil/advisor/llm"
)

var evidence = llm.Evidence{
	Tables:     []llm.Table{{ID: "t1", Columns: []llm.Column{{Name: "a"}, {Name: "b"}}}, {ID: "t2", Columns: []llm.Column{{Name: "c"}}}},
	Predicates: []llm.Predicate{{ID: "p1", Table: "t1"}},
	Facts:      []llm.Fact{{ID: "f1", Value: 1234.56}, {ID: "f2", Value: 7}},
}

func TestAClaimSaysNothingThatItsFactsDoNot(t *testing.T) {
	tests := map[string]struct {
		claim llm.Claim
		want  string // "" is accepted
	}{
		"the number of its fact":           {llm.Claim{Text: "It took 1234.56 ms.", Facts: []string{"f1"}}, ""},
		"the number, rounded":              {llm.Claim{Text: "It took 1,235 ms per call.", Facts: []string{"f1"}}, ""},
		"no number":                        {llm.Claim{Text: "It became slower.", Facts: []string{"f1"}}, ""},
		"another number":                   {llm.Claim{Text: "It took 1300 ms.", Facts: []string{"f1"}}, "number"},
		"the number of another fact":       {llm.Claim{Text: "It took 7 ms.", Facts: []string{"f1"}}, "number"},
		"a number with a letter behind":    {llm.Claim{Text: "It is 100x slower.", Facts: []string{"f1"}}, "number"},
		"a number in another script":       {llm.Claim{Text: "It is ١٠٠ times slower.", Facts: []string{"f1"}}, "script"},
		"a fact that is not there":         {llm.Claim{Text: "It is so.", Facts: []string{"f9"}}, "not in the evidence"},
		"no fact":                          {llm.Claim{Text: "It is so."}, "cites no fact"},
		"markup":                           {llm.Claim{Text: "<b>It is so.</b>", Facts: []string{"f1"}}, "plain prose"},
		"a link":                           {llm.Claim{Text: "See https://example.com", Facts: []string{"f1"}}, "plain prose"},
		"a statement":                      {llm.Claim{Text: "DROP TABLE a;", Facts: []string{"f1"}}, "plain prose"},
		"a right-to-left override":         {llm.Claim{Text: "It is \u202eos.", Facts: []string{"f1"}}, "control"},
		"an escape sequence of a terminal": {llm.Claim{Text: "It \x1b[31mis.", Facts: []string{"f1"}}, "control"},
		"a sentence as long as a chapter":  {llm.Claim{Text: strings.Repeat("so ", 200), Facts: []string{"f1"}}, "longer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, dropped := llm.Check(evidence, llm.Answer{Claims: []llm.Claim{tt.claim}})
			if tt.want == "" && len(got.Claims) != 1 || tt.want != "" && (len(dropped) != 1 || !strings.Contains(dropped[0].Reason, tt.want)) {
				t.Errorf("Check(%q) = %v, dropped %v; want %q", tt.claim.Text, got.Claims, dropped, tt.want)
			}
		})
	}
}

func TestACandidateNamesWhatIsThere(t *testing.T) {
	key := func(names ...string) (out []llm.Key) {
		for _, n := range names {
			out = append(out, llm.Key{Name: n})
		}
		return out
	}
	tests := map[string]struct {
		candidate llm.Candidate
		want      string
	}{
		"columns of its table":          {llm.Candidate{Table: "t1", Method: "btree", Columns: key("a"), Include: []string{"b"}, Predicate: "p1"}, ""},
		"a column of another table":     {llm.Candidate{Table: "t1", Method: "btree", Columns: key("c")}, "column"},
		"a table that is not there":     {llm.Candidate{Table: "t3", Method: "btree", Columns: key("a")}, "table"},
		"a column twice":                {llm.Candidate{Table: "t1", Columns: key("a"), Include: []string{"a"}}, "twice"},
		"no column":                     {llm.Candidate{Table: "t1"}, "0 keys"},
		"a predicate of another table":  {llm.Candidate{Table: "t2", Columns: key("c"), Predicate: "p1"}, "predicate"},
		"a predicate of its own":        {llm.Candidate{Table: "t1", Columns: key("a"), Predicate: "a > 0"}, "predicate"},
		"a method with a tail":          {llm.Candidate{Table: "t1", Method: "btree; DROP TABLE x", Columns: key("a")}, "method"},
		"nulls with a tail":             {llm.Candidate{Table: "t1", Columns: []llm.Key{{Name: "a", Nulls: "first; DROP"}}}, "nulls"},
		"a column that closes the list": {llm.Candidate{Table: "t1", Columns: key("a); DROP TABLE x; --")}, "column"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, dropped := llm.Check(evidence, llm.Answer{Candidates: []llm.Candidate{tt.candidate}})
			if tt.want == "" && len(got.Candidates) != 1 || tt.want != "" && (len(dropped) != 1 || !strings.Contains(dropped[0].Reason, tt.want)) {
				t.Errorf("Check = %v, dropped %v; want %q", got.Candidates, dropped, tt.want)
			}
		})
	}
}

func TestParseTakesOneStrictObject(t *testing.T) {
	tests := map[string]struct {
		raw string
		ok  bool
	}{
		"an answer":           {`{"candidates":[],"claims":[]}`, true},
		"an unknown field":    {`{"candidates":[],"claims":[],"sql":"DROP TABLE x"}`, false},
		"an unknown field in": {`{"candidates":[{"table":"t1","ddl":"x"}]}`, false},
		"two objects":         {`{"claims":[]} {"claims":[]}`, false},
		"prose":               {"Sure! Here you go", false},
		"a fenced block":      {"```json\n{}\n```", false},
		"nothing":             {"", false},
		"a long one":          {`{"claims":[]` + strings.Repeat(" ", llm.MaxAnswer) + "}", false},
		"bad UTF-8":           {"{\"claims\":[{\"text\":\"\xff\"}]}", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := llm.Parse([]byte(tt.raw)); (err == nil) != tt.ok {
				t.Errorf("Parse(%.40q) = %v; want ok %v", tt.raw, err, tt.ok)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"candidates":[{"table":"t1","method":"btree","columns":[{"name":"a"}]}],"claims":[{"text":"It took 7 ms.","facts":["f2"]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := llm.Parse(raw)
		if err != nil {
			return
		}
		got, dropped := llm.Check(evidence, a)
		if len(got.Candidates)+len(got.Claims)+len(dropped) != len(a.Candidates)+len(a.Claims) {
			t.Errorf("Check lost a part of %q", raw)
		}
		for _, c := range got.Claims {
			if strings.ContainsAny(c.Text, "<>;\x00\x1b") {
				t.Errorf("Check let through %q", c.Text)
			}
		}
	})
}
