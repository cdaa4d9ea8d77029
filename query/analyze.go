package query

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query/internal/fence"
)

// Analyze returns what a text asks of its tables. It returns an error when the
// text does not parse or is too long or too deep for the parser; it never
// panics. Statements that hold a query (EXPLAIN, PREPARE, DECLARE, COPY,
// CREATE TABLE AS, CREATE VIEW) are analyzed as that query.
func Analyze(text string, o Options) (Shape, error) {
	t, _ := readText(text)
	tree, err := fence.Parse(t.src, t.tokens)
	if err != nil {
		return Shape{Verb: verbOf(t)}, fmt.Errorf("analyze query: %w", err)
	}
	shape := analyze(tree, t.short, o)
	shape.Verb = verbOf(t)
	shape.Text, _ = truncate(normal(t, masksOf(tree), o.maxText()), o.maxText())
	return shape, nil
}

// analyze reads a tree; short says that lists in it are not whole.
func analyze(tree *pg.ParseResult, short bool, o Options) Shape {
	a := &analyzer{short: short, options: o, names: partitionNames(o.Partitions), seen: map[string]bool{}, used: map[use]bool{}}
	a.shape.Statements = len(tree.GetStmts())
	for _, s := range tree.GetStmts() {
		a.statement(s.GetStmt(), RoleMain, "", nil)
	}
	return a.shape
}

// analyzer builds a Shape.
type analyzer struct {
	short   bool
	options Options
	names   partitions
	shape   Shape
	seen    map[string]bool // functions
	used    map[use]bool    // columns
	groups  int             // ORs so far
}

// use is a column of one table of one block.
type use struct {
	block, table int
	column       string
}

// level is one block while it is being read.
type level struct {
	index int // in shape.Blocks
	outer *level
	rels  map[string]int // a name in FROM -> index in Tables
	ctes  map[string]bool
}

func (a *analyzer) block(l *level) *Block { return &a.shape.Blocks[l.index] }

func (a *analyzer) table(l *level, i int) *TableUse { return &a.shape.Blocks[l.index].Tables[i] }

// open starts a block inside of outer, which may be nil.
func (a *analyzer) open(verb string, role BlockRole, name string, outer *level) *level {
	b := Block{Verb: verb, Role: role, Name: name, Parent: -1}
	if outer != nil {
		b.Parent = outer.index
	}
	a.shape.Blocks = append(a.shape.Blocks, b)
	return &level{index: len(a.shape.Blocks) - 1, outer: outer, rels: map[string]int{}, ctes: map[string]bool{}}
}

// statement reads a statement or subquery.
func (a *analyzer) statement(n *pg.Node, role BlockRole, name string, outer *level) {
	switch {
	case n.GetSelectStmt() != nil:
		a.selectStmt(n.GetSelectStmt(), a.open("select", role, name, outer))
	case n.GetInsertStmt() != nil:
		a.insertStmt(n.GetInsertStmt(), a.open("insert", role, name, outer))
	case n.GetUpdateStmt() != nil:
		a.updateStmt(n.GetUpdateStmt(), a.open("update", role, name, outer))
	case n.GetDeleteStmt() != nil:
		a.deleteStmt(n.GetDeleteStmt(), a.open("delete", role, name, outer))
	case n.GetMergeStmt() != nil:
		a.mergeStmt(n.GetMergeStmt(), a.open("merge", role, name, outer))
	case n != nil:
		a.utility(n, outer)
	}
}

// utility reads a statement of another kind: the queries in it, and its tables.
func (a *analyzer) utility(n *pg.Node, outer *level) {
	l := a.open("utility", RoleMain, "", outer)
	a.search(n.ProtoReflect(), l)
	if b := a.block(l); len(b.Tables) == 0 && l.index+1 < len(a.shape.Blocks) && a.shape.Blocks[l.index+1].Parent == l.index {
		a.unwrap(l.index)
	}
}

// unwrap removes the block of a statement that is no more than the hull of the
// query behind it.
func (a *analyzer) unwrap(i int) {
	a.shape.Blocks = slices.Delete(a.shape.Blocks, i, i+1)
	for k := i; k < len(a.shape.Blocks); k++ {
		b := &a.shape.Blocks[k]
		switch {
		case b.Parent == i:
			b.Parent, b.Role = -1, RoleMain
		case b.Parent > i:
			b.Parent--
		}
	}
}

// search walks a tree whose nodes have no meaning of their own here.
func (a *analyzer) search(m protoreflect.Message, l *level) {
	switch v := m.Interface().(type) {
	case *pg.Node:
		if isQuery(v) {
			a.statement(v, RoleScalar, "", l)
			return
		}
	case *pg.SelectStmt:
		a.selectStmt(v, a.open("select", RoleScalar, "", l))
		return
	case *pg.RangeVar:
		a.addTable(l, v, false)
		return
	case *pg.FuncCall:
		a.function(v)
	}
	for _, f := range planOf(m.Descriptor()).children {
		if !m.Has(f) {
			continue
		}
		if !f.IsList() {
			a.search(m.Get(f).Message(), l)
			continue
		}
		for list, i := m.Get(f).List(), 0; i < list.Len(); i++ {
			a.search(list.Get(i).Message(), l)
		}
	}
}

func isQuery(n *pg.Node) bool {
	return n.GetSelectStmt() != nil || n.GetInsertStmt() != nil || n.GetUpdateStmt() != nil ||
		n.GetDeleteStmt() != nil || n.GetMergeStmt() != nil
}

func (a *analyzer) function(f *pg.FuncCall) {
	if name := dotted(f.Funcname); !a.seen[name] {
		a.seen[name] = true
		a.shape.Functions = append(a.shape.Functions, name)
	}
}

// dotted joins the parts of a name, in lower case, without pg_catalog.
func dotted(parts []*pg.Node) string {
	names := make([]string, 0, len(parts))
	for i, p := range parts {
		s := strings.ToLower(p.GetString_().GetSval())
		if i > 0 || s != "pg_catalog" {
			names = append(names, s)
		}
	}
	return strings.Join(names, ".")
}

// addTable notes a relation of FROM, or the target of the statement.
func (a *analyzer) addTable(l *level, v *pg.RangeVar, target bool) {
	schema, name := strings.ToLower(v.GetSchemaname()), strings.ToLower(v.GetRelname())
	use := TableUse{Name: name, Alias: strings.ToLower(v.GetAlias().GetAliasname()), Target: target}
	if schema != "" {
		use.Name = schema + "." + name
	}
	use.Parent = a.names.root(schema, name)
	use.Derived = schema == "" && !target && l.isCTE(name)
	a.declare(l, use, name)
}

// declare adds a relation under its alias, or else under its bare name.
func (a *analyzer) declare(l *level, use TableUse, name string) {
	if use.Alias != "" {
		name = use.Alias
	}
	b := a.block(l)
	if name != "" {
		l.rels[name] = len(b.Tables)
	}
	b.Tables = append(b.Tables, use)
}

func (l *level) isCTE(name string) bool {
	for ; l != nil; l = l.outer {
		if l.ctes[name] {
			return true
		}
	}
	return false
}

// ref is a column that was found: its table, in the block of its level.
type ref struct {
	level  *level
	table  int // -1 if unknown
	column string
}

// find resolves a column reference through the aliases of all levels.
func (a *analyzer) find(c *pg.ColumnRef, l *level) (ref, bool) {
	parts := make([]string, 0, 3)
	for _, f := range c.GetFields() {
		if f.GetString_() == nil {
			return ref{}, false
		}
		parts = append(parts, strings.ToLower(f.GetString_().Sval))
	}
	if len(parts) == 0 {
		return ref{}, false
	}
	r := ref{level: l, table: -1, column: parts[len(parts)-1]}
	if len(parts) == 1 {
		r.table = a.owner(l, r.column)
		return r, true
	}
	for at := l; at != nil; at = at.outer {
		if i, ok := at.rels[parts[len(parts)-2]]; ok {
			r.level, r.table = at, i
			break
		}
	}
	return r, true
}

// owner returns which table of the level an unqualified column belongs to: the
// only one, or the only one that is known to have it; else -1.
func (a *analyzer) owner(l *level, column string) int {
	tables := a.block(l).Tables
	if len(tables) == 1 {
		return 0
	}
	found := -1
	for i, t := range tables {
		columns := a.options.Columns[t.Name]
		if columns == nil && t.Parent != "" {
			columns = a.options.Columns[t.Parent]
		}
		if slices.Contains(columns, column) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// column returns what find found, by names, and notes that the block uses it.
func (a *analyzer) column(r ref) Column {
	if r.table < 0 {
		return Column{Column: r.column}
	}
	t := a.table(r.level, r.table)
	if u := (use{r.level.index, r.table, r.column}); !a.used[u] {
		a.used[u] = true
		t.Columns = append(t.Columns, r.column)
	}
	return Column{Table: t.Name, Column: r.column}
}

// orderColumn returns a column of ORDER BY.
func orderColumn(c Column, s *pg.SortBy) pgvigil.OrderColumn {
	o := pgvigil.OrderColumn{Table: c.Table, Column: c.Column, Desc: s.SortbyDir == pg.SortByDir_SORTBY_DESC}
	switch s.SortbyNulls {
	case pg.SortByNulls_SORTBY_NULLS_FIRST:
		o.Nulls = "first"
	case pg.SortByNulls_SORTBY_NULLS_LAST:
		o.Nulls = "last"
	}
	return o
}
