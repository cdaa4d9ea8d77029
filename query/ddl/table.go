package ddl

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func (s *Statement) createTable(c *pg.CreateStmt) {
	s.Kind, s.IfNotExists = CreateTable, c.IfNotExists
	s.persistence(c.Relation)
	s.relate(c.Relation, Creates)
	s.relateAll(c.InhRelations, Parent)
	for _, n := range c.TableElts {
		switch {
		case n.GetColumnDef() != nil:
			s.column(n.GetColumnDef())
		case n.GetConstraint() != nil:
			s.constraint(n.GetConstraint(), "")
		case n.GetTableLikeClause() != nil:
			s.relate(n.GetTableLikeClause().Relation, Parent)
		}
	}
	s.Partition = partition(c)
}

func partition(c *pg.CreateStmt) *Partition {
	p := Partition{}
	if spec := c.Partspec; spec != nil {
		p.By = strings.ToLower(strings.TrimPrefix(spec.Strategy.String(), "PARTITION_STRATEGY_"))
		for _, n := range spec.PartParams {
			p.Columns = append(p.Columns, n.GetPartitionElem().GetName())
		}
	}
	if c.Partbound != nil && len(c.InhRelations) > 0 {
		parent := relation(c.InhRelations[0].GetRangeVar(), Parent)
		p.Of, p.Default = &parent, c.Partbound.IsDefault
	}
	if p.By == "" && p.Of == nil {
		return nil
	}
	return &p
}

// column adds a column and its own constraints.
func (s *Statement) column(c *pg.ColumnDef) {
	s.Columns = append(s.Columns, column(c))
	for _, n := range c.Constraints {
		s.constraint(n.GetConstraint(), c.Colname)
	}
}

// constraint adds a constraint, unless it says what Column says already.
func (s *Statement) constraint(c *pg.Constraint, column string) {
	k := constraint(c, column)
	if k == nil {
		return
	}
	s.Constraints = append(s.Constraints, *k)
	if k.References != nil {
		s.add(*k.References)
	}
}

func column(c *pg.ColumnDef) Column {
	out := Column{Name: c.Colname, Type: typeName(c.TypeName), NotNull: c.IsNotNull}
	for _, n := range c.Constraints {
		k := n.GetConstraint()
		switch k.GetContype() {
		case pg.ConstrType_CONSTR_NOTNULL, pg.ConstrType_CONSTR_PRIMARY:
			out.NotNull = true
		case pg.ConstrType_CONSTR_DEFAULT:
			out.Default = defaultOf(k.RawExpr)
		case pg.ConstrType_CONSTR_IDENTITY:
			out.Identity = true
		case pg.ConstrType_CONSTR_GENERATED:
			out.Generated = true
		}
	}
	return out
}

var constraintKinds = map[pg.ConstrType]ConstraintKind{
	pg.ConstrType_CONSTR_PRIMARY: PrimaryKey, pg.ConstrType_CONSTR_UNIQUE: Unique, pg.ConstrType_CONSTR_FOREIGN: ForeignKey,
	pg.ConstrType_CONSTR_CHECK: Check, pg.ConstrType_CONSTR_EXCLUSION: Exclusion, pg.ConstrType_CONSTR_NOTNULL: NotNull,
}

// constraint returns what c declares, for the column that it stands at, if any;
// nil for defaults, identities and attributes.
func constraint(c *pg.Constraint, column string) *Constraint {
	kind := constraintKinds[c.GetContype()]
	if kind == "" {
		return nil
	}
	out := Constraint{Kind: kind, Name: c.Conname, Columns: names(c.Keys), NotValid: c.SkipValidation, UsingIndex: c.Indexname}
	if kind == ForeignKey {
		r := relation(c.Pktable, References)
		out.Columns, out.References = names(c.FkAttrs), &r
	}
	if len(out.Columns) == 0 && column != "" {
		out.Columns = []string{column}
	}
	if t := c.RawExpr.GetNullTest(); kind == Check && t.GetNulltesttype() == pg.NullTestType_IS_NOT_NULL {
		fields := t.GetArg().GetColumnRef().GetFields()
		if len(fields) > 0 {
			out.NotNullOf = fields[len(fields)-1].GetString_().GetSval()
		}
	}
	return &out
}

func defaultOf(n *pg.Node) *Default {
	value := n
	for value.GetTypeCast() != nil {
		value = value.GetTypeCast().Arg
	}
	d := Default{Constant: value.GetAConst() != nil}
	functions(n.ProtoReflect(), &d.Functions)
	return &d
}

// functions collects the names of the functions called in a tree.
func functions(m protoreflect.Message, out *[]string) {
	switch v := m.Interface().(type) {
	case *pg.FuncCall:
		parts := names(v.Funcname)
		*out = append(*out, strings.ToLower(parts[len(parts)-1]))
	case *pg.SQLValueFunction:
		*out = append(*out, strings.ToLower(strings.TrimPrefix(v.Op.String(), "SVFOP_")))
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() != protoreflect.MessageKind:
		case f.IsList():
			for i := range v.List().Len() {
				functions(v.List().Get(i).Message(), out)
			}
		default:
			functions(v.Message(), out)
		}
		return true
	})
}

// typeName writes a type with its modifiers.
func typeName(t *pg.TypeName) string {
	parts := names(t.GetNames())
	if len(parts) > 1 && parts[0] == "pg_catalog" {
		parts = parts[1:]
	}
	name := strings.Join(parts, ".")
	var mods []string
	for _, n := range t.GetTypmods() {
		if i := n.GetAConst().GetIval(); i != nil {
			mods = append(mods, strconv.Itoa(int(i.Ival)))
		}
	}
	if len(mods) > 0 {
		name += "(" + strings.Join(mods, ",") + ")"
	}
	return name + strings.Repeat("[]", len(t.GetArrayBounds()))
}

func (s *Statement) createIndex(i *pg.IndexStmt) {
	s.Kind, s.Concurrently, s.IfNotExists = CreateIndex, i.Concurrent, i.IfNotExists
	s.relate(i.Relation, Target)
	s.Index = &Index{Name: i.Idxname, Unique: i.Unique, Method: i.AccessMethod, Partial: i.WhereClause != nil}
	for _, n := range i.IndexParams {
		e := n.GetIndexElem()
		s.Index.Columns = append(s.Index.Columns, e.GetName())
		s.Index.Expressions = s.Index.Expressions || e.GetExpr() != nil
	}
	for _, n := range i.IndexIncludingParams {
		s.Index.Include = append(s.Index.Include, n.GetIndexElem().GetName())
	}
}
