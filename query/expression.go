package query

import (
	"strconv"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// MaskExpression returns an expression as the server writes it, of a plan
// ("Filter", "Index Cond", "Sort Key") or of the catalog, without its constants:
// strings of all kinds and numbers become $n, counted from behind the
// parameters that it has. TRUE, FALSE, NULL, lengths of types and the numbers of
// SubPlan, InitPlan and CTE stay. What has no end becomes
// "(unreadable expression HASH)".
func MaskExpression(expr string) string {
	return maskExpression(expr, func(sql, int) bool { return false })
}

// maskExpression hides the constants that shown does not let through.
func maskExpression(expr string, shown func(t sql, i int) bool) string {
	t, _ := readText(expr)
	if !t.whole || backslashed(t) {
		return "(unreadable expression " + hash(pgvigil.ByScan, canonicalTokens(t, nil, Options{})).String() + ")"
	}
	var b strings.Builder
	params := numbering{last: lastParam(t)}
	for i, tok := range t.tokens {
		if i > 0 && needsSpace(t.src, t.tokens[i-1], tok) {
			b.WriteByte(' ')
		}
		if (tok.Kind == lex.String || tok.Kind == lex.Number) && !structural(t, i) && !shown(t, i) {
			b.WriteString(params.fresh())
			continue
		}
		b.WriteString(tok.Text(t.src))
	}
	return b.String()
}

// lastParam returns the highest number of a parameter, 0 if there is none.
func lastParam(t sql) int {
	last := 0
	for _, tok := range t.tokens {
		if tok.Kind == lex.Param {
			if n, err := strconv.Atoi(tok.Text(t.src)[1:]); err == nil && n < 1<<16 {
				last = max(last, n)
			}
		}
	}
	return last
}

// structural says whether number i is no constant: it counts the parts of a
// plan, or it stands in the brackets of a type behind ::.
func structural(t sql, i int) bool {
	if t.tokens[i].Kind != lex.Number || i == 0 || t.tokens[i].End-t.tokens[i].Start > 5 {
		return false
	}
	switch t.tokens[i-1].Name(t.src) {
	case "subplan", "initplan":
		return true
	}
	open := i - 1
	for open > 0 && (t.tokens[open].Is(t.src, ",") || t.tokens[open].Kind == lex.Number) {
		open--
	}
	if !t.tokens[open].Is(t.src, "(") {
		return false
	}
	for open--; open > 0; open-- {
		if tok := t.tokens[open]; tok.Kind != lex.Word && tok.Kind != lex.Quoted && !tok.Is(t.src, ".") {
			return tok.Is(t.src, "::")
		}
	}
	return false
}
