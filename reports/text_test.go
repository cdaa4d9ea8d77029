package reports

import (
	"strings"
	"testing"
	"testing/quick"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pgvigil/pgvigil"
)

func TestForeignTextIsShownAndDeceivesNobody(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"plain text":          {"SELECT 1\n\tFROM t", "SELECT 1\n\tFROM t"},
		"an escape sequence":  {"\x1b[31mred", "\u241b[31mred"},
		"a null":              {"a\x00b", "a\u2400b"},
		"a carriage return":   {"good\rbad", "good\u240dbad"},
		"delete":              {"a\x7f", "a\u2421"},
		"turned direction":    {"abc\u202etxt.exe", "abc\\u202etxt.exe"},
		"isolates":            {"\u2066x\u2069", "\\u2066x\\u2069"},
		"zero width":          {"a\u200bb", "a\\u200bb"},
		"line separator":      {"a\u2028b", "a\\u2028b"},
		"a C1 control":        {"a\u0085b", "a\\u0085b"},
		"broken UTF-8":        {"a\xff\xc3\x28b", "a\ufffd\ufffd(b"},
		"a lone surrogate":    {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		"other scripts":       {"naïve 表 имя", "naïve 表 имя"},
		"markup stays markup": {"<b>&amp;</b>", "<b>&amp;</b>"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := quote(test.in, 1000); got.Text != test.want || got.Note != "" {
				t.Errorf("quote(%q) = %+v; want %q and no note", test.in, got, test.want)
			}
		})
	}
}

func TestLongTextIsCutAndSaysSo(t *testing.T) {
	got := quote(strings.Repeat("é", 1_000_000), 6000)
	if n := utf8.RuneCountInString(got.Text); n != 6000 || got.Note != "cut at 6,000 of 1,000,000 characters" {
		t.Errorf("kept %d characters, note %q", n, got.Note)
	}
	if got := plain(strings.Repeat("a b ", 100), 10); got != "a b a b a \u2026" {
		t.Errorf("plain = %q", got)
	}
}

func TestAnyTextComesOutVisible(t *testing.T) {
	ok := func(b []byte) bool {
		s := quote(string(b), 200).Text
		return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
			return r != '\n' && r != '\t' && (unicode.IsControl(r) || deceptive(r))
		})
	}
	if err := quick.Check(ok, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func TestOneMegabyteIsReadInPassing(t *testing.T) {
	long := pgvigil.Query{Text: "SELECT 1" + strings.Repeat("+1", 1<<19)}
	start := time.Now()
	for range 20 {
		queryOf(long, 1)
	}
	if took := time.Since(start) / 20; took > 100*time.Millisecond {
		t.Errorf("a query of 1 MB took %s", took)
	}
}

func TestQueriesHaveNames(t *testing.T) {
	where := func(columns ...string) (list []pgvigil.Predicate) {
		for _, c := range columns {
			list = append(list, pgvigil.Predicate{Column: c})
		}
		return list
	}
	tests := map[string]struct {
		query pgvigil.Query
		want  string
	}{
		"by its columns":      {pgvigil.Query{Verb: "select", Tables: []string{"jobs"}, Predicates: where("id", "id", "status", "a", "b")}, "SELECT jobs by id, status, a"},
		"by its tables":       {pgvigil.Query{Verb: "select", Tables: []string{"a", "b", "c", "d"}}, "SELECT a, b and 2 more"},
		"by its text":         {pgvigil.Query{Verb: "utility", Text: "VACUUM\n  jobs"}, "VACUUM jobs"},
		"by its fingerprint":  {pgvigil.Query{Fingerprint: 0xabc}, "query 0000000000000abc"},
		"joins are no values": {pgvigil.Query{Verb: "delete", Tables: []string{"a"}, Predicates: []pgvigil.Predicate{{Column: "x", Join: true}}}, "DELETE a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := queryName(test.query); got != test.want {
				t.Errorf("queryName = %q; want %q", got, test.want)
			}
		})
	}
}
