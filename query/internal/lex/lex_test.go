package lex_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// texts are tokens in all their forms. No minus stands before a number where
// Signed would join them, no constant goes on in a second line, and there is
// no N” or U&”: the C scanner leaves all that to the grammar or reports it
// without its end.
var texts = []string{
	"SELECT a, \"b c\", \"d\"\"e\" FROM t",
	"SELECT 1, 1.5, .5, 1., 1e10, 1.5e-3, 0x1F, 0o17, 0b101, 1_000, 1..2",
	"SELECT 'a', 'it''s', '', E'a\\'b\\\\', B'01', x'ff', $$a$$, $t$ $x$ $t$",
	"SELECT $1, $22, a$1, _x, é, ünï",
	"SELECT a||b, a->'b'->>'c', a@>b, a<>b, a!=b, a<=b, a>=b, a:=b, f(x=>1)",
	"SELECT a+-b, a*-b, a@-b, a<-b, a- -b, - a, ~a, @a, a !~~* b, a #>> b",
	"SELECT a::int[], b[1:2], (c).d.e, s.*, a%b, a^b, a&b, a|b, a#b, a?b",
	"SELECT 1--1\n+2, 3/* + */-4, 5/*/* */*/*6",
	"SELECT a--b\r, c+/* d */e",
	"SELECT :x, a : b",
	"/* a */ SELECT /* b */ 1 -- c",
	"SELECT a\t\f\r\n;",
	"CREATE FUNCTION f() AS $$ SELECT ';' $$; SELECT 2",
	"SELECT a<--b\n1",
}

// TestTokensAreThoseOfPostgres compares every token's place with the scanner of
// the C parser.
func TestTokensAreThoseOfPostgres(t *testing.T) {
	for _, text := range texts {
		t.Run(text, func(t *testing.T) {
			want, err := pg.Scan(text)
			if err != nil {
				t.Fatal(err)
			}
			var wanted, got []string
			for _, tok := range want.Tokens {
				if tok.Token != pg.Token_SQL_COMMENT && tok.Token != pg.Token_C_COMMENT {
					wanted = append(wanted, text[tok.Start:tok.End])
				}
			}
			for _, tok := range lex.Scan(text).Tokens {
				got = append(got, tok.Text(text))
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("tokens of %q (-C +Go):\n%s", text, diff)
			}
		})
	}
}

func TestWhatHasNoEndIsBad(t *testing.T) {
	tests := map[string]struct {
		text  string
		whole bool
	}{
		"string":            {"SELECT 'a", false},
		"doubled quote":     {"SELECT 'a''", false},
		"escaped quote":     {`SELECT E'a\'`, false},
		"escape at the end": {`SELECT E'a\`, false},
		"identifier":        {`SELECT "a`, false},
		"dollar quote":      {"SELECT $a$ $b$", false},
		"comment":           {"SELECT 1 /* /* */", false},
		"a backslash":       {`SELECT \x`, false},
		"a line comment":    {"SELECT 1 --", true},
		"plain backslash":   {`SELECT 'a\'`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := lex.Scan(test.text).Whole(); got != test.whole {
				t.Errorf("Scan(%q).Whole() = %v; want %v", test.text, got, test.whole)
			}
		})
	}
}

func TestASignBelongsToItsNumberWhereItHasNoLeftSide(t *testing.T) {
	tests := map[string]string{
		"SELECT -1":               "SELECT|-1",
		"SELECT a -1":             "SELECT|a|-|1",
		"SELECT a - -1":           "SELECT|a|-|-1",
		"SELECT (a) -1":           "SELECT|(|a|)|-|1",
		"SELECT f(-1, -2)":        "SELECT|f|(|-1|,|-2|)",
		"SELECT a = -1":           "SELECT|a|=|-1",
		"SELECT a[-1]":            "SELECT|a|[|-1|]",
		"LIMIT - 5":               "LIMIT|- 5",
		"SELECT $1 -1":            "SELECT|$1|-|1",
		"SELECT status -1":        "SELECT|status|-|1",
		"-1":                      "-1",
		"SELECT 1 WHERE a AND -1": "SELECT|1|WHERE|a|AND|-1",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			var got []string
			for _, tok := range lex.Signed(text, lex.Scan(text).Tokens) {
				got = append(got, tok.Text(text))
			}
			if s := strings.Join(got, "|"); s != want {
				t.Errorf("Signed(%q) = %s; want %s", text, s, want)
			}
		})
	}
}

func TestStringsGoOnInTheNextLine(t *testing.T) {
	const text = "SELECT 'a'\n  'b' 'c'"
	tokens := lex.Scan(text).Tokens
	if len(tokens) != 3 || tokens[1].Text(text) != "'a'\n  'b'" {
		t.Errorf("tokens of %q = %+v; want the first two strings as one", text, tokens)
	}
}
