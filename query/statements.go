package query

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

func (a *analyzer) selectStmt(s *pg.SelectStmt, l *level) {
	a.with(s.WithClause, l)
	if s.Larg != nil {
		a.block(l).SetOperation = setOperations[s.Op]
		a.selectStmt(s.Larg, a.open("select", RoleArm, "", l))
		a.selectStmt(s.Rarg, a.open("select", RoleArm, "", l))
		a.sortAndLimit(s, l)
		return
	}
	a.from(s.FromClause, l)
	a.targets(s.TargetList, l)
	a.where(s.WhereClause, l)
	for _, n := range s.GroupClause {
		if c, ok := a.groupColumn(n, s, l); ok {
			a.block(l).GroupBy = append(a.block(l).GroupBy, c)
		}
	}
	a.where(s.HavingClause, l)
	a.distinct(s.DistinctClause, l)
	for _, row := range s.ValuesLists {
		a.expr(row, l)
	}
	a.sortAndLimit(s, l)
}

var setOperations = map[pg.SetOperation]string{
	pg.SetOperation_SETOP_UNION: "union", pg.SetOperation_SETOP_INTERSECT: "intersect", pg.SetOperation_SETOP_EXCEPT: "except",
}

func (a *analyzer) with(w *pg.WithClause, l *level) {
	ctes := w.GetCtes()
	for _, n := range ctes {
		if w.Recursive {
			l.ctes[strings.ToLower(n.GetCommonTableExpr().GetCtename())] = true
		}
	}
	for _, n := range ctes {
		c := n.GetCommonTableExpr()
		name := strings.ToLower(c.GetCtename())
		a.statement(c.GetCtequery(), RoleCTE, name, l)
		l.ctes[name] = true
	}
}

// from declares the relations of FROM and reads the conditions of joins once
// all are known.
func (a *analyzer) from(nodes []*pg.Node, l *level) {
	var joins []*pg.JoinExpr
	for _, n := range nodes {
		joins = append(joins, a.fromItem(n, l, false)...)
	}
	for _, j := range joins {
		a.where(j.Quals, l)
	}
}

func (a *analyzer) fromItem(n *pg.Node, l *level, nullable bool) []*pg.JoinExpr {
	before := len(a.block(l).Tables)
	var joins []*pg.JoinExpr
	switch {
	case n.GetRangeVar() != nil:
		a.addTable(l, n.GetRangeVar(), false)
	case n.GetJoinExpr() != nil:
		j := n.GetJoinExpr()
		left := j.Jointype == pg.JoinType_JOIN_RIGHT || j.Jointype == pg.JoinType_JOIN_FULL
		right := j.Jointype == pg.JoinType_JOIN_LEFT || j.Jointype == pg.JoinType_JOIN_FULL
		joins = append(joins, a.fromItem(j.Larg, l, left)...)
		middle := len(a.block(l).Tables)
		joins = append(joins, a.fromItem(j.Rarg, l, right)...)
		a.using(j, l, before, middle)
		joins = append(joins, j)
	case n.GetRangeSubselect() != nil:
		sub := n.GetRangeSubselect()
		name := strings.ToLower(sub.GetAlias().GetAliasname())
		a.statement(sub.Subquery, RoleFrom, name, l)
		a.declare(l, TableUse{Name: name, Alias: name, Derived: true}, name)
	case n.GetRangeFunction() != nil:
		f := n.GetRangeFunction()
		name := strings.ToLower(f.GetAlias().GetAliasname())
		for _, fn := range f.Functions {
			a.expr(fn, l)
		}
		a.declare(l, TableUse{Name: name, Alias: name, Derived: true}, name)
	case n.GetRangeTableSample() != nil:
		joins = a.fromItem(n.GetRangeTableSample().Relation, l, nullable)
	}
	if nullable {
		for i := before; i < len(a.block(l).Tables); i++ {
			a.table(l, i).Nullable = true
		}
	}
	return joins
}

// using notes the columns of JOIN ... USING on the last table of the left side
// and the first of the right one.
func (a *analyzer) using(j *pg.JoinExpr, l *level, left, right int) {
	if right >= len(a.block(l).Tables) || left >= right {
		return
	}
	for _, n := range j.UsingClause {
		name := strings.ToLower(n.GetString_().GetSval())
		r, q := ref{l, right - 1, name}, ref{l, right, name}
		a.join(r, q, "=", place{})
	}
}

func (a *analyzer) distinct(nodes []*pg.Node, l *level) {
	for _, n := range nodes {
		if n == nil || n.Node == nil {
			a.block(l).Distinct = true
			continue
		}
		if c, ok := a.plainColumn(n, l); ok {
			a.block(l).DistinctOn = append(a.block(l).DistinctOn, c)
		} else {
			a.expr(n, l)
		}
	}
}

// targets reads a select list or RETURNING.
func (a *analyzer) targets(list []*pg.Node, l *level) {
	for _, n := range list {
		val := n.GetResTarget().GetVal()
		if c, ok := a.plainColumn(val, l); ok {
			a.block(l).Select = append(a.block(l).Select, c)
			continue
		}
		if a.star(val.GetColumnRef(), l) {
			a.block(l).Star = true
			continue
		}
		a.block(l).Expressions = true
		a.expr(val, l)
	}
	if len(list) == 1 {
		f := list[0].GetResTarget().GetVal().GetFuncCall()
		a.block(l).Count = f != nil && dotted(f.Funcname) == "count" && f.Over == nil
	}
}

// star notes whose columns a star wants; false if c is none.
func (a *analyzer) star(c *pg.ColumnRef, l *level) bool {
	fields := c.GetFields()
	if len(fields) == 0 || fields[len(fields)-1].GetAStar() == nil {
		return false
	}
	only, named := -1, len(fields) > 1
	if named {
		i, ok := l.rels[strings.ToLower(fields[len(fields)-2].GetString_().GetSval())]
		if !ok {
			return true
		}
		only = i
	}
	for i := range a.block(l).Tables {
		if !named || i == only {
			a.table(l, i).Star = true
		}
	}
	return true
}

// plainColumn resolves n if it is no more than a column.
func (a *analyzer) plainColumn(n *pg.Node, l *level) (Column, bool) {
	r, ok := a.find(n.GetColumnRef(), l)
	if !ok {
		return Column{}, false
	}
	return a.column(r), true
}

// groupColumn resolves one item of GROUP BY, a place in the select list too.
func (a *analyzer) groupColumn(n *pg.Node, s *pg.SelectStmt, l *level) (Column, bool) {
	if target := output(n, s); target != nil {
		n = target
	}
	c, ok := a.plainColumn(n, l)
	if !ok {
		a.expr(n, l)
	}
	return c, ok
}

// output returns the expression of the select list that n means, by place or
// by name, or nil.
func output(n *pg.Node, s *pg.SelectStmt) *pg.Node {
	if i := n.GetAConst().GetIval(); i != nil {
		if k := int(i.Ival); k >= 1 && k <= len(s.TargetList) {
			return s.TargetList[k-1].GetResTarget().GetVal()
		}
		return nil
	}
	fields := n.GetColumnRef().GetFields()
	if len(fields) != 1 {
		return nil
	}
	for _, t := range s.TargetList {
		if name := t.GetResTarget().GetName(); name != "" && name == fields[0].GetString_().GetSval() {
			return t.GetResTarget().GetVal()
		}
	}
	return nil
}

func (a *analyzer) sortAndLimit(s *pg.SelectStmt, l *level) {
	for _, n := range s.SortClause {
		by := n.GetSortBy()
		if c, ok := a.groupColumn(by.GetNode(), s, l); ok {
			a.block(l).OrderBy = append(a.block(l).OrderBy, orderColumn(c, by))
		} else {
			a.block(l).OrderByExpression = true
		}
	}
	if b := a.block(l); b.OrderByExpression {
		b.OrderBy = nil
	}
	limit, offset := a.limit(s.LimitCount, l), a.limit(s.LimitOffset, l)
	a.block(l).Limit, a.block(l).Offset = limit, offset
	for _, n := range s.LockingClause {
		a.block(l).Locking = append(a.block(l).Locking, locking(n.GetLockingClause()))
	}
}

func (a *analyzer) limit(n *pg.Node, l *level) Limit {
	if n == nil || n.GetAConst().GetIsnull() {
		return Limit{}
	}
	if i := n.GetAConst().GetIval(); i != nil {
		return Limit{Present: true, Constant: true, Value: int64(i.Ival)}
	}
	a.expr(n, l)
	return Limit{Present: true}
}

func locking(c *pg.LockingClause) Locking {
	strength := map[pg.LockClauseStrength]string{
		pg.LockClauseStrength_LCS_FORKEYSHARE: "key share", pg.LockClauseStrength_LCS_FORSHARE: "share",
		pg.LockClauseStrength_LCS_FORNOKEYUPDATE: "no key update", pg.LockClauseStrength_LCS_FORUPDATE: "update",
	}
	wait := map[pg.LockWaitPolicy]string{
		pg.LockWaitPolicy_LockWaitSkip: "skip locked", pg.LockWaitPolicy_LockWaitError: "nowait",
	}
	return Locking{Strength: strength[c.GetStrength()], Wait: wait[c.GetWaitPolicy()]}
}
