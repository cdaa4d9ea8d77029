package query

import (
	"strings"

	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// maxFoldNesting bounds the brackets within brackets that fold looks into, so
// that its work stays linear. Deeper text does not pass the fence anyway.
const maxFoldNesting = 200

// fold drops the items of IN (...), ARRAY[...] and VALUES (...), (...) that
// have the same shape as one before and hold a value: a list of any length
// becomes one item per shape. What is left is short enough to be parsed.
func fold(src string, tokens []lex.Token) []lex.Token {
	match, ok := brackets(src, tokens)
	if !ok {
		return tokens
	}
	f := folder{src: src, in: tokens, match: match, out: make([]lex.Token, 0, len(tokens))}
	f.copy(0, len(tokens))
	return f.out
}

// brackets returns for each opening bracket where it closes; false when they
// do not match or are nested too deeply.
func brackets(src string, tokens []lex.Token) (map[int]int, bool) {
	match := map[int]int{}
	var open []int
	for i, t := range tokens {
		if t.Kind != lex.Punct {
			continue
		}
		switch src[t.Start] {
		case '(', '[':
			open = append(open, i)
		case ')', ']':
			if len(open) == 0 || (src[t.Start] == ')') != (src[tokens[open[len(open)-1]].Start] == '(') {
				return nil, false
			}
			match[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
		if len(open) > maxFoldNesting {
			return nil, false
		}
	}
	return match, len(open) == 0
}

type folder struct {
	src   string
	in    []lex.Token
	match map[int]int
	out   []lex.Token
	key   []byte
}

// copy appends the tokens from lo to hi to the output, lists folded.
func (f *folder) copy(lo, hi int) {
	for i := lo; i < hi; i++ {
		t := f.in[i]
		f.out = append(f.out, t)
		if i+1 >= hi {
			return
		}
		if i > 0 && f.in[i-1].Is(f.src, ".") { // a name, whatever it says
			continue
		}
		switch {
		case t.Is(f.src, "in") && f.in[i+1].Is(f.src, "(") && !f.query(i+2),
			(t.Is(f.src, "array") || f.nestedArray(i)) && f.in[i+1].Is(f.src, "["):
			i = f.list(i + 1)
		case t.Is(f.src, "values") && f.in[i+1].Is(f.src, "("):
			i = f.rows(i+1, hi) - 1
		}
	}
}

// nestedArray says whether a bracket at i+1 opens an array within an array.
func (f *folder) nestedArray(i int) bool {
	return f.in[i].Is(f.src, "[") || f.in[i].Is(f.src, ",")
}

// query says whether a subquery begins at token i.
func (f *folder) query(i int) bool {
	for i < len(f.in) && f.in[i].Is(f.src, "(") {
		i++
	}
	return i < len(f.in) && (f.in[i].Is(f.src, "select") || f.in[i].Is(f.src, "with") ||
		f.in[i].Is(f.src, "values") || f.in[i].Is(f.src, "table"))
}

// list copies the bracket that opens at i, its items folded, and returns where
// it closes.
func (f *folder) list(i int) int {
	end := f.match[i]
	f.out = append(f.out, f.in[i])
	seen := map[string]bool{}
	first := true
	for lo := i + 1; lo < end; {
		hi := f.itemEnd(lo, end)
		if f.fresh(lo, hi, seen) {
			if !first {
				f.out = append(f.out, f.in[lo-1])
			}
			f.copy(lo, hi)
			first = false
		}
		lo = hi + 1
	}
	f.out = append(f.out, f.in[end])
	return end
}

// rows copies the rows of VALUES that begin at i and returns where they end.
func (f *folder) rows(i, hi int) int {
	seen := map[string]bool{}
	for first := true; ; first = false {
		end := f.match[i] + 1
		if f.fresh(i, end, seen) {
			if !first {
				f.out = append(f.out, f.in[i-1])
			}
			f.copy(i, end)
		}
		if end+1 >= hi || !f.in[end].Is(f.src, ",") || !f.in[end+1].Is(f.src, "(") {
			return end
		}
		i = end + 1
	}
}

// itemEnd returns where the item that begins at lo ends: at a comma or at end.
func (f *folder) itemEnd(lo, end int) int {
	for i := lo; i < end; i++ {
		if close, ok := f.match[i]; ok {
			i = close
		} else if f.in[i].Is(f.src, ",") {
			return i
		}
	}
	return end
}

// fresh says whether no item of the same shape was seen, and notes this one.
func (f *folder) fresh(lo, hi int, seen map[string]bool) bool {
	f.key = f.key[:0]
	value := false
	for _, t := range f.in[lo:hi] {
		if t.Value() || isLiteralWord(f.src, t) {
			value = true
			f.key = append(f.key, '?', 0)
			continue
		}
		if t.Kind == lex.Word {
			f.key = append(f.key, strings.ToLower(t.Text(f.src))...)
		} else {
			f.key = append(f.key, t.Text(f.src)...)
		}
		f.key = append(f.key, 0)
	}
	if !value || !seen[string(f.key)] {
		seen[string(f.key)] = true
		return true
	}
	return false
}

// isLiteralWord says whether t is a constant that is written as a word.
func isLiteralWord(src string, t lex.Token) bool {
	return t.Is(src, "null") || t.Is(src, "true") || t.Is(src, "false")
}
