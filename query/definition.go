package query

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// MaskDefinition returns a definition of the catalog (an index, a constraint, a
// partition's bound, or an expression of one) without the constants that could
// be a secret. A definition is schema and not data: whoever may connect can read
// it, and advice needs it. So the constants stay that an enumeration, a range or
// a calendar is made of:
//
//   - numbers of at most six digits, in bounds of any length, and storage
//     parameters;
//   - words without digits: pending, IN_PROGRESS, Ci::Build, and arrays of them;
//   - dates, times and intervals;
//   - names of relations and the like behind a cast to regclass, regconfig, ...
//
// All others become $n, which no definition of a server holds, and all of them
// do where the definition names a column as secrets are named (token, password,
// pin). A definition that shows them all is returned as it is.
func MaskDefinition(def string) string {
	e := readExpression(def)
	d := definition{expression: e, bound: strings.HasPrefix(e.src, "FOR VALUES"), storage: e.storageParameters()}
	d.secret = d.namesSecret()
	return maskTokens(e, d.shows)
}

// HasHidden says whether MaskDefinition hid a constant of a definition.
func HasHidden(masked string) bool {
	return strings.HasPrefix(masked, "(unreadable") ||
		slices.ContainsFunc(readExpression(masked).tokens, func(t lex.Token) bool { return t.Kind == lex.Param })
}

type definition struct {
	expression
	bound   bool
	secret  bool
	storage [2]int // tokens between the brackets of WITH (...)
}

// storageParameters finds WITH (fillfactor='70').
func (e expression) storageParameters() [2]int {
	for i := 1; i < len(e.tokens); i++ {
		if !e.tokens[i-1].Is(e.src, "with") || !e.tokens[i].Is(e.src, "(") {
			continue
		}
		for j := i; j < len(e.tokens); j++ {
			if e.tokens[j].Is(e.src, ")") {
				return [2]int{i, j}
			}
		}
	}
	return [2]int{}
}

// namesSecret says whether a name in the definition is that of a secret. The
// name of an index, before USING, is none of its columns.
func (d definition) namesSecret() bool {
	start := slices.IndexFunc(d.tokens, func(t lex.Token) bool { return t.Is(d.src, "using") })
	for i := max(start, 0); i < len(d.tokens); i++ {
		if name := d.tokens[i].Name(d.src); name != "" && isSecretName(strings.ToLower(name)) {
			return true
		}
	}
	return false
}

// shows says whether constant i may stay.
func (d definition) shows(i int) bool {
	text := d.tokens[i].Text(d.src)
	if d.tokens[i].Kind == lex.String {
		if len(text) < 2 || text[0] != '\'' {
			return false
		}
		text = text[1 : len(text)-1]
	}
	switch {
	case i > d.storage[0] && i < d.storage[1]:
		return harmlessNumber.MatchString(text) || harmlessWord.MatchString(text)
	case d.secret:
		return false
	case d.bound && boundNumber.MatchString(text):
		return true
	case d.object(i):
		return plainName.MatchString(text)
	}
	return listed(text)
}

// object says whether constant i is cast to a type of names.
func (d definition) object(i int) bool {
	return i+2 < len(d.tokens) && d.tokens[i+1].Is(d.src, "::") && strings.HasPrefix(d.tokens[i+2].Name(d.src), "reg")
}

// listed says whether a constant, or each element of an array, is one of those
// that definitions are made of.
func listed(text string) bool {
	if inner, ok := strings.CutPrefix(text, "{"); ok && strings.HasSuffix(inner, "}") {
		for part := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ",") {
			if !schematic(strings.Trim(part, `" `)) {
				return false
			}
		}
		return true
	}
	return schematic(text)
}

var (
	boundNumber = regexp.MustCompile(`^-?[0-9]{1,19}(\.[0-9]{1,6})?$`)
	// enumeration are words as enumerations and classes have them.
	enumeration = regexp.MustCompile(`^(?:[a-z][a-z_]{0,23}|[A-Z][A-Z_]{0,23}|(?:[A-Z][a-z]+){1,4}(?:::(?:[A-Z][a-z]+){1,4}){0,3})$`)
	// calendar are dates, times, time stamps and intervals.
	calendar = regexp.MustCompile(`^(?:\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?: ?[+-]\d\d(?::?\d\d)?|Z)?)?|\d{1,3}:\d\d(?::\d\d)?|\d{1,4} (?:sec|min|second|minute|hour|day|week|mon|month|year)s?)$`)
)

// schematic says whether a constant without its quotes is one that a schema is
// made of.
func schematic(text string) bool {
	return text == "" || harmlessNumber.MatchString(text) || len(text) <= 64 && enumeration.MatchString(text) || calendar.MatchString(text)
}

// Harmless says whether a value of a column may be shown: a number of at most
// six digits or a lower-case word of at most 24 letters, of a column that is not
// named like a secret.
func Harmless(column, value string) bool { return harmless(column, value) != "" }
