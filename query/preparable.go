package query

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// Plannable says why a normal form has no plan that may be asked for; nil if it
// has. It must be one SELECT that neither writes nor locks, without any string:
// what is sent holds nobody's constants, and cannot end before it seems to.
func Plannable(normal string) error {
	tokens := lex.Scan(normal).Tokens
	if len(tokens) == 0 {
		return errors.New("there is no text")
	}
	for i, t := range tokens {
		if err := plannableToken(normal, tokens, i); err != nil {
			return err
		}
		if t.Kind == lex.String || t.Kind == lex.Bad {
			return errors.New("the text holds a constant or has no end")
		}
	}
	first := slices.IndexFunc(tokens, func(t lex.Token) bool { return !t.Is(normal, "(") })
	if first < 0 || !isAny(normal, tokens[first], "select", "with", "values", "table") {
		return errors.New("only SELECT has a plan that may be asked for")
	}
	return nil
}

// ErrWrites says that a statement writes or locks.
var ErrWrites = errors.New("it writes or locks rows")

func plannableToken(src string, tokens []lex.Token, i int) error {
	switch t := tokens[i]; {
	case t.Is(src, ";"):
		return errors.New("there is more than one statement")
	case isAny(src, t, "insert", "update", "delete", "merge", "into"):
		return ErrWrites
	case t.Is(src, "for") && i+1 < len(tokens) && isAny(src, tokens[i+1], "share", "no", "key"):
		return ErrWrites
	}
	return nil
}

func isAny(src string, t lex.Token, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return t.Is(src, w) })
}

// untypedCalls are functions that take values of any type: a parameter that
// is handed to nothing else has no type there.
var untypedCalls = wordSet(`concat concat_ws format json_build_object jsonb_build_object json_build_array
	jsonb_build_array num_nulls num_nonnulls count pg_typeof to_json to_jsonb array_agg json_agg jsonb_agg row
	array_append array_prepend quote_literal quote_nullable quote_ident pg_column_size`)

// ErrUntyped says that the types of a statement's parameters cannot be told.
var ErrUntyped = errors.New("the types of its parameters are not known")

// Preparable writes a normal form so that a server takes it: constants with a
// type before them become casts, and parameters that have no type become text.
// It returns ErrUntyped where that is known not to be enough, and the highest
// number of a parameter.
func Preparable(normal string) (text string, params int, err error) {
	src := normal
	tokens := lex.Scan(src).Tokens
	typed, untyped := map[string]bool{}, map[string]bool{}
	for i, t := range tokens {
		if t.Kind != lex.Param {
			continue
		}
		name := t.Text(src)
		n, e := strconv.Atoi(name[1:])
		if e != nil || n < 1 || n > maxParams {
			return "", 0, ErrUntyped
		}
		params = max(params, n)
		if arithmetic(src, tokens, i) {
			return "", 0, ErrUntyped
		}
		if typeless(src, tokens, i) {
			untyped[name] = true
		} else {
			typed[name] = true
		}
	}
	var b strings.Builder
	last := 0
	for i := range tokens {
		from, to, with := repair(src, tokens, i, func(name string) bool { return untyped[name] && !typed[name] })
		if to > from && from >= last {
			b.WriteString(src[last:from])
			b.WriteString(with)
			last = to
		}
	}
	b.WriteString(src[last:])
	return b.String(), params, nil
}

// maxParams is what a server takes.
const maxParams = 65535

// typeNames are types that a constant may follow without a cast.
var typeNames = wordSet(`interval date timestamp timestamptz time timetz`)

// repair says what to write instead of the token at i and what follows it;
// nothing if to is not over from.
func repair(src string, tokens []lex.Token, i int, untyped func(string) bool) (from, to int, with string) {
	t := tokens[i]
	next := func(n int) lex.Token {
		if i+n < len(tokens) {
			return tokens[i+n]
		}
		return lex.Token{}
	}
	switch {
	case t.Kind == lex.Word && typeNames[t.Name(src)] && next(1).Kind == lex.Param:
		return t.Start, next(1).End, next(1).Text(src) + "::" + t.Text(src)
	case t.Is(src, "extract") && next(1).Is(src, "(") && next(2).Kind == lex.Param && next(3).Is(src, "from"):
		return next(2).Start, next(2).End, "epoch"
	case t.Kind == lex.Param && untyped(t.Text(src)):
		return t.Start, t.End, t.Text(src) + "::text"
	}
	return 0, 0, ""
}

// typeless says whether the parameter at i stands where any type will do.
func typeless(src string, tokens []lex.Token, i int) bool {
	if i+1 < len(tokens) && (tokens[i+1].Is(src, "is") || tokens[i+1].Is(src, "isnull") || tokens[i+1].Is(src, "notnull")) {
		return true
	}
	if i == 0 || !tokens[i-1].Is(src, "(") && !tokens[i-1].Is(src, ",") {
		return false
	}
	if i+1 < len(tokens) && !tokens[i+1].Is(src, ",") && !tokens[i+1].Is(src, ")") {
		return false
	}
	depth := 0
	for j := i - 1; j > 0; j-- {
		switch {
		case tokens[j].Is(src, ")"):
			depth++
		case tokens[j].Is(src, "(") && depth > 0:
			depth--
		case tokens[j].Is(src, "("):
			return tokens[j-1].Kind == lex.Word && untypedCalls[tokens[j-1].Name(src)]
		}
	}
	return false
}

// arithmetic says whether the parameter at i is added to (or the like) another
// parameter: then no type can be told.
func arithmetic(src string, tokens []lex.Token, i int) bool {
	if i+2 >= len(tokens) || tokens[i+1].Kind != lex.Op || tokens[i+2].Kind != lex.Param {
		return false
	}
	cast := func(j int) bool { return j < len(tokens) && tokens[j].Is(src, "::") }
	return strings.Contains("+-*/%^", tokens[i+1].Text(src)) && !cast(i+3)
}
