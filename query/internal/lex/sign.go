package lex

// Signed joins a minus to the number behind it wherever the minus can have no
// left operand, as the grammar does: -5 is one constant.
func Signed(src string, tokens []Token) []Token {
	out := tokens[:0]
	for _, t := range tokens {
		n := len(out)
		if t.Kind == Number && n > 0 && out[n-1].Is(src, "-") && (n == 1 || opensOperand(src, out[n-2])) {
			out[n-1].Kind, out[n-1].End = Number, t.End
			continue
		}
		out = append(out, t)
	}
	return out
}

// opensOperand says whether t is surely followed by an operand.
func opensOperand(src string, t Token) bool {
	switch t.Kind {
	case Op:
		return true
	case Punct:
		c := src[t.Start]
		return c == '(' || c == '[' || c == ',' || c == ';'
	case Word:
		return beforeOperand[t.Name(src)]
	}
	return false
}

// beforeOperand are reserved words that no operand ends with.
var beforeOperand = map[string]bool{
	"select": true, "where": true, "and": true, "or": true, "not": true, "in": true,
	"limit": true, "offset": true, "when": true, "then": true, "else": true,
	"case": true, "between": true, "like": true, "ilike": true, "returning": true,
	"by": true, "default": true, "on": true, "having": true, "any": true, "all": true,
	"distinct": true, "from": true, "to": true, "fetch": true,
}
