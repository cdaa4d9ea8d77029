package pgvigil

import (
	"fmt"
	"strconv"
)

// Fingerprint is 64 bits that name a family of statements: the parse tree
// without constants, list lengths and partition suffixes. 0 is unknown.
type Fingerprint uint64

// String returns 16 lower-case hexadecimal digits.
func (f Fingerprint) String() string { return fmt.Sprintf("%016x", uint64(f)) }

// MarshalText writes the hexadecimal form; JSON numbers lose its low bits.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the hexadecimal form.
func (f *Fingerprint) UnmarshalText(b []byte) error {
	v, err := ParseFingerprint(string(b))
	*f = v
	return err
}

// ParseFingerprint reads what String wrote.
func ParseFingerprint(s string) (Fingerprint, error) {
	v, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		return 0, fmt.Errorf("parse fingerprint %q: want 16 hexadecimal digits", s)
	}
	return Fingerprint(v), nil
}

// QueryMethod says how a query's fingerprint was made, best first.
type QueryMethod string

// The methods.
const (
	ByParse   QueryMethod = "parse"   // from the parse tree
	ByScan    QueryMethod = "scan"    // from the tokens; the grammar could not take it
	ByQueryID QueryMethod = "queryid" // there was no text
)

// Query is a fingerprint with what is known of its text. It holds no literal.
type Query struct {
	Fingerprint Fingerprint
	// Algorithm is the version of the fingerprint algorithm, so that a better
	// one relabels statements and loses no history.
	Algorithm int
	Method    QueryMethod
	// Text is the normal form: constants are $n, secrets masked, comments gone.
	Text string
	// Truncated says that Text was cut at the limit.
	Truncated bool
	// Verb is the kind of statement in lower case: select, insert, update,
	// delete, merge, copy, ddl, utility, unknown.
	Verb string
	// Tables are the tables named, as written and lower-cased, schema-qualified
	// where the text says so, each once, in order of appearance.
	Tables []string
	// Predicates are the column comparisons of WHERE and JOIN.
	Predicates []Predicate
	// Order are the columns of the outermost ORDER BY.
	Order []OrderColumn
	// Tags are the key-value pairs of its comments (sqlcommenter, marginalia).
	Tags map[string]string
	// Warnings say what could not be understood.
	Warnings []Warning
}

// Own says whether the query is pgvigil's own: all that it sends to a target
// carries the comment /*application='pgvigil'*/.
func (q Query) Own() bool { return q.Tags["application"] == "pgvigil" }

// Predicate is one comparison of a column.
type Predicate struct {
	Table  string // resolved through aliases; "" if ambiguous
	Column string
	// Op is =, <, <=, >, >=, <>, in, is null, is not null, like, ilike, @>,
	// <@, &&, ... as written.
	Op string
	// Join says that the other side is a column of another table.
	Join bool
}

// OrderColumn is one column of an ORDER BY.
type OrderColumn struct {
	Table  string
	Column string
	Desc   bool
	Nulls  string // "", first, last
}
