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
// SubPlan and InitPlan stay. What has no end becomes
// "(unreadable expression HASH)".
func MaskExpression(expr string) string {
	return maskTokens(readExpression(expr), func(int) bool { return false })
}

// expression is a text of the server cut into tokens, its white space as it was.
type expression struct {
	src    string
	tokens []lex.Token
	whole  bool
}

func readExpression(text string) expression {
	cut := len(text) > maxInput
	if cut {
		text = text[:maxInput]
	}
	text = clean(text)
	res := lex.Scan(text)
	return expression{text, lex.Signed(text, res.Tokens), res.Whole() && !cut}
}

// maskTokens hides the constants that shown does not let through.
func maskTokens(e expression, shown func(i int) bool) string {
	t := sql{src: e.src, tokens: e.tokens}
	if !e.whole || backslashed(t) {
		return "(unreadable expression " + hash(pgvigil.ByScan, canonicalTokens(sql{src: e.src, folded: e.tokens}, nil, Options{})).String() + ")"
	}
	var b strings.Builder
	params := numbering{last: e.lastParam()}
	end := 0
	for i, tok := range e.tokens {
		b.WriteString(gap(e.src[end:tok.Start]))
		end = tok.End
		if (tok.Kind == lex.String || tok.Kind == lex.Number) && !e.structural(i) && !shown(i) {
			b.WriteString(params.fresh())
			continue
		}
		b.WriteString(tok.Text(e.src))
	}
	return b.String()
}

// gap returns the white space between two tokens, without comments.
func gap(s string) string {
	if strings.TrimSpace(s) != "" {
		return " "
	}
	return s
}

// lastParam returns the highest number of a parameter, 0 if there is none.
func (e expression) lastParam() int {
	last := 0
	for _, tok := range e.tokens {
		if tok.Kind == lex.Param {
			if n, err := strconv.Atoi(tok.Text(e.src)[1:]); err == nil && n < 1<<16 {
				last = max(last, n)
			}
		}
	}
	return last
}

// structural says whether token i is a number that is no constant: it counts
// the parts of a plan, or it stands in the brackets of a type behind ::.
func (e expression) structural(i int) bool {
	if e.tokens[i].Kind != lex.Number || i == 0 || e.tokens[i].End-e.tokens[i].Start > 5 {
		return false
	}
	switch e.tokens[i-1].Name(e.src) {
	case "subplan", "initplan":
		return true
	}
	open := i - 1
	for open > 0 && (e.tokens[open].Is(e.src, ",") || e.tokens[open].Kind == lex.Number) {
		open--
	}
	return e.tokens[open].Is(e.src, "(") && e.castTo(open-1)
}

// castTo says whether a type behind :: ends at token i.
func (e expression) castTo(i int) bool {
	for ; i > 0; i-- {
		if tok := e.tokens[i]; tok.Kind != lex.Word && tok.Kind != lex.Quoted && !tok.Is(e.src, ".") {
			return tok.Is(e.src, "::")
		}
	}
	return false
}
