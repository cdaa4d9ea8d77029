package query

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// place says under what a condition stands.
type place struct {
	or  int // group, 0 for none
	not bool
}

// where reads a condition of WHERE, ON or HAVING.
func (a *analyzer) where(n *pg.Node, l *level) { a.cond(n, l, place{}) }

func (a *analyzer) cond(n *pg.Node, l *level, p place) {
	switch {
	case n.GetBoolExpr() != nil:
		a.boolean(n.GetBoolExpr(), l, p)
	case n.GetAExpr() != nil:
		a.comparison(n.GetAExpr(), l, p)
	case n.GetNullTest() != nil:
		t, op := n.GetNullTest(), "is null"
		if t.Nulltesttype == pg.NullTestType_IS_NOT_NULL {
			op = "is not null"
		}
		a.add(t.Arg, l, p, Condition{Kind: Null, Op: op})
	case n.GetBooleanTest() != nil:
		t := n.GetBooleanTest()
		op := strings.ToLower(strings.ReplaceAll(t.Booltesttype.String(), "_", " "))
		a.add(t.Arg, l, p, Condition{Kind: Boolean, Op: op})
	case n.GetColumnRef() != nil:
		a.add(n, l, p, Condition{Kind: Boolean, Op: "is true"})
	case n.GetSubLink() != nil:
		a.subLink(n.GetSubLink(), l, p)
	default:
		a.expr(n, l)
	}
}

func (a *analyzer) boolean(b *pg.BoolExpr, l *level, p place) {
	switch b.Boolop {
	case pg.BoolExprType_OR_EXPR:
		if p.or == 0 {
			a.groups++
			p.or = a.groups
		}
	case pg.BoolExprType_NOT_EXPR:
		p.not = !p.not
	}
	for _, arg := range b.Args {
		a.cond(arg, l, p)
	}
}

func (a *analyzer) comparison(e *pg.A_Expr, l *level, p place) {
	op := operator(e)
	c := Condition{Kind: kindOf(op), Op: op}
	left, leftOK := a.operand(e.Lexpr, l)
	right, rightOK := a.operand(e.Rexpr, l)
	switch {
	case leftOK && rightOK && left.wrapped == "" && right.wrapped == "":
		a.join(left.ref, right.ref, op, p)
	case leftOK:
		a.compare(left, e.Rexpr, l, p, c)
	case rightOK:
		c.Op, c.Kind = mirror(op, c.Kind)
		a.compare(right, e.Lexpr, l, p, c)
	default:
		a.expr(e.Lexpr, l)
		a.expr(e.Rexpr, l)
	}
}

// compare notes that a column is compared with a value.
func (a *analyzer) compare(o operand, value *pg.Node, l *level, p place, c Condition) {
	c.Value = valueKind(value)
	if c.Value == Constant && (!a.short || c.Kind != In) {
		c.Constants = harmlessAll(o.ref.column, value)
	}
	a.note(o, p, c)
	a.expr(o.rest, l)
	a.expr(value, l)
}

// operand is a side of a comparison that is a column, or a column in a wrap.
type operand struct {
	ref     ref
	wrapped string
	rest    *pg.Node // what stands in the wrap beside the column; may be nil
}

// operand finds the column of one side, through casts and one function.
func (a *analyzer) operand(n *pg.Node, l *level) (operand, bool) {
	switch {
	case n.GetColumnRef() != nil:
		r, ok := a.find(n.GetColumnRef(), l)
		return operand{ref: r}, ok
	case n.GetTypeCast() != nil:
		o, ok := a.operand(n.GetTypeCast().Arg, l)
		if o.wrapped == "" {
			o.wrapped = "::" + dotted(n.GetTypeCast().GetTypeName().GetNames())
		}
		return o, ok
	case n.GetCollateClause() != nil:
		return a.operand(n.GetCollateClause().Arg, l)
	case n.GetFuncCall() != nil:
		return a.wrappedBy(n, n.GetFuncCall().Args, dotted(n.GetFuncCall().Funcname), l)
	case n.GetCoalesceExpr() != nil:
		return a.wrappedBy(n, n.GetCoalesceExpr().Args, "coalesce", l)
	case n.GetAExpr() != nil && n.GetAExpr().Kind == pg.A_Expr_Kind_AEXPR_OP:
		e := n.GetAExpr()
		return a.wrappedBy(n, []*pg.Node{e.Lexpr}, operator(e), l)
	}
	return operand{}, false
}

func (a *analyzer) wrappedBy(n *pg.Node, args []*pg.Node, name string, l *level) (operand, bool) {
	for _, arg := range args {
		if r, ok := a.find(arg.GetColumnRef(), l); ok {
			return operand{ref: r, wrapped: name, rest: n}, true
		}
	}
	return operand{}, false
}

// add notes a condition without a value.
func (a *analyzer) add(n *pg.Node, l *level, p place, c Condition) {
	if o, ok := a.operand(n, l); ok {
		a.note(o, p, c)
		return
	}
	a.expr(n, l)
}

// note appends a condition to its table.
func (a *analyzer) note(o operand, p place, c Condition) {
	c.Column, c.Wrapped = o.ref.column, o.wrapped
	c.Or, c.OrGroup, c.Not = p.or > 0, p.or, p.not
	if o.ref.table < 0 {
		b := a.block(o.ref.level)
		b.Unresolved = append(b.Unresolved, c)
		return
	}
	a.column(o.ref)
	t := a.table(o.ref.level, o.ref.table)
	t.Conditions = append(t.Conditions, c)
}

// join notes a comparison of two columns on both sides.
func (a *analyzer) join(x, y ref, op string, p place) {
	cx, cy := a.column(x), a.column(y)
	kind := kindOf(op)
	other := func(c Column) *Column {
		if x.level == y.level && x.table == y.table {
			return nil
		}
		return &c
	}
	a.note(operand{ref: x}, p, Condition{Kind: kind, Op: op, Value: ColumnValue, Join: other(cy)})
	op, kind = mirror(op, kind)
	a.note(operand{ref: y}, p, Condition{Kind: kind, Op: op, Value: ColumnValue, Join: other(cx)})
}

// subLink reads EXISTS, IN, ANY, ALL and scalar subqueries.
func (a *analyzer) subLink(s *pg.SubLink, l *level, p place) {
	role := RoleScalar
	switch s.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		role = RoleExists
	case pg.SubLinkType_ANY_SUBLINK, pg.SubLinkType_ALL_SUBLINK:
		role = RoleIn
		op := "in"
		if len(s.OperName) > 0 {
			op = dotted(s.OperName)
		}
		a.add(s.Testexpr, l, p, Condition{Kind: In, Op: op, Value: Subquery})
	}
	a.statement(s.Subselect, role, "", l)
}

// expr reads an expression that is no condition: its columns, functions and
// subqueries.
func (a *analyzer) expr(n *pg.Node, l *level) {
	if n != nil {
		a.visit(n.ProtoReflect(), l)
	}
}

func (a *analyzer) visit(m protoreflect.Message, l *level) {
	switch v := m.Interface().(type) {
	case *pg.ColumnRef:
		if r, ok := a.find(v, l); ok {
			a.column(r)
		} else {
			a.star(v, l)
		}
		return
	case *pg.SubLink:
		a.subLink(v, l, place{})
		return
	case *pg.FuncCall:
		a.function(v)
	case *pg.A_Const, *pg.ParamRef, *pg.TypeName:
		return
	}
	for _, f := range planOf(m.Descriptor()).children {
		if !m.Has(f) {
			continue
		}
		if !f.IsList() {
			a.visit(m.Get(f).Message(), l)
			continue
		}
		for list, i := m.Get(f).List(), 0; i < list.Len(); i++ {
			a.visit(list.Get(i).Message(), l)
		}
	}
}

// harmlessAll returns the literals of a value if all may be shown.
func harmlessAll(column string, value *pg.Node) []string {
	var out []string
	for _, n := range items(value) {
		s := harmless(column, literal(n))
		if s == "" {
			return nil
		}
		out = append(out, s)
	}
	return out
}

// items returns the members of a list or array, or the one node itself.
func items(n *pg.Node) []*pg.Node {
	switch {
	case n.GetList() != nil:
		return n.GetList().Items
	case n.GetAArrayExpr() != nil:
		return n.GetAArrayExpr().Elements
	case n.GetTypeCast() != nil:
		return items(n.GetTypeCast().Arg)
	}
	return []*pg.Node{n}
}

// literal returns a constant as text, "" for all else.
func literal(n *pg.Node) string {
	if n.GetTypeCast() != nil {
		return literal(n.GetTypeCast().Arg)
	}
	switch v := n.GetAConst().GetVal().(type) {
	case *pg.A_Const_Ival:
		return strconv.Itoa(int(v.Ival.GetIval()))
	case *pg.A_Const_Fval:
		return v.Fval.GetFval()
	case *pg.A_Const_Boolval:
		return strconv.FormatBool(v.Boolval.GetBoolval())
	case *pg.A_Const_Sval:
		return v.Sval.GetSval()
	}
	return ""
}

// valueKind classifies what a column is compared with; a list by its weakest
// member.
func valueKind(n *pg.Node) ValueKind {
	kind := Constant
	for _, item := range items(n) {
		switch {
		case item.GetAConst() != nil || literal(item) != "":
		case item.GetParamRef() != nil, item.GetTypeCast().GetArg().GetParamRef() != nil:
			kind = Parameter
		case item.GetSubLink() != nil:
			return Subquery
		default:
			return Expression
		}
	}
	return kind
}
