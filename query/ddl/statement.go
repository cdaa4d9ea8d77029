// Package ddl reads the statements of a migration as types of pgvigil's own:
// what each one does, to which relations, and with which of the options that
// decide about its locks. It judges nothing.
package ddl

import "github.com/pgvigil/pgvigil"

// Kind is what a statement does.
type Kind string

// The kinds. What is not among them is Other, with its words in Verb; what the
// grammar of PostgreSQL 16 does not take is Unparsed.
const (
	CreateTable    Kind = "create table"
	CreateTableAs  Kind = "create table as" // also CREATE MATERIALIZED VIEW and SELECT INTO
	CreateIndex    Kind = "create index"
	CreateView     Kind = "create view"
	CreateSequence Kind = "create sequence"
	CreateFunction Kind = "create function" // also a procedure
	CreateTrigger  Kind = "create trigger"
	CreateType     Kind = "create type" // also a domain
	CreateSchema   Kind = "create schema"
	CreateExt      Kind = "create extension"
	AlterTable     Kind = "alter table" // also an index, view or sequence; see Commands
	AlterType      Kind = "alter type"
	Drop           Kind = "drop"
	Rename         Kind = "rename"
	SetSchema      Kind = "set schema"
	Truncate       Kind = "truncate"
	Vacuum         Kind = "vacuum"
	Analyze        Kind = "analyze"
	Cluster        Kind = "cluster"
	Reindex        Kind = "reindex"
	Refresh        Kind = "refresh materialized view"
	Lock           Kind = "lock"
	Comment        Kind = "comment"
	Grant          Kind = "grant" // also REVOKE
	Transaction    Kind = "transaction"
	Set            Kind = "set" // also RESET
	Select         Kind = "select"
	Insert         Kind = "insert"
	Update         Kind = "update"
	Delete         Kind = "delete"
	Merge          Kind = "merge"
	Copy           Kind = "copy"
	Do             Kind = "do"
	Call           Kind = "call"
	Other          Kind = "other"
	Unparsed       Kind = "unparsed"
)

// Statement is one statement of a script.
type Statement struct {
	Kind Kind
	// Verb is the statement's first words in lower case, as many as name it:
	// "alter table", "create unlogged table", "commit".
	Verb string
	// Text is the normal form: no constants, no comments. The script has the
	// statement itself, from Offset to End.
	Text string
	// Line is where the statement begins, from 1.
	Line int
	// Offset and End are byte offsets into the script.
	Offset, End int
	// Comments are those in front of the statement and in it.
	Comments []string
	// Relations are those that the statement names, its targets first.
	Relations []Relation
	// Object is the kind of thing that Drop, Rename, Comment, Grant, Reindex and
	// Set schema are about, in lower case: table, index, column, function ...
	Object string
	// Commands are the subcommands of ALTER TABLE, in order.
	Commands []Command
	// Columns are those that CREATE TABLE declares.
	Columns []Column
	// Constraints are those that CREATE TABLE and ADD COLUMN declare, columns' own
	// included; those of ADD CONSTRAINT are in Commands.
	Constraints []Constraint
	// Index is what CREATE INDEX makes; nil for others.
	Index *Index
	// Partition says how a created table is partitioned, or whose partition it is.
	Partition *Partition
	// Setting is what SET or RESET changes; nil for others.
	Setting *Setting
	// NewName is what Rename or SetSchema gives.
	NewName string
	// Column is the column that Rename renames, if any.
	Column string

	Concurrently bool
	IfExists     bool
	IfNotExists  bool
	Cascade      bool
	Temporary    bool
	Unlogged     bool
	Replace      bool // OR REPLACE
	Full         bool // VACUUM FULL
	NoWait       bool // LOCK ... NOWAIT
	NoData       bool // WITH NO DATA
	// Mode is the lock mode of LOCK in lower case, "access exclusive".
	Mode string
	// Where says that an UPDATE or DELETE has a condition.
	Where bool

	// Warnings say why a statement was not understood.
	Warnings []pgvigil.Warning
}

// Use says what a statement does with a relation.
type Use string

// The uses.
const (
	Target     Use = "target"     // changed, locked or written
	Creates    Use = "creates"    // made by the statement
	References Use = "references" // the other side of a foreign key
	Parent     Use = "parent"     // INHERITS, PARTITION OF, LIKE
	Child      Use = "child"      // attached or detached
	Reads      Use = "reads"
)

// Relation is a relation as the text names it, in lower case unless quoted.
type Relation struct {
	Schema string // "" if the text has none
	Name   string
	Use    Use
}

// String returns the name with its schema, if the text has one.
func (r Relation) String() string {
	if r.Schema == "" {
		return r.Name
	}
	return r.Schema + "." + r.Name
}

// Column is a column that is declared.
type Column struct {
	Name string
	// Type is in lower case with its length: "varchar(20)", "int8", "text[]".
	Type    string
	NotNull bool
	Default *Default // nil for none
	// Identity and Generated say that the server makes the values.
	Identity  bool
	Generated bool
}

// Default is the default of a column. Whether it is volatile depends on its
// functions.
type Default struct {
	Constant  bool
	Functions []string // that it calls, lower-case
}

// ConstraintKind is the kind of a constraint.
type ConstraintKind string

// The kinds of constraints.
const (
	PrimaryKey ConstraintKind = "primary key"
	Unique     ConstraintKind = "unique"
	ForeignKey ConstraintKind = "foreign key"
	Check      ConstraintKind = "check"
	NotNull    ConstraintKind = "not null"
	Exclusion  ConstraintKind = "exclude"
)

// Constraint is a constraint that is declared or added.
type Constraint struct {
	Kind       ConstraintKind
	Name       string // "" if the server shall choose
	Columns    []string
	NotValid   bool
	UsingIndex string // the index that becomes the constraint
	References *Relation
	// NotNullOf is the column of a CHECK that says no more than that it IS NOT
	// NULL; "" for others.
	NotNullOf string
}

// Index is an index that is made.
type Index struct {
	Name    string // "" if the server shall choose
	Unique  bool
	Method  string // btree unless the text says another
	Columns []string
	// Expressions says that some of its columns are expressions; they are ""
	// in Columns.
	Expressions bool
	Include     []string
	Partial     bool
}

// Partition is one of the two ends of partitioning.
type Partition struct {
	By      string   // list, range or hash, of a partitioned table
	Columns []string // the key; "" for an expression
	Of      *Relation
	Default bool // the default partition
}

// Setting is what SET changes.
type Setting struct {
	Name  string
	Local bool
	Reset bool // RESET, SET ... TO DEFAULT
	// Value is shown for settings about time, locks, schemas and memory only;
	// others may hold secrets.
	Value string
}

// Action is what a subcommand of ALTER TABLE does.
type Action string

// The actions; what is not among them has the name of the grammar's own.
const (
	AddColumn          Action = "add column"
	DropColumn         Action = "drop column"
	AlterColumnType    Action = "alter column type"
	SetDefault         Action = "set default"
	DropDefault        Action = "drop default"
	SetNotNull         Action = "set not null"
	DropNotNull        Action = "drop not null"
	SetStatistics      Action = "set statistics"
	SetStorage         Action = "set storage"
	AddConstraint      Action = "add constraint"
	DropConstraint     Action = "drop constraint"
	ValidateConstraint Action = "validate constraint"
	AttachPartition    Action = "attach partition"
	DetachPartition    Action = "detach partition"
	SetOptions         Action = "set options"
	SetTablespace      Action = "set tablespace"
	SetLogged          Action = "set logged"
	SetUnlogged        Action = "set unlogged"
	ChangeOwner        Action = "owner to"
	ReplicaIdentity    Action = "replica identity"
)

// Command is one subcommand of ALTER TABLE.
type Command struct {
	Action Action
	// Name is the column, constraint, trigger or index it is about.
	Name       string
	Column     *Column // that is added, or the new type
	Constraint *Constraint
	// Using says that ALTER COLUMN TYPE computes the new values.
	Using        bool
	Concurrently bool
	IfExists     bool
	IfNotExists  bool
	Cascade      bool
}
