package index

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

var number = regexp.MustCompile(`^-?\d+(\.\d+)?$`)

// numeric are the types whose constants are written without quotes.
var numeric = []string{"smallint", "integer", "bigint", "numeric", "real", "double precision"}

// Predicate renders conditions of a table as the WHERE of a partial index:
// readable, and folded for HypoPG. ok is false if one cannot be rendered.
func Predicate(t *pgvigil.Table, conds []Cond) (readable, folded string, ok bool) {
	var r, f []string
	for _, c := range conds {
		col, _ := column(t, c.Column)
		read, fold, ok := condition(c, col.Type)
		if !ok {
			return "", "", false
		}
		r, f = append(r, read), append(f, fold)
	}
	return strings.Join(r, " AND "), strings.Join(f, " AND "), len(r) > 0
}

// Masked renders what Predicate does with a ? in place of every constant, also
// those that are written without quotes. ok is false if Predicate's is.
func Masked(t *pgvigil.Table, conds []Cond) (readable string, ok bool) {
	if _, _, ok := Predicate(t, conds); !ok {
		return "", false
	}
	r := make([]string, len(conds))
	for i, c := range conds {
		r[i] = whatif.Quote(c.Column) + masks[c.Op]
	}
	return strings.Join(r, " AND "), true
}

// masks are the comparisons that a predicate may hold, without their constants.
var masks = map[Op]string{Null: " IS NULL", NotNull: " IS NOT NULL", Equal: " = ?", Unlike: " <> ?", In: " IN (?)"}

func condition(c Cond, kind string) (readable, folded string, ok bool) {
	col := whatif.Quote(c.Column)
	if c.Expr != "" || kind == "" {
		return "", "", false
	}
	switch {
	case c.Op == Null:
		return both(col + " IS NULL")
	case c.Op == NotNull:
		return both(col + " IS NOT NULL")
	case kind == "boolean" && c.Op == Equal:
		return boolean(col, c.Values)
	case c.Op == Equal && len(c.Values) == 1:
		return compare(col, "=", c.Values[0], kind)
	case c.Op == Unlike && len(c.Values) == 1:
		return compare(col, "<>", c.Values[0], kind)
	case c.Op == In && len(c.Values) > 0:
		return list(col, c.Values, kind)
	}
	return "", "", false
}

func both(s string) (string, string, bool) { return s, s, true }

func boolean(col string, values []string) (string, string, bool) {
	if len(values) != 1 {
		return "", "", false
	}
	switch strings.ToLower(values[0]) {
	case "t", "true":
		return both(col)
	case "f", "false":
		return both("NOT " + col)
	}
	return "", "", false
}

func compare(col, op, value, kind string) (string, string, bool) {
	v, ok := constant(value, kind)
	return col + " " + op + " " + v, col + " " + op + " " + v, ok
}

// constant renders a value as the server reads it for a column of kind.
func constant(value, kind string) (string, bool) {
	if slices.Contains(numeric, base(kind)) {
		return value, number.MatchString(value)
	}
	return whatif.Literal(value), true
}

func list(col string, values []string, kind string) (string, string, bool) {
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	rendered := make([]string, len(values))
	for i, v := range values {
		s, ok := constant(v, kind)
		if !ok {
			return "", "", false
		}
		rendered[i] = s
	}
	readable := col + " IN (" + strings.Join(rendered, ", ") + ")"
	of, left := base(kind), col
	if of == "character varying" {
		of, left = "text", col+"::text"
	}
	if !slices.Contains(numeric, of) && of != "text" && strings.ContainsAny(of, `."`) {
		return readable, readable, true // an enumeration elsewhere: the judge says whether it folds
	}
	folded := left + " = ANY (" + whatif.Literal(whatif.ArrayLiteral(values)) + "::" + of + "[])"
	return readable, folded, true
}

// base cuts the modifier off a type: character varying(255) is character
// varying.
func base(kind string) string {
	b, _, _ := strings.Cut(kind, "(")
	return strings.TrimSpace(b)
}
