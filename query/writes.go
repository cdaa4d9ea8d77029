package query

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

func (a *analyzer) insertStmt(s *pg.InsertStmt, l *level) {
	a.with(s.WithClause, l)
	a.addTable(l, s.Relation, true)
	for _, n := range s.Cols {
		a.block(l).Insert = append(a.block(l).Insert, strings.ToLower(n.GetResTarget().GetName()))
	}
	if sel := s.SelectStmt.GetSelectStmt(); sel != nil {
		if len(sel.ValuesLists) > 0 && sel.FromClause == nil {
			for _, row := range sel.ValuesLists {
				a.expr(row, l)
			}
		} else {
			a.selectStmt(sel, a.open("select", RoleFrom, "", l))
		}
	}
	if c := s.OnConflictClause; c != nil {
		l.rels["excluded"] = len(a.block(l).Tables)
		a.declare(l, TableUse{Name: "excluded", Derived: true}, "excluded")
		a.set(c.TargetList, l)
		a.where(c.WhereClause, l)
	}
	a.targets(s.ReturningList, l)
}

func (a *analyzer) updateStmt(s *pg.UpdateStmt, l *level) {
	a.with(s.WithClause, l)
	a.addTable(l, s.Relation, true)
	a.from(s.FromClause, l)
	a.set(s.TargetList, l)
	a.where(s.WhereClause, l)
	a.targets(s.ReturningList, l)
}

func (a *analyzer) deleteStmt(s *pg.DeleteStmt, l *level) {
	a.with(s.WithClause, l)
	a.addTable(l, s.Relation, true)
	a.from(s.UsingClause, l)
	a.where(s.WhereClause, l)
	a.targets(s.ReturningList, l)
}

func (a *analyzer) mergeStmt(s *pg.MergeStmt, l *level) {
	a.with(s.WithClause, l)
	a.addTable(l, s.Relation, true)
	a.from([]*pg.Node{s.SourceRelation}, l)
	a.where(s.JoinCondition, l)
	for _, n := range s.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		a.where(w.GetCondition(), l)
		if w.GetCommandType() == pg.CmdType_CMD_UPDATE {
			a.set(w.GetTargetList(), l)
		}
		for _, v := range w.GetValues() {
			a.expr(v, l)
		}
	}
}

// set reads the assignments of an UPDATE.
func (a *analyzer) set(list []*pg.Node, l *level) {
	for _, n := range list {
		t := n.GetResTarget()
		a.block(l).Set = append(a.block(l).Set, strings.ToLower(t.GetName()))
		a.expr(t.GetVal(), l)
	}
}
