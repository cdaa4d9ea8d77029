package whatif

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// keywords are the words that cannot name a column or table unquoted, of any
// supported version, one a line.
//
//go:embed keywords.txt
var keywords string

var keyword = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(keywords) {
		set[w] = true
	}
	return set
})

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// Quote renders names as an SQL identifier, joined by dots. Names that need no
// quotes get none, so that people can read the DDL.
func Quote(names ...string) string {
	parts := make([]string, 0, len(names))
	for _, n := range names {
		if n == "" {
			continue
		}
		if !plainName.MatchString(n) || keyword()[n] {
			n = pgx.Identifier{n}.Sanitize()
		}
		parts = append(parts, n)
	}
	return strings.Join(parts, ".")
}

// Literal renders a string constant, safe whatever standard_conforming_strings
// says.
func Literal(v string) string {
	v = strings.ReplaceAll(v, "\x00", "")
	q := "'" + strings.ReplaceAll(v, "'", "''") + "'"
	if strings.Contains(v, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}
