package fence_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil/query/internal/fence"
	"github.com/pgvigil/pgvigil/query/internal/lex"
)

func parse(text string) error {
	_, err := fence.Parse(text, lex.Scan(text).Tokens)
	return err
}

func TestDeepTextIsTurnedAwayAndWideTextIsNot(t *testing.T) {
	tests := map[string]struct {
		text string
		want bool // that it passes
	}{
		"a short chain":               {"SELECT 1" + strings.Repeat("+1", 1000), true},
		"a long chain":                {"SELECT 1" + strings.Repeat("+1", 2000), false},
		"ten thousand columns":        {"SELECT 1" + strings.Repeat(",1", 10_000), true},
		"ten thousand rows":           {"INSERT INTO t VALUES (1, 2)" + strings.Repeat(",(1, 2)", 10_000), true},
		"a thousand conditions":       {"SELECT 1 FROM t WHERE a = 1" + strings.Repeat(" AND b = 2", 1000), true},
		"set operations over commas":  {"SELECT 1, 2" + strings.Repeat(" UNION SELECT 1, 2", 1000), true},
		"too many of them":            {"SELECT 1, 2" + strings.Repeat(" UNION SELECT 1, 2", 2000), false},
		"a chain behind a deep group": {"SELECT " + strings.Repeat("f(", 800) + "1" + strings.Repeat(")", 800) + strings.Repeat("+1", 800), false},
		"a long constant":             {"SELECT '" + strings.Repeat("x", fence.MaxBytes) + "'", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := parse(test.text)
			if test.want && err != nil || !test.want && !errors.Is(err, fence.ErrTooDeep) {
				t.Errorf("Parse = %v; want it to pass: %v", err, test.want)
			}
		})
	}
}

func TestParametersStandForConstantsEverywhere(t *testing.T) {
	for _, text := range []string{
		"DO $1", "FETCH $1 FROM c", "CREATE TYPE a AS ENUM ($1, $2)", "COMMENT ON TABLE x IS $1", "COPY t FROM $1",
		"NOTIFY a, $1", "CREATE USER MAPPING FOR u SERVER s OPTIONS (password $1, \"user\" $2)", "SELECT current_timestamp($1)",
		"SELECT a::varchar($10)", "ALTER TABLE t ALTER a SET STATISTICS $1", "CREATE SUBSCRIPTION s CONNECTION $1 PUBLICATION p",
		"VACUUM (PARALLEL $1) t", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $1",
	} {
		if err := parse(text); err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
}

func TestErrorsDoNotQuoteTheText(t *testing.T) {
	err := parse("SELECT é FROM WHERE 'hunter2'")
	if err == nil || err.Error() != "syntax error at character 15" {
		t.Errorf("error = %v; want the place alone", err)
	}
}
