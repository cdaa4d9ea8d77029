package query_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil/query"
)

func TestUsesFoldNamesAsTheServerDoes(t *testing.T) {
	tests := map[string]struct {
		text  string
		names []string // that must be among them
		calls []string // likewise
	}{
		"a call":                      {"SELECT Evil (1)", []string{"evil"}, []string{"evil"}},
		"a call with its schema":      {"SELECT public . evil(1)", []string{"public", "evil"}, []string{"evil"}},
		"a quoted call":               {`SELECT "Evil"(1)`, []string{"Evil"}, []string{"Evil"}},
		"a quote in a name":           {`SELECT "a""b"(1)`, nil, []string{`a"b`}},
		"a letter beyond ASCII":       {"SELECT É(1)", nil, []string{"É", "é"}},
		"a name that is cut":          {"SELECT " + strings.Repeat("x", 70) + "(1)", nil, []string{strings.Repeat("x", 63)}},
		"a cut between characters":    {`SELECT "` + strings.Repeat("x", 62) + `é"(1)`, nil, []string{strings.Repeat("x", 62)}},
		"a call inside of a string":   {"EXECUTE 'SELECT inner_one(1)'", nil, []string{"inner_one"}},
		"a call in dollar quotes":     {"DO $x$ BEGIN PERFORM inner_one(1); END $x$", nil, []string{"inner_one"}},
		"a comment between the parts": {"SELECT evil /* x */ (1)", nil, []string{"evil"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := query.UsesOf(tt.text)
			for _, n := range tt.names {
				if !slices.Contains(got.Names, n) {
					t.Errorf("Names = %q; want %q among them", got.Names, n)
				}
			}
			for _, c := range tt.calls {
				if !slices.Contains(got.Calls, c) {
					t.Errorf("Calls = %q; want %q among them", got.Calls, c)
				}
			}
			if err != nil {
				t.Errorf("UsesOf failed: %v", err)
			}
		})
	}
	if _, err := query.UsesOf(`SELECT U&"\0065vil"(1)`); err == nil {
		t.Error("a name with escapes was taken")
	}
	if got, _ := query.UsesOf("SELECT a @@@ b"); !slices.Contains(got.Operators, "@@@") || !slices.Contains(got.Operators, "~~") {
		t.Errorf("Operators = %q; want @@@ and those that are implied", got.Operators)
	}
}

func TestWhatMayBePlanned(t *testing.T) {
	tests := map[string]struct {
		text string
		ok   bool
	}{
		"a query":                    {"SELECT * FROM jobs WHERE id = $1", true},
		"a union in parentheses":     {"((SELECT $1) UNION SELECT $2)", true},
		"a CTE":                      {"WITH x AS (SELECT $1) SELECT * FROM x", true},
		"a column called updated_at": {"SELECT updated_at FROM jobs", true},
		"two statements":             {"SELECT $1; DROP TABLE jobs", false},
		"a string":                   {"SELECT 'x'", false},
		"a string without end":       {"SELECT 'x", false},
		"a comment without end":      {"SELECT 1 /* x", true},
		"a lock":                     {"SELECT * FROM jobs FOR NO KEY UPDATE", false},
		"a shared lock":              {"SELECT * FROM jobs FOR SHARE", false},
		"a write in a CTE":           {"WITH x AS (INSERT INTO jobs SELECT $1 RETURNING id) SELECT * FROM x", false},
		"a table made":               {"SELECT * INTO x FROM jobs", false},
		"a utility":                  {"VACUUM jobs", false},
		"an EXPLAIN":                 {"EXPLAIN ANALYZE SELECT $1", false},
		"nothing":                    {"", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := query.Plannable(tt.text); (err == nil) != tt.ok {
				t.Errorf("Plannable(%q) = %v; want it taken: %v", tt.text, err, tt.ok)
			}
		})
	}
}

func TestPreparableGivesParametersTheirTypes(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"nothing to do":                   {"SELECT * FROM jobs WHERE id = $1", "SELECT * FROM jobs WHERE id = $1"},
		"an interval":                     {"SELECT now() - interval $1", "SELECT now() - $1::interval"},
		"a field of extract":              {"SELECT extract($1 FROM now())", "SELECT extract(epoch FROM now())"},
		"a test for NULL":                 {"SELECT * FROM jobs WHERE $1 IS NULL", "SELECT * FROM jobs WHERE $1::text IS NULL"},
		"one that has a type elsewhere":   {"SELECT * FROM jobs WHERE $1 IS NULL OR id = $1", "SELECT * FROM jobs WHERE $1 IS NULL OR id = $1"},
		"a function of anything":          {"SELECT jsonb_build_object($1, id, $2, $3)", "SELECT jsonb_build_object($1::text, id, $2::text, $3::text)"},
		"the same within another call":    {"SELECT lower(concat(name, $1))", "SELECT lower(concat(name, $1::text))"},
		"a call inside of it keeps types": {"SELECT concat(left(name, $1))", "SELECT concat(left(name, $1))"},
		"a sum of parameters":             {"SELECT $1 + $2", ""},
		"a sum with a cast":               {"SELECT $1 + $2::int", "SELECT $1 + $2::int"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := query.Preparable(tt.text)
			if got != tt.want || (tt.want == "") != errors.Is(err, query.ErrUntyped) {
				t.Errorf("Preparable(%q) = %q, %v; want %q", tt.text, got, err, tt.want)
			}
		})
	}
	if _, n, err := query.Preparable("SELECT $2, $7"); n != 7 || err != nil {
		t.Errorf("parameters = %d, %v; want 7", n, err)
	}
}

func FuzzPreparable(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		normal := query.Describe(text, known).Text
		if query.Plannable(normal) != nil {
			return
		}
		if strings.ContainsAny(normal, "';") && !strings.Contains(normal, `"`) {
			t.Errorf("%q may be planned; want no string and no second statement in it", normal)
		}
		got, _, err := query.Preparable(normal)
		if err == nil && query.Plannable(got) != nil {
			t.Errorf("Preparable(%q) = %q, which may not be planned", normal, got)
		}
		_, _ = query.UsesOf(text)
	})
}
