// Package fence is the one door to the C parser. What would harm it is turned
// away before.
//
// The parser (PostgreSQL 16's grammar in libpg_query) writes the tree out by
// recursion without a check of the stack. Measured with an 8 MB stack: chains
// of +, ||, ::, ->, COLLATE, AT TIME ZONE, IS NULL, UNION and JOIN return an
// error from 5,000 to 10,000 levels (protobuf's limit of 10,000 nested
// messages, 2 to 6 messages a level) and kill the process by SIGSEGV between
// 20,000 and 50,000. What nests to the right (parentheses, NOT, CASE,
// functions, subqueries) is stopped by the grammar itself ("memory exhausted",
// 1,700 to 10,000 levels). The first error of any chain is at 1,667 levels, or
// 3,300 of the tokens counted here: subqueries in subqueries.
package fence

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"

	"github.com/pgvigil/pgvigil/query/internal/lex"
)

const (
	// MaxBytes bounds the text given to the parser; 256 KiB take it about 0.3 s.
	MaxBytes = 256 << 10
	// MaxDepth bounds Depth: less than half of where the first construct makes
	// the parser return an error, a tenth of where the first one kills it, so
	// that a thread's stack of 1 MB suffices.
	MaxDepth = 1500
	// maxRetries bounds how many parameters are replaced where the grammar
	// wants a constant.
	maxRetries = 64
)

// ErrTooDeep says that a text is too long or too deeply nested for the parser.
var ErrTooDeep = errors.New("text is too long or nested too deeply for the parser")

// Parse returns the parse tree of src, whose tokens are given. Locations in
// the tree are byte offsets into src. A parameter where the grammar wants a
// constant is taken for one: PASSWORD $1 and FETCH $1 are what normalised
// texts look like.
func Parse(src string, tokens []lex.Token) (*pg.ParseResult, error) {
	if len(src) > MaxBytes || strings.IndexByte(src, 0) >= 0 || Depth(src, tokens) > MaxDepth {
		return nil, ErrTooDeep
	}
	tree, err := pg.Parse(src)
	text := src
	for range maxRetries {
		if err == nil {
			return tree, nil
		}
		text = replaceParam(text, tokens, err)
		if text == "" {
			break
		}
		tree, err = pg.Parse(text)
	}
	if err != nil {
		return nil, reason(err)
	}
	return tree, nil
}

// reason says why a text does not parse without quoting it: the parser's own
// message ends with the text from the fault on, constants included.
func reason(err error) error {
	what, _, _ := strings.Cut(err.Error(), " at or near ")
	what, _, _ = strings.Cut(what, ` "`)
	var perr *parser.Error
	if errors.As(err, &perr) && perr.Cursorpos > 0 {
		return fmt.Errorf("%s at character %d", what, perr.Cursorpos)
	}
	return errors.New(what)
}

// replaceParam returns text with a constant of the same length in place of the
// parameter that err complains about: first a string, then a number; "" if err
// is about something else.
func replaceParam(text string, tokens []lex.Token, err error) string {
	var perr *parser.Error
	if !errors.As(err, &perr) || perr.Cursorpos <= 0 {
		return ""
	}
	at := byteOffset(text, perr.Cursorpos-1)
	for _, t := range tokens {
		if t.Start != at || t.Kind != lex.Param {
			continue
		}
		width := t.End - t.Start
		constant := "'" + strings.Repeat("x", width-2) + "'"
		switch text[at] {
		case '\'':
			constant = strings.Repeat("0", width-1) + "1"
		case '0':
			return ""
		}
		return text[:at] + constant + text[t.End:]
	}
	return ""
}

// byteOffset returns where the n-th character of s begins.
func byteOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s) + n*utf8.UTFMax
}
