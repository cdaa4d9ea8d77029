package query

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// vocabularyText holds the words of the messages of PostgreSQL 15's server,
// from the keys of its message catalog, and of pgvigil's own, one a line.
//
//go:embed vocabulary.txt
var vocabularyText string

var vocabulary = wordSet(vocabularyText)

// naming are the nouns behind which a name in double quotes is a name.
var naming = wordSet(`table relation index column columns constraint user role database schema type domain view
	extension function procedure aggregate routine partition server subscription publication trigger sequence
	collation tablespace language cursor portal slot parameter policy rule savepoint statistics matview class family
	method operator opclass tuples_of name_of worker`)

var (
	plainName = regexp.MustCompile(`^[\pL_][\pL\pN_$.]*$`)
	// mixed tells generated words: an upper-case letter and a digit in one name.
	mixed = regexp.MustCompile(`[A-Z].*[0-9]|[0-9].*[A-Z]`)
	// plainNumber is a number of at most six digits and its unit.
	plainNumber = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|min|h|d|B|kB|MB|GB|TB|%)?$`)
	dollarQuote = regexp.MustCompile(`^\$(?:[\pL_][\pL\pN_]*)?\$`)
)

// prose writes what may be shown of a text that is no SQL.
type prose struct {
	out    strings.Builder
	params numbering
	space  string    // white space that was read and not yet written
	masked bool      // the last that was written is a mask
	before [3]string // the last words in lower case, the latest first
	number bool      // the last word was a number
	secret bool      // password= was written; its value is to come
}

// write writes a text word by word.
func (p *prose) write(text string) {
	for i := 0; i < len(text); {
		i += p.next(text, i)
	}
	p.flush()
}

// next writes what begins at i and returns its length in bytes.
func (p *prose) next(text string, i int) int {
	rest := text[i:]
	c, width := utf8.DecodeRuneInString(rest)
	switch {
	case unicode.IsSpace(c):
		p.space += rest[:width]
		return width
	case c == '"':
		return p.quoted(rest)
	case c == '\'':
		return p.hide(rest, quoteLength(rest))
	case c == '$' && dollarQuote.MatchString(rest):
		tag := dollarQuote.FindString(rest)
		if end := strings.Index(rest[len(tag):], tag); end >= 0 {
			return p.hide(rest, end+2*len(tag))
		}
		return p.hide(rest, len(rest))
	case c == '(' && p.before[0] == "key" && strings.Contains(rest, ")=("):
		n := strings.Index(rest, ")=(") + 1
		p.show(MaskExpression(rest[:n]))
		return n
	case c == '(' && (strings.HasSuffix(text[:i], "=") || p.before[0] == "contains"):
		return p.values(rest)
	case strings.ContainsRune(punctuation, c):
		p.show(rest[:width])
		p.secret = (c == '=' || c == ':') && isSecretName(p.before[0])
		p.remember("")
		return width
	}
	return p.word(rest, wordLength(rest))
}

// punctuation ends a word and is shown.
const punctuation = `()[]{}<>=,;:|`

// wordLength returns how many bytes the word at the start of s has. An
// apostrophe between letters belongs to it, unless it may open a string of SQL
// (E'...').
func wordLength(s string) int {
	for i, c := range s {
		switch {
		case i == 0:
		case unicode.IsSpace(c), c == '"', c == '$', strings.ContainsRune(punctuation, c):
			return i
		case c == '\'' && (i < 2 || i+1 >= len(s) || !isLetter(s[i-1]) || !isLetter(s[i+1])):
			return i
		}
	}
	return len(s)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// quoteLength returns the length of the string at the start of s, which opens
// with the quote that also ends it; all of s if nothing does.
func quoteLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != s[0]:
		case i+1 < len(s) && s[i+1] == s[0]:
			i++
		default:
			return i + 1
		}
	}
	return len(s)
}

// quoted writes a name in double quotes if it is one, and hides all others.
func (p *prose) quoted(rest string) int {
	n := quoteLength(rest)
	name := strings.TrimSuffix(rest[1:n], `"`)
	if naming[p.before[0]] && n > 2 && rest[n-1] == '"' && isName(name) {
		p.show(rest[:n])
		p.remember("")
		return n
	}
	return p.hide(rest, n)
}

// values hides what stands in brackets behind Key (...)= and "row contains":
// to the last bracket of the line, for the values may hold brackets of their own.
func (p *prose) values(rest string) int {
	line, _, _ := strings.Cut(rest, "\n")
	n := strings.LastIndexByte(line, ')')
	if n < 0 {
		return p.hide(rest, len(rest))
	}
	p.show("(")
	p.hide(line, 1)
	p.show(")")
	return n + 1
}

// word writes the word at the start of rest if it may be shown.
func (p *prose) word(rest string, n int) int {
	word := strings.TrimRight(rest[:n], ".!?")
	tail := rest[len(word):n]
	isNumber := plainNumber.MatchString(word)
	switch {
	case word == "":
		p.show(tail)
		return n
	case p.secret, isNumber && (p.number || p.secretly()), !isNumber && !known(word) && !p.names(word):
		p.hide(word, len(word))
		p.number = strings.ContainsAny(word, "0123456789")
	default:
		p.show(word)
		p.remember(strings.ToLower(word))
		p.number = isNumber
	}
	if tail != "" {
		p.show(tail)
	}
	return n
}

// known says whether all parts of a word are in the vocabulary.
func known(word string) bool {
	parts := strings.FieldsFunc(strings.ToLower(word), func(r rune) bool { return strings.ContainsRune("-_/.*", r) })
	for _, part := range parts {
		if !vocabulary[part] {
			return false
		}
	}
	return len(parts) > 0 || word == "-" || word == "--" || word == "*"
}

// names says whether a bare word is a name: "permission denied for table x",
// "must be owner of table x".
func (p *prose) names(word string) bool {
	return naming[p.before[0]] && (p.before[1] == "for" && p.before[2] == "denied" || p.before[1] == "of" && p.before[2] == "owner") &&
		isName(word)
}

// isName says whether s looks like the name of a relation, a column or a role
// rather than like a key.
func isName(s string) bool {
	return plainName.MatchString(s) && !mixed.MatchString(s) && !slices.ContainsFunc(segments.FindAllString(s, -1), looksLikeID)
}

// secretly says whether one of the last words announces a secret.
func (p *prose) secretly() bool {
	return isSecretName(p.before[0]) || isSecretName(p.before[1]) || isSecretName(p.before[2])
}

func (p *prose) remember(word string) {
	p.before[2], p.before[1], p.before[0] = p.before[1], p.before[0], word
}

func (p *prose) flush() {
	p.out.WriteString(p.space)
	p.space = ""
}

// show writes s as it is.
func (p *prose) show(s string) {
	p.flush()
	p.out.WriteString(s)
	p.masked, p.number = false, false
}

// hide writes one mask for any number of hidden words in a row, and returns n.
func (p *prose) hide(rest string, n int) int {
	if p.masked {
		p.space = ""
	} else {
		p.flush()
		p.out.WriteString(p.params.fresh())
	}
	p.masked, p.number, p.secret = true, false, false
	p.remember(strings.ToLower(strings.Trim(rest[:n], `'"`)))
	return n
}
