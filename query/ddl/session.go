package ddl

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

// readObject reads what makes or changes other things than tables.
func (s *Statement) readObject(n *pg.Node) bool {
	switch {
	case n.GetCreateFunctionStmt() != nil:
		s.Kind, s.Replace = CreateFunction, n.GetCreateFunctionStmt().Replace
	case n.GetCreateTrigStmt() != nil:
		t := n.GetCreateTrigStmt()
		s.Kind, s.Replace = CreateTrigger, t.Replace
		s.relate(t.Relation, Target)
	case n.GetCreateSeqStmt() != nil:
		s.Kind, s.IfNotExists = CreateSequence, n.GetCreateSeqStmt().IfNotExists
		s.relate(n.GetCreateSeqStmt().Sequence, Creates)
	case n.GetCreateEnumStmt() != nil, n.GetCompositeTypeStmt() != nil, n.GetCreateRangeStmt() != nil, n.GetCreateDomainStmt() != nil:
		s.Kind = CreateType
	case n.GetAlterEnumStmt() != nil, n.GetAlterTypeStmt() != nil, n.GetAlterDomainStmt() != nil:
		s.Kind = AlterType
	case n.GetCreateSchemaStmt() != nil:
		s.Kind, s.IfNotExists = CreateSchema, n.GetCreateSchemaStmt().IfNotExists
	case n.GetCreateExtensionStmt() != nil:
		s.Kind, s.IfNotExists = CreateExt, n.GetCreateExtensionStmt().IfNotExists
	case n.GetCommentStmt() != nil:
		c := n.GetCommentStmt()
		s.Kind, s.Object = Comment, object(c.Objtype)
		if parts := names(c.GetObject().GetList().GetItems()); relationObjects[c.Objtype] && len(parts) > 0 {
			s.add(named(parts))
		}
	case n.GetGrantStmt() != nil:
		g := n.GetGrantStmt()
		s.Kind, s.Object, s.Cascade = Grant, object(g.Objtype), cascades(g.Behavior)
		s.relateAll(g.Objects, Target)
	default:
		return false
	}
	return true
}

// readMaintenance reads what tidies up and locks.
func (s *Statement) readMaintenance(n *pg.Node) bool {
	switch {
	case n.GetVacuumStmt() != nil:
		v := n.GetVacuumStmt()
		s.Kind = Analyze
		if v.IsVacuumcmd {
			s.Kind, s.Full = Vacuum, option(v.Options, "full")
		}
		for _, r := range v.Rels {
			s.relate(r.GetVacuumRelation().GetRelation(), Target)
		}
	case n.GetClusterStmt() != nil:
		s.Kind = Cluster
		s.relate(n.GetClusterStmt().Relation, Target)
	case n.GetReindexStmt() != nil:
		r := n.GetReindexStmt()
		s.Kind, s.Concurrently = Reindex, option(r.Params, "concurrently")
		s.Object = strings.ToLower(strings.TrimPrefix(r.Kind.String(), "REINDEX_OBJECT_"))
		s.relate(r.Relation, Target)
	case n.GetRefreshMatViewStmt() != nil:
		r := n.GetRefreshMatViewStmt()
		s.Kind, s.Concurrently, s.NoData = Refresh, r.Concurrent, r.SkipData
		s.relate(r.Relation, Target)
	case n.GetLockStmt() != nil:
		l := n.GetLockStmt()
		s.Kind, s.NoWait = Lock, l.Nowait
		if l.Mode > 0 && int(l.Mode) < len(lockModes) {
			s.Mode = lockModes[l.Mode]
		}
		s.relateAll(l.Relations, Target)
	default:
		return false
	}
	return true
}

// lockModes by their number. Source: PostgreSQL, lockdefs.h.
var lockModes = []string{
	"", "access share", "row share", "row exclusive", "share update exclusive",
	"share", "share row exclusive", "exclusive", "access exclusive",
}

// option says whether an option is there and not switched off.
func option(options []*pg.Node, name string) bool {
	for _, n := range options {
		d := n.GetDefElem()
		if d.GetDefname() != name {
			continue
		}
		switch strings.ToLower(scalar(d.GetArg())) {
		case "false", "off", "0":
			return false
		}
		return true
	}
	return false
}

// readSession reads transaction control, settings and blocks of code.
func (s *Statement) readSession(n *pg.Node) bool {
	switch {
	case n.GetTransactionStmt() != nil:
		s.Kind = Transaction
	case n.GetDoStmt() != nil:
		s.Kind = Do
	case n.GetVariableSetStmt() != nil:
		s.Kind, s.Setting = Set, setting(n.GetVariableSetStmt())
	default:
		return false
	}
	return true
}

func setting(v *pg.VariableSetStmt) *Setting {
	out := Setting{Name: strings.ToLower(v.Name), Local: v.IsLocal}
	switch v.Kind {
	case pg.VariableSetKind_VAR_RESET, pg.VariableSetKind_VAR_RESET_ALL, pg.VariableSetKind_VAR_SET_DEFAULT:
		out.Reset = true
	}
	if !shown[out.Name] {
		return &out
	}
	values := make([]string, 0, len(v.Args))
	for _, n := range v.Args {
		values = append(values, scalar(n))
	}
	out.Value = strings.Join(values, ", ")
	return &out
}

// shown are the settings whose values a migration's judge needs, none of which
// can hold a secret.
var shown = map[string]bool{
	"lock_timeout": true, "statement_timeout": true, "idle_in_transaction_session_timeout": true,
	"transaction_timeout": true, "search_path": true, "maintenance_work_mem": true, "work_mem": true,
	"max_parallel_maintenance_workers": true, "timezone": true, "client_min_messages": true,
	"default_table_access_method": true, "default_tablespace": true, "check_function_bodies": true,
	"row_security": true, "session_replication_role": true,
}

// scalar returns a constant as text.
func scalar(n *pg.Node) string {
	switch {
	case n.GetString_() != nil:
		return n.GetString_().Sval
	case n.GetInteger() != nil:
		return strconv.Itoa(int(n.GetInteger().Ival))
	case n.GetBoolean() != nil:
		return strconv.FormatBool(n.GetBoolean().Boolval)
	}
	switch v := n.GetAConst().GetVal().(type) {
	case *pg.A_Const_Sval:
		return v.Sval.GetSval()
	case *pg.A_Const_Ival:
		return strconv.Itoa(int(v.Ival.GetIval()))
	case *pg.A_Const_Fval:
		return v.Fval.GetFval()
	case *pg.A_Const_Boolval:
		return strconv.FormatBool(v.Boolval.GetBoolval())
	}
	return ""
}
