package whatif

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// tokenKind is what a piece of SQL is.
type tokenKind uint8

const (
	word tokenKind = iota // identifier or keyword, folded to lower case; or a quoted identifier
	param
	operator
	punctuation
	other // strings and numbers
)

type token struct {
	kind       tokenKind
	text       string
	start, end int // byte offsets
}

// tokens cuts SQL into tokens, comments left out. It is for safety checks and
// for replacing parameters; it understands what a server would and errs on the
// side of one token too many.
func tokens(sql string) []token {
	var out []token
	for i := 0; i < len(sql); {
		end, kind, skip := next(sql, i)
		if !skip {
			out = append(out, token{kind, tokenText(sql[i:end], kind), i, end})
		}
		i = end
	}
	return out
}

func tokenText(s string, kind tokenKind) string {
	switch {
	case kind == word && strings.HasPrefix(s, `"`):
		return strings.ReplaceAll(strings.Trim(s, `"`), `""`, `"`)
	case kind == word:
		return strings.ToLower(s)
	}
	return s
}

// next returns the end of the token at i.
func next(s string, i int) (end int, kind tokenKind, skip bool) {
	c := s[i]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
		return i + 1, other, true
	case strings.HasPrefix(s[i:], "--"):
		return i + until(s[i:], "\n"), other, true
	case strings.HasPrefix(s[i:], "/*"):
		return comment(s, i), other, true
	case c == '\'':
		return quoted(s, i, '\'', escaped(s, i)), other, false
	case c == '"':
		return quoted(s, i, '"', false), word, false
	case c == '$':
		return dollar(s, i)
	case isDigit(c):
		return span(s, i, func(c byte) bool { return isWord(c) || c == '.' }), other, false
	case isWord(c):
		return span(s, i, isWord), word, false
	case strings.IndexByte("+-*/<>=~!@#%^&|`?:", c) >= 0:
		return operatorEnd(s, i), operator, false
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return i + n, punctuation, false
}

// escaped says whether the string at i is an E'...' string.
func escaped(s string, i int) bool {
	return i > 0 && (s[i-1] == 'e' || s[i-1] == 'E') && (i == 1 || !isWord(s[i-2]))
}

func quoted(s string, i int, q byte, backslash bool) int {
	for j := i + 1; j < len(s); j++ {
		switch {
		case backslash && s[j] == '\\':
			j++
		case s[j] == q && j+1 < len(s) && s[j+1] == q:
			j++
		case s[j] == q:
			return j + 1
		}
	}
	return len(s)
}

// dollar reads $1 or a dollar-quoted string.
func dollar(s string, i int) (int, tokenKind, bool) {
	if i+1 < len(s) && isDigit(s[i+1]) {
		return span(s, i+1, isDigit), param, false
	}
	tag := strings.IndexByte(s[i+1:], '$')
	if tag < 0 || span(s, i+1, isTag) != i+1+tag {
		return i + 1, punctuation, false
	}
	mark := s[i : i+tag+2]
	return i + len(mark) + until(s[i+len(mark):], mark), other, false
}

func comment(s string, i int) int {
	depth := 0
	for j := i; j < len(s)-1; j++ {
		switch s[j : j+2] {
		case "/*":
			depth++
			j++
		case "*/":
			depth--
			j++
		}
		if depth == 0 {
			return j + 1
		}
	}
	return len(s)
}

func operatorEnd(s string, i int) int {
	j := i
	for j < len(s) && strings.IndexByte("+-*/<>=~!@#%^&|`?:", s[j]) >= 0 {
		if j > i && (strings.HasPrefix(s[j:], "--") || strings.HasPrefix(s[j:], "/*")) {
			break
		}
		j++
	}
	return j
}

func until(s, mark string) int {
	if n := strings.Index(s, mark); n >= 0 {
		return n + len(mark)
	}
	return len(s)
}

func span(s string, i int, in func(byte) bool) int {
	for i < len(s) && in(s[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isTag(c byte) bool { return c != '$' && isWord(c) }

// bind replaces parameters by constants.
func bind(sql string, values map[int]string) string {
	if len(values) == 0 {
		return sql
	}
	var b strings.Builder
	last := 0
	for _, t := range tokens(sql) {
		if t.kind != param {
			continue
		}
		n, err := strconv.Atoi(t.text[1:])
		v, ok := values[n]
		if err != nil || !ok {
			continue
		}
		b.WriteString(sql[last:t.start] + Literal(v))
		last = t.end
	}
	return b.String() + sql[last:]
}

// highest returns the highest parameter number of sql, 0 if it has none.
func highest(sql string) int {
	top := 0
	for _, t := range tokens(sql) {
		if t.kind == param {
			if n, err := strconv.Atoi(t.text[1:]); err == nil && n > top {
				top = n
			}
		}
	}
	return top
}

// Mentions says whether name is one of the words of an SQL expression.
func Mentions(sql, name string) bool {
	for _, t := range tokens(sql) {
		if t.kind == word && t.text == name {
			return true
		}
	}
	return false
}

// Parameter is a parameter that a column is compared with for equality.
type Parameter struct {
	Number int
	// Array says that it is the array of = ANY ($n).
	Array bool
}

// Parameters finds the parameters that are compared with a column by =, IN or
// = ANY, by the tokens alone; an alias in front of the column does not matter.
func Parameters(sql, column string) (out []Parameter) {
	ts := tokens(sql)
	at := func(i int) token {
		if i < 0 || i >= len(ts) {
			return token{kind: punctuation}
		}
		return ts[i]
	}
	for i, t := range ts {
		if t.kind != word || t.text != column {
			continue
		}
		switch next := at(i + 1); {
		case next.text == "=" && at(i+2).kind == param:
			out = append(out, Parameter{Number: numberOf(at(i + 2))})
		case next.text == "=" && at(i+2).text == "any" && at(i+4).kind == param:
			out = append(out, Parameter{Number: numberOf(at(i + 4)), Array: true})
		case next.text == "in" && at(i+2).text == "(":
			for j := i + 3; at(j).kind == param; j += 2 {
				out = append(out, Parameter{Number: numberOf(at(j))})
			}
		}
	}
	return out
}

func numberOf(t token) int {
	n, _ := strconv.Atoi(t.text[1:]) // $n has digits only; too many give 0 or the highest, which no text has
	return n
}
