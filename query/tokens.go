package query

import (
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// describeTokens describes a text that has no parse tree.
func describeTokens(t sql, o Options) pgvigil.Query {
	hide := spokenSecrets(t)
	q := pgvigil.Query{
		Fingerprint: hash(pgvigil.ByScan, canonicalTokens(t, hide, o)),
		Algorithm:   Algorithm,
		Method:      pgvigil.ByScan,
		Verb:        verbOf(t),
		Tables:      tablesOf(t),
		Warnings: []pgvigil.Warning{{
			Code: "query-not-parsed",
			Text: "the text does not follow PostgreSQL 16's grammar, or is too long or too deep for the parser; its fingerprint is made of its tokens",
		}},
	}
	whole := t.whole && !backslashed(t)
	if whole && o.Accepted {
		q.Text = normal(t, masks{hide: hide}, o.maxText())
		return q
	}
	q.Tables = slices.DeleteFunc(q.Tables, func(name string) bool {
		return slices.ContainsFunc(segments.FindAllString(name, -1), generated)
	})
	q.Text = outline(q)
	if !whole {
		q.Warnings = append(q.Warnings, pgvigil.Warning{Code: "query-cut", Text: "the text ends inside of a constant; it is not shown"})
	}
	return q
}

// outline says of a text no more than what cannot be a secret; a word behind
// FROM that looks generated is not taken for a table.
func outline(q pgvigil.Query) string {
	text := q.Verb
	if len(q.Tables) > 0 {
		text += " " + strings.Join(q.Tables, ", ")
	}
	return text + " (unreadable text " + q.Fingerprint.String() + ")"
}

// backslashed says whether a plain string ends in a backslash and something
// else than SQL's usual follows: then backslashes may have been meant as
// escapes (standard_conforming_strings off), and what looks like code between
// two strings may be data.
func backslashed(t sql) bool {
	for i, tok := range t.tokens {
		text := tok.Text(t.src)
		if tok.Kind == lex.Bad {
			return true
		}
		if tok.Kind == lex.String && strings.HasSuffix(text, `\'`) && text[0] == '\'' &&
			i+1 < len(t.tokens) && t.tokens[i+1].Kind != lex.Punct {
			return true
		}
	}
	return false
}

// spokenSecrets returns the words that count as constants, by offset: TRUE,
// FALSE and NULL in expressions, and what stands where a secret is to be
// expected, behind PASSWORD and as the value of a SET.
func spokenSecrets(t sql) map[int32]bool {
	hide := map[int32]bool{}
	secret, set := false, len(t.tokens) > 0 && t.tokens[0].Is(t.src, "set")
	for i, tok := range t.tokens {
		name := ""
		if tok.Kind == lex.Word || tok.Kind == lex.Quoted {
			name = tok.Name(t.src)
		}
		switch {
		case name != "" && isSecretName(name):
			secret = true
		case i > 0 && isLiteralWord(t.src, tok) && opensValue(t.src, t.tokens[i-1]):
			hide[int32(tok.Start)] = true
		case tok.Is(t.src, "=") || tok.Is(t.src, "to"):
			secret = secret || set
		case name != "" && secret && name != "null":
			hide[int32(tok.Start)] = true
			secret = set
		case tok.Kind != lex.Op:
			secret = secret && set
		}
	}
	return hide
}

// opensValue says whether a value may follow token t of an expression. IS and
// NOT are not among them: IS NULL has no value.
func opensValue(src string, t lex.Token) bool {
	return t.Kind == lex.Op || t.Is(src, "(") || t.Is(src, ",") || t.Is(src, "then") || t.Is(src, "else") ||
		t.Is(src, "and") || t.Is(src, "select") || t.Is(src, "between")
}

// canonicalTokens writes tokens without what does not matter; hide are words
// that count as constants.
func canonicalTokens(t sql, hide map[int32]bool, o Options) []byte {
	names := partitionNames(o.Partitions)
	var buf []byte
	t.tokens = t.folded
	for i := 0; i < len(t.tokens); i++ {
		tok := t.tokens[i]
		switch {
		case tok.Value() || tok.Kind == lex.Bad || hide[int32(tok.Start)]:
			buf = append(buf, '?')
		case tok.Kind == lex.Word || tok.Kind == lex.Quoted:
			name, n := nameAt(t, i)
			schema, bare := split(name)
			buf = append(buf, names.canonical(schema, bare)...)
			i += n - 1
		default:
			buf = append(buf, tok.Text(t.src)...)
		}
		buf = append(buf, 0)
	}
	return buf
}

// maxNameParts bounds a dotted name: database, schema, table, column.
const maxNameParts = 4

// nameAt returns the dotted name at token i and how many tokens it takes.
func nameAt(t sql, i int) (name string, n int) {
	name, n = t.tokens[i].Name(t.src), 1
	for n < 2*maxNameParts-1 && i+n+1 < len(t.tokens) && t.tokens[i+n].Is(t.src, ".") {
		part := t.tokens[i+n+1].Name(t.src)
		if part == "" {
			break
		}
		name += "." + part
		n += 2
	}
	return name, n
}

// tablesOf returns the names that stand where tables do.
func tablesOf(t sql) []string {
	var tables []string
	seen := map[string]bool{}
	for i := 1; i < len(t.tokens); i++ {
		if k := t.tokens[i].Kind; k != lex.Word && k != lex.Quoted || !namesTable(t, i-1) {
			continue
		}
		name, n := nameAt(t, i)
		if !notTable[name] && !seen[name] && (i+n >= len(t.tokens) || !t.tokens[i+n].Is(t.src, "(") || t.tokens[i-1].Is(t.src, "into")) {
			seen[name] = true
			tables = append(tables, name)
		}
	}
	return tables
}

// namesTable says whether a table's name follows token i.
func namesTable(t sql, i int) bool {
	switch t.tokens[i].Name(t.src) {
	case "from", "join", "into", "update", "table", "only":
		return true
	case "using":
		return t.tokens[0].Is(t.src, "merge") || t.tokens[0].Is(t.src, "delete")
	case "exists":
		return i >= 2 && (t.tokens[i-2].Is(t.src, "table") || t.tokens[i-1].Is(t.src, "not"))
	}
	return false
}

var notTable = wordSet(`select only lateral if not exists set unnest generate_series stdin stdout
	table of nowait skip where values no key current_date`)

const verbUnknown = "unknown"

// verbs leads from the first word of a statement to its verb.
var verbs = map[string]string{
	"select": "select", "values": "select", "table": "select", "insert": "insert", "update": "update",
	"delete": "delete", "merge": "merge", "copy": "copy", "create": "ddl", "alter": "ddl", "drop": "ddl",
	"truncate": "ddl", "comment": "ddl", "grant": "ddl", "revoke": "ddl", "reindex": "ddl", "cluster": "ddl",
	"refresh": "ddl", "security": "ddl", "import": "ddl", "reassign": "ddl",
}

// utilities are the first words of the statements that are neither data nor DDL.
var utilities = wordSet(`analyze begin call checkpoint close commit deallocate declare discard do end
	execute explain fetch listen load lock move notify prepare release reset rollback savepoint set show
	start unlisten vacuum abort`)

// verbOf names the kind of statement by its first word, behind WITH by the
// first data verb outside of brackets.
func verbOf(t sql) string {
	depth, with := 0, false
	for i, tok := range t.tokens {
		name := tok.Name(t.src)
		switch {
		case tok.Is(t.src, "("):
			depth++
		case tok.Is(t.src, ")"):
			depth--
		case with && depth > 0 || tok.Kind != lex.Word:
		case verbs[name] != "" && (!with || verbs[name] != "ddl"):
			return verbs[name]
		case !with && utilities[name]:
			return "utility"
		case name == "with" && !with:
			with = true
		case !with && i > 0:
			return verbUnknown
		}
	}
	return verbUnknown
}
