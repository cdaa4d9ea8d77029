package query

import (
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// action says how a field of the tree takes part in the canonical form.
type action uint8

const (
	plain   action = iota // as it is
	fold1                 // a list in which equal items count once
	outputs               // a list of output columns, whose names do not matter
	sorting               // a list that may name output columns
)

// field is one field of a message in the canonical form.
type field struct {
	desc   protoreflect.FieldDescriptor
	action action
}

// plan is what the walkers need of one kind of message, in order of field number.
type plan struct {
	name     string
	fields   []field                        // those that count, scalars included
	children []protoreflect.FieldDescriptor // all that hold messages
}

// unimportant are fields that vary between members of a family, or that hold
// constants: names of what lives as long as a session, and texts.
var unimportant = wordSet(`
	TransactionStmt.savepoint_name TransactionStmt.gid
	DeclareCursorStmt.portalname FetchStmt.portalname FetchStmt.how_many ClosePortalStmt.portalname
	PrepareStmt.name ExecuteStmt.name DeallocateStmt.name
	VariableSetStmt.args CommentStmt.comment NotifyStmt.payload SecLabelStmt.label
	CopyStmt.filename LoadStmt.filename CreateSubscriptionStmt.conninfo AlterSubscriptionStmt.conninfo
	AlterEnumStmt.old_val AlterEnumStmt.new_val AlterEnumStmt.new_val_neighbor CreateEnumStmt.vals
	CreateTrigStmt.args CreateForeignServerStmt.servertype CreateForeignServerStmt.version
	AlterForeignServerStmt.version TypeName.typmods TypeName.typemod TypeName.array_bounds
	SQLValueFunction.typmod PartitionBoundSpec.modulus PartitionBoundSpec.remainder AlterTableCmd.num
	CommonTableExpr.ctename JoinExpr.rtindex IndexStmt.if_not_exists CreateTableAsStmt.if_not_exists`)

var actions = map[string]action{
	"SelectStmt.target_list":     outputs,
	"InsertStmt.returning_list":  outputs,
	"UpdateStmt.returning_list":  outputs,
	"DeleteStmt.returning_list":  outputs,
	"SelectStmt.sort_clause":     sorting,
	"SelectStmt.group_clause":    sorting,
	"SelectStmt.distinct_clause": sorting,
	"SelectStmt.values_lists":    fold1,
	"A_ArrayExpr.elements":       fold1,
}

var plans sync.Map // of plan pointers by protoreflect.FullName

// planOf returns the plan of a kind of message, made once.
func planOf(d protoreflect.MessageDescriptor) *plan {
	if p, ok := plans.Load(d.FullName()); ok {
		return p.(*plan)
	}
	p := &plan{name: string(d.Name())}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if f.Kind() == protoreflect.MessageKind {
			p.children = append(p.children, f)
		}
		name := p.name + "." + string(f.Name())
		if !unimportant[name] && !isLocation(f) && !isAlias(f) {
			p.fields = append(p.fields, field{f, actions[name]})
		}
	}
	plans.Store(d.FullName(), p)
	return p
}

func isLocation(f protoreflect.FieldDescriptor) bool {
	name := string(f.Name())
	return strings.HasSuffix(name, "location") || name == "stmt_len"
}

func isAlias(f protoreflect.FieldDescriptor) bool {
	return f.Kind() == protoreflect.MessageKind && f.Message().Name() == "Alias"
}

// wordSet returns the words of s as a set.
func wordSet(s string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		set[w] = true
	}
	return set
}
