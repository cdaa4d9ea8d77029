package fence

import "github.com/pgvigil/pgvigil/query/internal/lex"

// deepens are the words that can put a tree one level deeper. AND and OR are
// missing: the grammar keeps their chains flat.
var deepens = map[string]bool{
	"not": true, "union": true, "intersect": true, "except": true, "join": true,
	"collate": true, "at": true, "is": true, "isnull": true, "notnull": true,
	"case": true, "when": true, "else": true, "like": true, "ilike": true, "similar": true,
	"between": true, "in": true, "operator": true, "exists": true, "select": true,
	"values": true, "table": true, "overlaps": true, "array": true, "any": true,
	"all": true, "some": true, "with": true, "escape": true, "distinct": true,
	"lateral": true, "over": true, "filter": true, "within": true, "setof": true,
	"explain": true, "prepare": true, "as": true, "on": true, "default": true,
	"check": true, "using": true, "returning": true, "interval": true, "row": true,
}

// Depth is an upper bound, in tokens, of how deep the parse tree of the text
// can be. Between two commas of one bracket each counted token adds at most
// one level above or below its neighbours, so their number and the deepest
// bracket among them bound that stretch; set operations join stretches.
// Source: the left- and right-recursive rules of PostgreSQL 16's gram.y.
func Depth(src string, tokens []lex.Token) int {
	stack := make([]level, 1, 16)
	for _, t := range tokens {
		top := &stack[len(stack)-1]
		switch t.Kind {
		case lex.Op:
			top.count++
		case lex.Word:
			top.word(t.Name(src))
		case lex.Punct:
			stack = punct(stack, src[t.Start], t.End-t.Start)
		}
	}
	for len(stack) > 1 {
		stack = closeLevel(stack)
	}
	return stack[0].depth()
}

// level is one open bracket.
type level struct {
	sets    int // set operations so far
	count   int // counted tokens since the last comma
	inner   int // the deepest bracket since the last comma
	deepest int // the deepest stretch so far
}

func (l *level) word(w string) {
	if !deepens[w] {
		return
	}
	if w == "union" || w == "intersect" || w == "except" {
		l.sets++
	}
	l.count++
}

func (l *level) stretch() {
	l.deepest = max(l.deepest, l.count+l.inner)
	l.count, l.inner = 0, 0
}

func (l *level) depth() int {
	l.stretch()
	return l.sets + l.deepest
}

func punct(stack []level, c byte, width int) []level {
	top := &stack[len(stack)-1]
	switch {
	case c == '(' || c == '[':
		top.count++
		return append(stack, level{})
	case c == ')' || c == ']':
		if len(stack) > 1 {
			return closeLevel(stack)
		}
	case c == ',':
		top.stretch()
	case c == ';':
		top.stretch()
	case c == ':' && width == 2:
		top.count++
	}
	return stack
}

func closeLevel(stack []level) []level {
	d := stack[len(stack)-1].depth()
	stack = stack[:len(stack)-1]
	top := &stack[len(stack)-1]
	top.inner = max(top.inner, d)
	return stack
}
