package query

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// canonical writes a tree without what does not matter to its fingerprint. Two
// texts are of one family exactly if this is the same for both.
func canonical(tree *pg.ParseResult, o Options) []byte {
	c := &canon{names: partitionNames(o.Partitions)}
	for _, s := range tree.GetStmts() {
		c.message(s.GetStmt().ProtoReflect())
	}
	return c.buf
}

// canon writes one canonical form.
type canon struct {
	buf    []byte
	names  partitions
	scopes []*scope
	outs   map[string]int // names of output columns, while a sort clause is written
	option int            // how many options (DefElem) stand around
}

// constant stands for any constant or parameter.
func (c *canon) constant() { c.buf = append(c.buf, '?') }

func (c *canon) text(s string) {
	c.buf = append(strconv.AppendQuote(append(c.buf, ' '), s), ' ')
}

func (c *canon) message(m protoreflect.Message) {
	switch v := m.Interface().(type) {
	case *pg.Node:
		if f := m.WhichOneof(m.Descriptor().Oneofs().Get(0)); f != nil {
			c.message(m.Get(f).Message())
		}
	case *pg.A_Const, *pg.ParamRef, *pg.Integer, *pg.Float, *pg.BitString, *pg.Boolean:
		c.constant()
	case *pg.String:
		if c.option > 0 {
			c.constant()
		} else {
			c.text(v.Sval)
		}
	case *pg.RangeVar:
		c.rangeVar(v)
	case *pg.ColumnRef:
		c.columnRef(v)
	case *pg.A_Expr, *pg.BoolExpr, *pg.DefElem, *pg.SortBy, *pg.LockingClause, *pg.TypeCast:
		c.special(m)
	case *pg.SelectStmt, *pg.InsertStmt, *pg.UpdateStmt, *pg.DeleteStmt, *pg.MergeStmt:
		c.scopes = append(c.scopes, c.scopeOf(m.Interface()))
		outs := c.outs
		c.outs = nil
		c.fields(m)
		c.scopes, c.outs = c.scopes[:len(c.scopes)-1], outs
	default:
		c.fields(m)
	}
}

// special writes the messages in which something is folded.
func (c *canon) special(m protoreflect.Message) {
	switch v := m.Interface().(type) {
	case *pg.A_Expr:
		c.expression(v, m)
	case *pg.BoolExpr:
		c.buf = append(c.buf, '(', 'B', byte('0'+v.Boolop))
		c.list(v.Args, v.Boolop == pg.BoolExprType_OR_EXPR)
		c.buf = append(c.buf, ')')
	case *pg.DefElem:
		c.option++
		c.fields(m)
		c.option--
	case *pg.TypeCast:
		if isNational(v) {
			c.constant()
		} else {
			c.fields(m)
		}
	case *pg.SortBy:
		dir := v.SortbyDir
		if dir == pg.SortByDir_SORTBY_ASC {
			dir = pg.SortByDir_SORTBY_DEFAULT
		}
		c.buf = append(c.buf, '(', 'S', byte('0'+dir), byte('0'+v.SortbyNulls))
		c.place(v.Node)
		c.list(v.UseOp, false)
		c.buf = append(c.buf, ')')
	case *pg.LockingClause:
		c.buf = append(c.buf, '(', 'L', byte('0'+v.Strength), byte('0'+v.WaitPolicy))
		for _, n := range v.LockedRels {
			c.text(c.resolve(n.GetRangeVar().GetRelname()))
		}
		c.buf = append(c.buf, ')')
	}
}

// expression folds lists, and the sign of a constant.
func (c *canon) expression(v *pg.A_Expr, m protoreflect.Message) {
	switch {
	case v.Kind == pg.A_Expr_Kind_AEXPR_IN:
		c.buf = append(c.buf, '(', 'I')
		c.list(v.Name, false)
		c.node(v.Lexpr)
		c.list(v.Rexpr.GetList().GetItems(), true)
		c.buf = append(c.buf, ')')
	case isNegated(v):
		c.constant()
	default:
		c.fields(m)
	}
}

// isNational says whether v is a constant like N'x', which the grammar takes for
// a cast and the normal form for a constant.
func isNational(v *pg.TypeCast) bool {
	names := v.GetTypeName().GetNames()
	return isConstant(v.Arg) && len(names) == 2 && names[1].GetString_().GetSval() == "bpchar"
}

// isNegated says whether v is a constant with one minus or several before it.
func isNegated(v *pg.A_Expr) bool {
	for v != nil && v.Lexpr == nil && len(v.Name) == 1 && v.Name[0].GetString_().GetSval() == "-" {
		if isConstant(v.Rexpr) {
			return true
		}
		v = v.Rexpr.GetAExpr()
	}
	return false
}

func isConstant(n *pg.Node) bool { return n.GetAConst() != nil || n.GetParamRef() != nil }

func (c *canon) node(n *pg.Node) {
	if n != nil {
		c.message(n.ProtoReflect())
	}
}

// place writes an expression of ORDER BY or GROUP BY, where an integer is a
// column and no constant.
func (c *canon) place(n *pg.Node) {
	if i := n.GetAConst().GetIval(); i != nil {
		c.buf = strconv.AppendInt(append(c.buf, '#'), int64(i.Ival), 10)
		return
	}
	c.node(n)
}

// list writes nodes; distinct ones only if equal ones count once.
func (c *canon) list(nodes []*pg.Node, once bool) {
	c.buf = append(c.buf, '[')
	var seen map[string]bool
	if once && len(nodes) > 1 {
		seen = make(map[string]bool, 1)
	}
	for _, n := range nodes {
		start := len(c.buf)
		c.node(n)
		c.buf = append(c.buf, ',')
		if seen == nil {
			continue
		}
		if item := c.buf[start:]; seen[string(item)] {
			c.buf = c.buf[:start]
		} else {
			seen[string(item)] = true
		}
	}
	c.buf = append(c.buf, ']')
}

// fields writes all fields of m that count.
func (c *canon) fields(m protoreflect.Message) {
	p := planOf(m.Descriptor())
	c.buf = append(append(c.buf, '('), p.name...)
	for _, f := range p.fields {
		if !m.Has(f.desc) {
			continue
		}
		c.buf = strconv.AppendInt(append(c.buf, ' '), int64(f.desc.Number()), 10)
		c.buf = append(c.buf, ':')
		if f.desc.IsList() {
			c.listField(f, m.Get(f.desc).List())
			continue
		}
		c.value(f.desc, m.Get(f.desc))
	}
	c.buf = append(c.buf, ')')
}

func (c *canon) value(f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch f.Kind() {
	case protoreflect.MessageKind:
		c.message(v.Message())
	case protoreflect.StringKind:
		c.text(v.String())
	case protoreflect.EnumKind:
		c.buf = strconv.AppendInt(c.buf, int64(v.Enum()), 10)
	case protoreflect.BoolKind:
		c.buf = strconv.AppendBool(c.buf, v.Bool())
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		c.buf = strconv.AppendInt(c.buf, v.Int(), 10)
	default:
		c.buf = append(c.buf, v.String()...)
	}
}

func (c *canon) listField(f field, l protoreflect.List) {
	nodes := make([]*pg.Node, 0, l.Len())
	for i := range l.Len() {
		if n, ok := l.Get(i).Message().Interface().(*pg.Node); ok {
			nodes = append(nodes, n)
		}
	}
	switch f.action {
	case outputs:
		c.outputs(nodes)
	case sorting:
		c.sorted(nodes)
	default:
		c.list(nodes, f.action == fold1)
	}
}

// outputs writes output columns without their names.
func (c *canon) outputs(nodes []*pg.Node) {
	c.buf = append(c.buf, '[')
	for _, n := range nodes {
		if t := n.GetResTarget(); t != nil {
			c.node(t.Val)
		} else {
			c.node(n)
		}
		c.buf = append(c.buf, ',')
	}
	c.buf = append(c.buf, ']')
}

// sorted writes a clause in which a lone name may be an output column.
func (c *canon) sorted(nodes []*pg.Node) {
	c.outs = c.scopes[len(c.scopes)-1].outs
	c.buf = append(c.buf, '[')
	for _, n := range nodes {
		c.place(n)
		c.buf = append(c.buf, ',')
	}
	c.buf = append(c.buf, ']')
	c.outs = nil
}

// rangeVar writes a table: partitions by their parent, CTEs by their place.
func (c *canon) rangeVar(v *pg.RangeVar) {
	c.buf = append(c.buf, 'T')
	if !v.Inh {
		c.buf = append(c.buf, '!')
	}
	c.text(c.relation(v))
}

// columnRef writes a column with its table's name in place of the alias, and
// without it where no other table is near.
func (c *canon) columnRef(v *pg.ColumnRef) {
	fields := v.Fields
	c.buf = append(c.buf, 'C')
	first := strings.ToLower(fields[0].GetString_().GetSval())
	switch {
	case len(fields) == 1 && c.outs[first] > 0:
		c.buf = strconv.AppendInt(append(c.buf, '@'), int64(c.outs[first]), 10)
		return
	case len(fields) == 2 && c.lone(first):
		fields = fields[1:]
	case len(fields) == 1 && c.isAlias(first), len(fields) == 2 && first != "":
		c.text(c.resolve(first))
		fields = fields[1:]
	case len(fields) == 3:
		c.text(c.names.canonical(first, strings.ToLower(fields[1].GetString_().GetSval())))
		fields = fields[2:]
	}
	c.list(fields, false)
}
