package query

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query/internal/fence"
	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// Options say what is known of the database that a text belongs to. The zero
// value knows nothing.
type Options struct {
	// Partitions leads from a partition's name to its parent's, both in lower
	// case; a key is "schema.name" or "name".
	Partitions map[string]string
	// MaxText is the longest normal form in bytes; 0 is 16 KiB.
	MaxText int
	// Accepted says that a server has parsed the text: it is from
	// pg_stat_statements. Text from anywhere else (activity, logs) may be anything
	// that somebody sent, so where it does not parse its words are not shown.
	Accepted bool
	// Columns are the columns of tables, keyed like Partitions. They resolve
	// columns that the text does not qualify; may be nil.
	Columns map[string][]string
}

const (
	defaultMaxText = 16 << 10
	// maxInput bounds how much of a text is looked at: pg_stat_statements and
	// log files know no limit.
	maxInput = 16 << 20
)

func (o Options) maxText() int {
	if o.MaxText <= 0 {
		return defaultMaxText
	}
	return o.MaxText
}

// Describe returns what can be known of a text. It never fails: text that the
// grammar does not take is described by its tokens, and text that says nothing
// ("", only comments, <insufficient privilege>) gives ByQueryID(0).
func Describe(text string, o Options) pgvigil.Query {
	t, cut := readText(text)
	if len(t.tokens) == 0 || isPlaceholder(t) {
		q := ByQueryID(0)
		q.Tags = t.tags
		return q
	}
	q := describe(t, o)
	q.Tags = t.tags
	if cut {
		q.Warnings = append(q.Warnings, pgvigil.Warning{Code: "text-too-long", Text: "the text is longer than 16 MiB and was cut"})
	}
	q.Text, q.Truncated = truncate(q.Text, o.maxText())
	return q
}

// ByQueryID returns the query of a statement that has no text: its fingerprint
// is made of the queryid, which is good for one major version of one server.
// For 0 the fingerprint is 0, unknown.
func ByQueryID(id int64) pgvigil.Query {
	q := pgvigil.Query{Algorithm: Algorithm, Method: pgvigil.ByQueryID, Verb: verbUnknown}
	if id != 0 {
		q.Fingerprint = hash(pgvigil.ByQueryID, strconv.AppendInt(nil, id, 10))
	}
	return q
}

// sql is a text made ready: clean, without comments.
type sql struct {
	src    string // one space where there was white space
	tokens []lex.Token
	folded []lex.Token // without the items that fold drops
	short  bool        // src was long and has no items that fold drops
	whole  bool
	tags   map[string]string
}

// maxUnfolded is the longest text that is parsed with its lists as they are.
// Longer ones lose the constants that a Condition could show.
const maxUnfolded = 8 << 10

// readText cleans a text and cuts it into tokens; cut says that it was too long.
func readText(text string) (t sql, cut bool) {
	if cut = len(text) > maxInput; cut {
		text = text[:maxInput]
	}
	text = clean(text)
	res := lex.Scan(text)
	t = compact(text, lex.Signed(text, res.Tokens))
	t.folded = fold(t.src, t.tokens)
	if len(t.src) > maxUnfolded && len(t.folded) < len(t.tokens) {
		t = compact(t.src, t.folded)
		t.folded, t.short = t.tokens, true
	}
	t.whole = res.Whole() && !cut
	t.tags = tagsOf(text, res.Comments)
	return t, cut
}

// clean returns text in valid UTF-8 without control characters.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return r
		case r < ' ' || r >= 0x7f && r < 0xa0 || isBidi(r):
			return ' '
		}
		return r
	}, text)
}

// isBidi says whether r changes the direction of what follows, by which text
// can be made to look like another one.
func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f
}

// compact writes the tokens one after the other, one space for any white space.
func compact(src string, tokens []lex.Token) sql {
	for n := len(tokens); n > 0 && tokens[n-1].Is(src, ";"); n = len(tokens) {
		tokens = tokens[:n-1]
	}
	var b strings.Builder
	out := make([]lex.Token, len(tokens))
	for i, t := range tokens {
		if i > 0 && needsSpace(src, tokens[i-1], t) {
			b.WriteByte(' ')
		}
		start := b.Len()
		b.WriteString(t.Text(src))
		out[i] = lex.Token{Kind: t.Kind, Space: t.Space, Start: start, End: b.Len()}
	}
	return sql{src: b.String(), tokens: out}
}

// needsSpace says whether white space stands between two tokens in normal
// form: where the text has it, but not inside of brackets and before commas.
func needsSpace(src string, left, right lex.Token) bool {
	if right.Kind == lex.Punct && strings.IndexByte(",)];", src[right.Start]) >= 0 {
		return false
	}
	if left.Kind == lex.Punct {
		switch src[left.Start] {
		case '(', '[':
			return false
		case ',', ';':
			return true
		}
	}
	return right.Space || touching(left, right)
}

// touching says whether two tokens would run into one without a space.
func touching(left, right lex.Token) bool {
	word := func(k lex.Kind) bool { return k != lex.Op && k != lex.Punct }
	return word(left.Kind) && word(right.Kind) || left.Kind == lex.Op && right.Kind == lex.Op
}

// isPlaceholder says whether t is what the server shows instead of a text.
func isPlaceholder(t sql) bool {
	return len(t.tokens) <= 5 && (strings.HasPrefix(t.src, "<insufficient privilege") || t.src == "<backend information not available>" || t.src == "<command string not enabled>")
}

func describe(t sql, o Options) pgvigil.Query {
	tree, err := fence.Parse(t.src, t.tokens)
	if err == nil {
		return describeTree(t, tree, o)
	}
	q := describeTokens(t, o)
	if !t.whole || errors.Is(err, fence.ErrTooDeep) {
		return q
	}
	// What does not parse with its constants may parse without them. Both
	// texts are one family.
	again, _ := readText(normal(t, masks{hide: spokenSecrets(t)}, o.maxText()))
	if tree, err := fence.Parse(again.src, again.tokens); err == nil {
		return describeTree(again, tree, o)
	}
	return q
}

func describeTree(t sql, tree *pg.ParseResult, o Options) pgvigil.Query {
	shape := analyze(tree, t.short, o)
	return pgvigil.Query{
		Fingerprint: hash(pgvigil.ByParse, canonical(tree, o)),
		Algorithm:   Algorithm,
		Method:      pgvigil.ByParse,
		Text:        normal(t, masksOf(tree), o.maxText()),
		Verb:        verbOf(t),
		Tables:      shape.tableNames(),
		Predicates:  shape.predicates(),
		Order:       shape.order(),
	}
}

// truncate cuts text to at most limit bytes, not inside of a character.
func truncate(text string, limit int) (string, bool) {
	if len(text) <= limit {
		return text, false
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit], true
}
