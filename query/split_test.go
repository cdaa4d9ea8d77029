package query_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

func TestScriptsAreSplitAsPsqlDoes(t *testing.T) {
	type p = query.Part
	tests := map[string]struct {
		script string
		want   []query.Part
	}{
		"nothing":                 {"", nil},
		"comments only":           {"-- a\n/* b; */\n", nil},
		"empty statements":        {";;\n ;", nil},
		"two statements":          {"SELECT 1;\nSELECT 2", []p{{Text: "SELECT 1", Line: 1, Offset: 0, End: 9}, {Text: "SELECT 2", Line: 2, Offset: 10, End: 18}}},
		"a semicolon in a string": {"SELECT ';', E'\\';', \";\";", []p{{Text: "SELECT ';', E'\\';', \";\"", Line: 1, End: 24}}},
		"in dollar quotes":        {"DO $a$ ;$b$; $a$;", []p{{Text: "DO $a$ ;$b$; $a$", Line: 1, End: 17}}},
		"in comments":             {"SELECT /* ; /* ; */ ; */ 1 -- ;\n;", []p{{Text: "SELECT /* ; /* ; */ ; */ 1", Line: 1, End: 33, Comments: []string{"/* ; /* ; */ ; */", "-- ;"}}}},
		"in brackets":             {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);", []p{{Text: "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", Line: 1, End: 56}}},
		"in an atomic body":       {"CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3;", []p{{Text: "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END", Line: 1, End: 104}, {Text: "SELECT 3", Line: 1, Offset: 105, End: 114}}},
		"a transaction":           {"BEGIN; SELECT 1; END;", []p{{Text: "BEGIN", Line: 1, End: 6}, {Text: "SELECT 1", Line: 1, Offset: 7, End: 16}, {Text: "END", Line: 1, Offset: 17, End: 21}}},
		"a comment in front":      {"-- why\n\nSELECT 1;", []p{{Text: "SELECT 1", Line: 3, Offset: 8, End: 17, Comments: []string{"-- why"}}}},
		"a command of psql":       {"\\set it's x\nSELECT 1;", []p{{Line: 1, End: 11, Note: `psql command \set skipped`}, {Text: "SELECT 1", Line: 2, Offset: 12, End: 21}}},
		"a command that sends":    {"SELECT 1 \\gset\nSELECT 2;", []p{{Text: "SELECT 1", Line: 1, End: 9}, {Line: 1, Offset: 9, End: 14, Note: `psql command \gset skipped`}, {Text: "SELECT 2", Line: 2, Offset: 15, End: 24}}},
		"rows of a copy":          {"COPY t FROM stdin;\n1\tit's\n2\t\\N\n\\.\nSELECT 1;", []p{{Text: "COPY t FROM stdin", Line: 1, End: 18}, {Line: 2, Offset: 19, End: 34, Note: "2 rows of COPY data skipped"}, {Text: "SELECT 1", Line: 5, Offset: 34, End: 43}}},
		"carriage returns":        {"SELECT 1;\r\nSELECT 2;\r\n", []p{{Text: "SELECT 1", Line: 1, End: 9}, {Text: "SELECT 2", Line: 2, Offset: 11, End: 20}}},
		"many lines in one":       {"SELECT\n1\n;\nSELECT 2;", []p{{Text: "SELECT\n1", Line: 1, End: 10}, {Text: "SELECT 2", Line: 4, Offset: 11, End: 20}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := query.Split(test.script)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Split(%q) (-want +got):\n%s", test.script, diff)
			}
		})
	}
}

func TestAScriptWithoutEndIsAnErrorWithItsLine(t *testing.T) {
	for _, script := range []string{"SELECT 1;\nSELECT 'a", "SELECT 1;\nSELECT \"a", "SELECT 1;\nDO $$ a", "SELECT 1;\n/* a", "SELECT 1;\nSELECT E'a\\'"} {
		parts, err := query.Split(script)
		if err == nil || !strings.Contains(err.Error(), "line 2") || pgvigil.Advice(err) == "" {
			t.Errorf("Split(%q): error %v; want one with line 2 and an advice", script, err)
		}
		if len(parts) != 1 {
			t.Errorf("Split(%q) = %d parts; want the one before the error", script, len(parts))
		}
	}
}
