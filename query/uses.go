package query

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// Uses is what a server could look up by name for a text: more than it does,
// never less. Names are folded and cut to 63 bytes as the server does it.
type Uses struct {
	// Names are all identifiers and keywords, each once.
	Names []string
	// Calls are those of them that stand before a parenthesis.
	Calls []string
	// Operators are those written, and those that IN, LIKE, BETWEEN, joins and
	// sorting imply.
	Operators []string
}

// implied are operators that a text can use without writing them.
var implied = []string{"=", "<>", "<", ">", "<=", ">=", "~", "!~", "~*", "!~*", "~~", "!~~", "~~*", "!~~*"}

// errNoName says that an identifier cannot be read here.
var errNoName = errors.New("it writes a name with Unicode escapes")

// UsesOf lists what a text uses. Strings in it are searched too: a function's
// body runs what it puts together. The error says what cannot be told.
func UsesOf(text string) (Uses, error) {
	u := useList{seen: map[string]bool{}}
	u.Operators = slices.Clone(implied)
	err := u.read(text, 0)
	return u.Uses, err
}

type useList struct {
	Uses
	seen map[string]bool // by kind and name
}

// maxNested is how deep strings in strings are searched.
const maxNested = 3

func (u *useList) read(text string, depth int) error {
	tokens := lex.Scan(text).Tokens
	for i, t := range tokens {
		switch t.Kind {
		case lex.Word, lex.Quoted:
			call := i+1 < len(tokens) && tokens[i+1].Is(text, "(")
			if err := u.name(text, t, call); err != nil {
				return err
			}
		case lex.Op:
			u.add(&u.Operators, "o", t.Text(text))
		case lex.String, lex.Bad:
			if inner := unquote(t.Text(text)); depth < maxNested && inner != "" {
				if err := u.read(inner, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (u *useList) name(text string, t lex.Token, call bool) error {
	raw := t.Text(text)
	if t.Kind == lex.Quoted && !strings.HasPrefix(raw, `"`) {
		return errNoName
	}
	for _, name := range foldings(raw, t.Name(text)) {
		u.add(&u.Names, "n", name)
		if call {
			u.add(&u.Calls, "c", name)
		}
	}
	return nil
}

func (u *useList) add(list *[]string, kind, name string) {
	if key := kind + name; !u.seen[key] {
		u.seen[key] = true
		*list = append(*list, name)
	}
}

// foldings returns what a server may make of an identifier: it folds ASCII
// alone or, by its encoding, more.
func foldings(raw, name string) []string {
	if strings.HasPrefix(raw, `"`) {
		return []string{identifier(name)}
	}
	ascii := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, raw)
	if ascii == name {
		return []string{identifier(name)}
	}
	return []string{identifier(ascii), identifier(name)}
}

// maxIdentifier is NAMEDATALEN - 1, where a server cuts identifiers.
const maxIdentifier = 63

// identifier cuts a name as a server does, between characters.
func identifier(name string) string {
	if len(name) <= maxIdentifier {
		return name
	}
	end := maxIdentifier
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

// unquote returns what stands between the quotes of a string of any kind.
func unquote(s string) string {
	open := strings.IndexAny(s, "'$")
	if open < 0 {
		return ""
	}
	if s[open] == '\'' {
		return strings.TrimSuffix(s[open+1:], "'")
	}
	tag := strings.IndexByte(s[open+1:], '$')
	if tag < 0 {
		return ""
	}
	mark := s[open : open+tag+2]
	return strings.TrimSuffix(s[open+len(mark):], mark)
}
