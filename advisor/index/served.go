package index

import (
	"regexp"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Served returns the name of a valid existing index that does all that x
// would, "" if there is none.
func (c *Catalog) Served(t *pgvigil.Table, x whatif.Index) string {
	if name, valid := c.servedBy(t, x); valid {
		return name
	}
	return ""
}

// servedBy returns the name of an existing index that does all that x would,
// and whether it is valid; "" if there is none. A longer index serves a
// shorter one; a whole one serves a partial one only if both have no or the
// same predicate, for the partial one may be wanted for its size.
func (c *Catalog) servedBy(t *pgvigil.Table, x whatif.Index) (name string, valid bool) {
	for _, e := range c.Indexes(t) {
		if serves(e.Parts, x) {
			if e.Valid {
				return e.Name, true
			}
			name = e.Name
		}
	}
	return name, false
}

// serves says whether a has x's keys as its first ones, in the same or wholly
// reversed directions, the same predicate and all its payload.
func serves(a, x whatif.Index) bool {
	if len(a.Keys) < len(x.Keys) || method(a) != method(x) || !samePredicate(a, x) {
		return false
	}
	same, reversed := true, true
	for i, k := range x.Keys {
		if !sameKey(a.Keys[i], k) {
			return false
		}
		same = same && order(a.Keys[i]) == order(k)
		reversed = reversed && order(a.Keys[i]) == order(k).reversed()
	}
	if !same && !reversed {
		return false
	}
	return !slices.ContainsFunc(x.Include, func(c string) bool {
		return !slices.Contains(a.Include, c) && !slices.ContainsFunc(a.Keys, func(k whatif.Key) bool { return k.Column == c })
	})
}

func sameKey(a, b whatif.Key) bool {
	if a.Class != b.Class {
		return false
	}
	if a.Expr != "" || b.Expr != "" {
		strip := func(e string) string { return castsAndParentheses.ReplaceAllString(e, "") }
		return strip(a.Expr) == strip(b.Expr)
	}
	return a.Column == b.Column
}

func method(x whatif.Index) string {
	if x.Method == "" {
		return "btree"
	}
	return x.Method
}

// samePredicate compares what folding makes of both.
func samePredicate(a, x whatif.Index) bool {
	return a.Predicate == x.Predicate || normal(a) == normal(x)
}

// normal strips what the server adds when it writes a predicate back: casts,
// parentheses and blanks. Two predicates that differ otherwise stay different.
func normal(x whatif.Index) string {
	p := x.Folded
	if p == "" {
		p = x.Predicate
	}
	return castsAndParentheses.ReplaceAllString(p, "")
}

var castsAndParentheses = regexp.MustCompile(`::[a-z]+( [a-z]+)*(\[\])?|[()\s"{}']`)

// direction is one of the four orders of a key.
type direction struct{ desc, nullsFirst bool }

func order(k whatif.Key) direction {
	return direction{k.Desc, k.Nulls == "first" || k.Nulls == "" && k.Desc}
}

func (d direction) reversed() direction { return direction{!d.desc, !d.nullsFirst} }
