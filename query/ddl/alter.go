package ddl

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

func (s *Statement) alterTable(a *pg.AlterTableStmt) {
	s.Kind, s.Object, s.IfExists = AlterTable, object(a.Objtype), a.MissingOk
	s.relate(a.Relation, Target)
	for _, n := range a.Cmds {
		s.command(n.GetAlterTableCmd())
	}
}

var alterActions = map[pg.AlterTableType]Action{
	pg.AlterTableType_AT_AddColumn:               AddColumn,
	pg.AlterTableType_AT_DropColumn:              DropColumn,
	pg.AlterTableType_AT_AlterColumnType:         AlterColumnType,
	pg.AlterTableType_AT_SetNotNull:              SetNotNull,
	pg.AlterTableType_AT_DropNotNull:             DropNotNull,
	pg.AlterTableType_AT_SetStatistics:           SetStatistics,
	pg.AlterTableType_AT_SetStorage:              SetStorage,
	pg.AlterTableType_AT_AddConstraint:           AddConstraint,
	pg.AlterTableType_AT_DropConstraint:          DropConstraint,
	pg.AlterTableType_AT_ValidateConstraint:      ValidateConstraint,
	pg.AlterTableType_AT_AttachPartition:         AttachPartition,
	pg.AlterTableType_AT_DetachPartition:         DetachPartition,
	pg.AlterTableType_AT_DetachPartitionFinalize: "detach partition finalize",
	pg.AlterTableType_AT_SetRelOptions:           SetOptions,
	pg.AlterTableType_AT_ResetRelOptions:         "reset options",
	pg.AlterTableType_AT_SetTableSpace:           SetTablespace,
	pg.AlterTableType_AT_SetLogged:               SetLogged,
	pg.AlterTableType_AT_SetUnLogged:             SetUnlogged,
	pg.AlterTableType_AT_ChangeOwner:             ChangeOwner,
	pg.AlterTableType_AT_ReplicaIdentity:         ReplicaIdentity,
}

func (s *Statement) command(a *pg.AlterTableCmd) {
	c := Command{Action: action(a), Name: a.GetName(), Cascade: cascades(a.GetBehavior())}
	switch def := a.GetDef(); {
	case def.GetColumnDef() != nil:
		col := column(def.GetColumnDef())
		c.Column = &col
		c.Using = c.Action == AlterColumnType && def.GetColumnDef().RawDefault != nil
		if c.Action == AddColumn {
			c.Name, c.IfNotExists = col.Name, a.MissingOk
			s.columnConstraints(def.GetColumnDef())
		}
	case def.GetConstraint() != nil:
		c.Constraint = constraint(def.GetConstraint(), "")
		c.Name = def.GetConstraint().Conname
		if c.Constraint != nil && c.Constraint.References != nil {
			s.add(*c.Constraint.References)
		}
	case def.GetPartitionCmd() != nil:
		p := def.GetPartitionCmd()
		c.Name, c.Concurrently = p.GetName().GetRelname(), p.Concurrent
		s.Concurrently = s.Concurrently || p.Concurrent
		s.relate(p.Name, Child)
	}
	if c.Action != AddColumn {
		c.IfExists = a.GetMissingOk()
	}
	s.Commands = append(s.Commands, c)
}

// columnConstraints adds the constraints that ADD COLUMN brings along.
func (s *Statement) columnConstraints(c *pg.ColumnDef) {
	for _, n := range c.Constraints {
		s.constraint(n.GetConstraint(), c.Colname)
	}
}

func action(a *pg.AlterTableCmd) Action {
	if a.GetSubtype() == pg.AlterTableType_AT_ColumnDefault {
		if a.Def == nil {
			return DropDefault
		}
		return SetDefault
	}
	if name, ok := alterActions[a.GetSubtype()]; ok {
		return name
	}
	return Action(strings.ToLower(strings.TrimPrefix(a.GetSubtype().String(), "AT_")))
}

// relationObjects are the kinds of objects that Relations lists.
var relationObjects = map[pg.ObjectType]bool{
	pg.ObjectType_OBJECT_TABLE: true, pg.ObjectType_OBJECT_INDEX: true, pg.ObjectType_OBJECT_VIEW: true,
	pg.ObjectType_OBJECT_MATVIEW: true, pg.ObjectType_OBJECT_SEQUENCE: true, pg.ObjectType_OBJECT_FOREIGN_TABLE: true,
}

func (s *Statement) drop(d *pg.DropStmt) {
	s.Kind, s.Object = Drop, object(d.RemoveType)
	s.IfExists, s.Concurrently, s.Cascade = d.MissingOk, d.Concurrent, cascades(d.Behavior)
	for _, n := range d.Objects {
		parts := names(n.GetList().GetItems())
		switch {
		case relationObjects[d.RemoveType] && len(parts) > 0:
			s.add(named(parts))
		case d.RemoveType == pg.ObjectType_OBJECT_TRIGGER && len(parts) > 1:
			s.add(named(parts[:len(parts)-1]))
		}
	}
}

// named makes a target of a dotted name.
func named(parts []string) Relation {
	r := Relation{Name: parts[len(parts)-1], Use: Target}
	if len(parts) > 1 {
		r.Schema = parts[len(parts)-2]
	}
	return r
}

func (s *Statement) rename(r *pg.RenameStmt) {
	s.Kind, s.Object, s.NewName, s.IfExists = Rename, object(r.RenameType), r.Newname, r.MissingOk
	s.relate(r.Relation, Target)
	if r.RenameType == pg.ObjectType_OBJECT_COLUMN {
		s.Column = r.Subname
	}
}
