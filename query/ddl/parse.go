package ddl

import (
	"fmt"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
	"github.com/pgvigil/pgvigil/query/internal/fence"
	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// Parse reads the statements of a script in order. A statement that the grammar
// does not take is Unparsed and carries a warning; an error means that the
// script ends inside of a quote or comment, and comes with the statements
// before it. Commands of psql are left out.
func Parse(script string) ([]Statement, error) {
	parts, err := query.Split(script)
	statements := make([]Statement, 0, len(parts))
	for _, p := range parts {
		if p.Note == "" {
			statements = append(statements, parse(p))
		}
	}
	if err != nil {
		return statements, fmt.Errorf("parse migration: %w", err)
	}
	return statements, nil
}

func parse(p query.Part) Statement {
	s := Statement{Line: p.Line, Offset: p.Offset, End: p.End, Comments: p.Comments}
	tokens := lex.Scan(p.Text).Tokens
	s.Verb = verb(p.Text, tokens)
	tree, err := fence.Parse(p.Text, tokens)
	if err != nil || len(tree.GetStmts()) != 1 {
		return unparsed(s, query.Describe(p.Text, query.Options{}))
	}
	shape, err := query.Analyze(p.Text, query.Options{})
	if err != nil {
		return unparsed(s, query.Describe(p.Text, query.Options{}))
	}
	s.Text = shape.Text
	s.read(tree.GetStmts()[0].GetStmt(), shape)
	return s
}

func unparsed(s Statement, q pgvigil.Query) Statement {
	s.Kind, s.Text = Unparsed, q.Text
	for _, name := range q.Tables {
		schema, bare, ok := strings.Cut(name, ".")
		if !ok {
			schema, bare = "", name
		}
		s.Relations = append(s.Relations, Relation{Schema: schema, Name: bare, Use: Reads})
	}
	s.Warnings = []pgvigil.Warning{{
		Code: "statement-not-parsed",
		Text: "the statement does not follow PostgreSQL 16's grammar, or is too long or too deep for the parser",
	}}
	return s
}

// verb returns the words that name a statement.
func verb(text string, tokens []lex.Token) string {
	var words []string
	for _, t := range tokens {
		name := t.Name(text)
		if t.Kind != lex.Word || len(words) > 0 && !second[name] {
			break
		}
		words = append(words, name)
	}
	return strings.Join(words, " ")
}

// second are the words that belong to the name of a statement behind its first.
var second = func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(`table index view materialized sequence function procedure trigger type domain schema
		extension unique concurrently temporary temp unlogged or replace foreign server user mapping role database policy
		publication subscription rule aggregate operator class family collation conversion language event statistics
		tablespace text search configuration dictionary access method system default privileges group routine cast
		transform prepared transaction work to savepoint`) {
		set[w] = true
	}
	return set
}()

// read fills in what the parse tree says.
func (s *Statement) read(n *pg.Node, shape query.Shape) {
	switch {
	case s.readTable(n), s.readObject(n), s.readMaintenance(n), s.readSession(n):
	case s.readData(n):
		s.dataRelations(shape)
	default:
		s.Kind = Other
		s.dataRelations(shape)
	}
}

// readTable reads what makes or changes tables and indexes.
func (s *Statement) readTable(n *pg.Node) bool {
	switch {
	case n.GetCreateStmt() != nil:
		s.createTable(n.GetCreateStmt())
	case n.GetIndexStmt() != nil:
		s.createIndex(n.GetIndexStmt())
	case n.GetAlterTableStmt() != nil:
		s.alterTable(n.GetAlterTableStmt())
	case n.GetDropStmt() != nil:
		s.drop(n.GetDropStmt())
	case n.GetRenameStmt() != nil:
		s.rename(n.GetRenameStmt())
	case n.GetAlterObjectSchemaStmt() != nil:
		a := n.GetAlterObjectSchemaStmt()
		s.Kind, s.Object, s.NewName, s.IfExists = SetSchema, object(a.ObjectType), a.Newschema, a.MissingOk
		s.relate(a.Relation, Target)
	case n.GetTruncateStmt() != nil:
		t := n.GetTruncateStmt()
		s.Kind, s.Cascade = Truncate, cascades(t.Behavior)
		s.relateAll(t.Relations, Target)
	default:
		return false
	}
	return true
}

// readData reads SELECT and what writes rows.
func (s *Statement) readData(n *pg.Node) bool {
	switch {
	case n.GetSelectStmt() != nil:
		s.Kind = Select
		if n.GetSelectStmt().IntoClause != nil {
			s.Kind = CreateTableAs
		}
	case n.GetInsertStmt() != nil:
		s.Kind = Insert
	case n.GetUpdateStmt() != nil:
		s.Kind, s.Where = Update, n.GetUpdateStmt().WhereClause != nil
	case n.GetDeleteStmt() != nil:
		s.Kind, s.Where = Delete, n.GetDeleteStmt().WhereClause != nil
	case n.GetMergeStmt() != nil:
		s.Kind = Merge
	case n.GetCallStmt() != nil:
		s.Kind = Call
	case n.GetCreateTableAsStmt() != nil:
		c := n.GetCreateTableAsStmt()
		s.Kind, s.Object, s.IfNotExists = CreateTableAs, object(c.Objtype), c.IfNotExists
		s.NoData = c.GetInto().GetSkipData()
		s.persistence(c.GetInto().GetRel())
		s.relate(c.GetInto().GetRel(), Creates)
	case n.GetViewStmt() != nil:
		s.Kind, s.Replace = CreateView, n.GetViewStmt().Replace
		s.relate(n.GetViewStmt().View, Creates)
	case n.GetCopyStmt() != nil:
		c := n.GetCopyStmt()
		s.Kind = Copy
		if c.IsFrom {
			s.relate(c.Relation, Target)
		}
	default:
		return false
	}
	return true
}

// dataRelations adds the tables that the statement reads or writes.
func (s *Statement) dataRelations(shape query.Shape) {
	for _, b := range shape.Blocks {
		for _, t := range b.Tables {
			if t.Derived {
				continue
			}
			r := Relation{Name: t.Name, Use: Reads}
			if schema, name, ok := strings.Cut(t.Name, "."); ok {
				r.Schema, r.Name = schema, name
			}
			if t.Target {
				r.Use = Target
			}
			s.add(r)
		}
	}
}

// add appends a relation unless it is there, whatever its use.
func (s *Statement) add(r Relation) {
	for _, have := range s.Relations {
		if have.Schema == r.Schema && have.Name == r.Name && (have.Use == r.Use || r.Use == Reads) {
			return
		}
	}
	s.Relations = append(s.Relations, r)
}

func (s *Statement) relate(v *pg.RangeVar, use Use) {
	if v != nil {
		s.add(relation(v, use))
	}
}

func (s *Statement) relateAll(nodes []*pg.Node, use Use) {
	for _, n := range nodes {
		s.relate(n.GetRangeVar(), use)
	}
}

func relation(v *pg.RangeVar, use Use) Relation {
	return Relation{Schema: v.GetSchemaname(), Name: v.GetRelname(), Use: use}
}

func (s *Statement) persistence(v *pg.RangeVar) {
	s.Temporary, s.Unlogged = v.GetRelpersistence() == "t", v.GetRelpersistence() == "u"
}

func cascades(b pg.DropBehavior) bool { return b == pg.DropBehavior_DROP_CASCADE }

// object names a kind of object: OBJECT_MATVIEW is "materialized view".
func object(t pg.ObjectType) string {
	switch t {
	case pg.ObjectType_OBJECT_MATVIEW:
		return "materialized view"
	case pg.ObjectType_OBJECT_TABCONSTRAINT:
		return "constraint"
	}
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(t.String(), "OBJECT_"), "_", " "))
}

// names returns the strings of a list.
func names(nodes []*pg.Node) []string {
	out := make([]string, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, n.GetString_().GetSval())
	}
	return out
}
