package whatif

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ParseIndex reads what pg_get_indexdef wrote. Expressions, predicate and
// storage parameters stay the server's own text. A definition in which the
// collector hid a constant is refused: nobody can build it again.
func ParseIndex(def string) (Index, error) {
	p := defParser{sql: def, ts: tokens(def)}
	if slices.ContainsFunc(p.ts, func(t token) bool { return t.kind == param }) {
		return Index{}, fmt.Errorf("read the index definition %.200q: a constant of it is not kept", def)
	}
	x, ok := p.index()
	if !ok {
		return Index{}, fmt.Errorf("read the index definition %.200q: not in the form of pg_get_indexdef", def)
	}
	x.Folded = Fold(x.Predicate)
	return x, nil
}

type defParser struct {
	sql string
	ts  []token
}

func (p *defParser) index() (x Index, ok bool) {
	if !p.take("create") {
		return x, false
	}
	x.Unique = p.take("unique")
	if !p.take("index") {
		return x, false
	}
	p.take("concurrently")
	x.Name = p.name()
	if !p.take("on") {
		return x, false
	}
	p.take("only")
	x.Table = p.name()
	if p.take(".") {
		x.Schema, x.Table = x.Table, p.name()
	}
	if p.take("using") {
		x.Method = p.name()
	}
	for _, k := range p.list() {
		x.Keys = append(x.Keys, parseKey(k))
	}
	if p.take("include") {
		for _, k := range p.list() {
			x.Include = append(x.Include, parseKey(k).Column)
		}
	}
	x.Storage = p.until("where")
	if p.take("where") {
		x.Predicate = p.until("")
	}
	return x, x.Table != "" && len(x.Keys) > 0
}

func (p *defParser) take(text string) bool {
	if len(p.ts) == 0 || p.ts[0].text != text {
		return false
	}
	p.ts = p.ts[1:]
	return true
}

func (p *defParser) name() string {
	if len(p.ts) == 0 || p.ts[0].kind != word {
		return ""
	}
	n := p.ts[0].text
	p.ts = p.ts[1:]
	return n
}

// list reads a parenthesised list and returns its elements as tokens.
func (p *defParser) list() [][]token {
	if !p.take("(") {
		return nil
	}
	var out [][]token
	depth, start := 0, 0
	for i, t := range p.ts {
		switch {
		case depth == 0 && (t.text == ")" || t.text == ",") && t.kind == punctuation:
			out = append(out, p.ts[start:i])
			start = i + 1
			if t.text == ")" {
				p.sourceOf(out)
				p.ts = p.ts[i+1:]
				return out
			}
		case t.text == "(" || t.text == "[":
			depth++
		case t.text == ")" || t.text == "]":
			depth--
		}
	}
	return nil
}

// sourceOf hands each element its source text in front, as one token.
func (p *defParser) sourceOf(elements [][]token) {
	for i, e := range elements {
		if len(e) == 0 {
			continue
		}
		source := p.sql[e[0].start:e[len(e)-1].end]
		elements[i] = append([]token{{other, source, e[0].start, e[len(e)-1].end}}, e...)
	}
}

// until returns the source up to a word outside parentheses, or the end.
func (p *defParser) until(stop string) string {
	if len(p.ts) == 0 {
		return ""
	}
	start, end, depth, i := p.ts[0].start, p.ts[0].start, 0, 0
	for ; i < len(p.ts); i++ {
		t := p.ts[i]
		if depth == 0 && stop != "" && t.text == stop {
			break
		}
		switch t.text {
		case "(":
			depth++
		case ")":
			depth--
		}
		end = t.end
	}
	p.ts = p.ts[i:]
	return p.sql[start:end]
}

var keyTail = regexp.MustCompile(`(?s)^(.*?)(?:\s+(DESC|ASC))?(?:\s+NULLS\s+(FIRST|LAST))?$`)

// parseKey reads one key from its tokens, the source in front.
func parseKey(e []token) Key {
	if len(e) == 0 {
		return Key{}
	}
	m := keyTail.FindStringSubmatch(e[0].text)
	k := Key{Desc: m[2] == "DESC", Nulls: strings.ToLower(m[3])}
	rest := slices.DeleteFunc(e[1:], func(t token) bool { return t.end > e[0].start+len(m[1]) })
	switch {
	case len(rest) == 1 && rest[0].kind == word:
		k.Column = rest[0].text
	case len(rest) == 2 && rest[0].kind == word && rest[1].kind == word:
		k.Column, k.Class = rest[0].text, rest[1].text
	default:
		k.Expr = m[1]
	}
	return k
}

var (
	arrayOf   = regexp.MustCompile(`\(?ARRAY\[([^\[\]]*)\]\)?(?:\)?::([a-z ]+)\[\])?`)
	anElement = regexp.MustCompile(`^('(?:[^']|'')*'|-?[0-9.]+)(?:::([a-z ]+))?$`)
)

// Fold writes a predicate as the planner sees it after folding constants:
// arrays of constants become one constant, comparisons with true and false
// become the column. It changes what it understands and leaves the rest.
func Fold(predicate string) string {
	return arrayOf.ReplaceAllStringFunc(predicate, foldArray)
}

func foldArray(s string) string {
	m := arrayOf.FindStringSubmatch(s)
	kind := m[2]
	var values []string
	for e := range strings.SplitSeq(m[1], ",") {
		v := anElement.FindStringSubmatch(strings.TrimSpace(e))
		if v == nil {
			return s
		}
		if kind == "" {
			kind = v[2]
		}
		values = append(values, strings.ReplaceAll(strings.Trim(v[1], "'"), "''", "'"))
	}
	if kind == "" {
		kind = "integer"
	}
	return strings.Repeat("(", strings.Count(s, "(")-strings.Count(m[1], "(")) +
		Literal(ArrayLiteral(values)) + "::" + kind + "[]" +
		strings.Repeat(")", strings.Count(s, ")")-strings.Count(m[1], ")"))
}

// ArrayLiteral renders values as Postgres writes an array.
func ArrayLiteral(values []string) string {
	quotedValues := make([]string, len(values))
	for i, v := range values {
		quotedValues[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	}
	return "{" + strings.Join(quotedValues, ",") + "}"
}
