package query

import pg "github.com/pganalyze/pg_query_go/v5"

// kinds leads from an operator to its kind; what is missing is Other.
var kinds = map[string]ConditionKind{
	"=": Equality, "<": Range, "<=": Range, ">": Range, ">=": Range, "between": Range, "between symmetric": Range,
	"in": In, "= any": In, "is not distinct from": Equality,
	"like": Like, "ilike": Like, "similar to": Like, "~": Like, "~*": Like, "^@": Like,
	"@>": Array, "<@": Array, "&&": Array, "?": Array, "?|": Array, "?&": Array, "@@": Array,
}

// operator returns the operator of a comparison as pgvigil.Predicate has it.
func operator(e *pg.A_Expr) string {
	op := dotted(e.Name)
	switch e.Kind {
	case pg.A_Expr_Kind_AEXPR_OP_ANY:
		return op + " any"
	case pg.A_Expr_Kind_AEXPR_OP_ALL:
		return op + " all"
	case pg.A_Expr_Kind_AEXPR_DISTINCT:
		return "is distinct from"
	case pg.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return "is not distinct from"
	case pg.A_Expr_Kind_AEXPR_IN:
		return negated(op == "<>", "in")
	case pg.A_Expr_Kind_AEXPR_LIKE:
		return negated(op == "!~~", "like")
	case pg.A_Expr_Kind_AEXPR_ILIKE:
		return negated(op == "!~~*", "ilike")
	case pg.A_Expr_Kind_AEXPR_SIMILAR:
		return negated(op == "!~", "similar to")
	case pg.A_Expr_Kind_AEXPR_BETWEEN, pg.A_Expr_Kind_AEXPR_BETWEEN_SYM:
		return "between"
	case pg.A_Expr_Kind_AEXPR_NOT_BETWEEN, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		return "not between"
	}
	return op
}

func negated(not bool, op string) string {
	if not {
		return "not " + op
	}
	return op
}

func kindOf(op string) ConditionKind {
	if k, ok := kinds[op]; ok {
		return k
	}
	return Other
}

// mirror turns a comparison around: 1 < x is x > 1. For x = ANY (column) it is
// an array that must contain a value.
func mirror(op string, kind ConditionKind) (string, ConditionKind) {
	turned := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "@>": "<@", "<@": "@>"}
	if t := turned[op]; t != "" {
		return t, kind
	}
	if op == "= any" {
		return "@>", Array
	}
	return op, kind
}
