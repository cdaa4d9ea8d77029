package query

import "github.com/pgvigil/pgvigil"

// Shape is what a statement asks of its tables, as an index advisor needs it.
type Shape struct {
	Verb string // as in pgvigil.Query
	// Text is the normal form.
	Text string
	// Statements counts the statements in the text.
	Statements int
	// Blocks are the query levels: the statement itself first, then CTEs,
	// subqueries and arms of set operations, each after the block it stands in.
	Blocks []Block
	// Functions are the names of the functions called, lower-case, qualified as
	// in the text, each once, in order of appearance. Operators are not in it.
	Functions []string
}

// BlockRole says why a block is there.
type BlockRole string

// The roles.
const (
	RoleMain   BlockRole = "main"   // a statement
	RoleCTE    BlockRole = "cte"    // WITH name AS (...)
	RoleFrom   BlockRole = "from"   // a subquery in FROM
	RoleExists BlockRole = "exists" // EXISTS (...)
	RoleIn     BlockRole = "in"     // x IN (...), x = ANY (...), x <> ALL (...)
	RoleScalar BlockRole = "scalar" // a subquery as a value or an array
	RoleArm    BlockRole = "arm"    // one arm of UNION, INTERSECT or EXCEPT
)

// Block is one query level.
type Block struct {
	Verb   string // select, insert, update, delete, merge or utility
	Role   BlockRole
	Parent int    // index of the block it stands in, -1 for a statement
	Name   string // of a CTE, or the alias of a subquery in FROM
	// Tables are the relations of this level's FROM, and the written one first.
	Tables []TableUse
	// Unresolved are conditions whose table the text does not tell.
	Unresolved []Condition
	GroupBy    []Column
	// OrderBy are the columns of ORDER BY. It is empty when one of them is an
	// expression; see OrderByExpression.
	OrderBy []pgvigil.OrderColumn
	// OrderByExpression says that ORDER BY holds what is no plain column.
	OrderByExpression bool
	Distinct          bool
	DistinctOn        []Column
	Limit, Offset     Limit
	// Select are the plain columns of the select list or of RETURNING.
	Select []Column
	// Star says that a star stands in the select list.
	Star bool
	// Expressions says that something else than columns and stars does.
	Expressions bool
	// Count says that the select list is a lone count.
	Count bool
	// Set are the columns that UPDATE, MERGE or ON CONFLICT writes.
	Set []string
	// Insert are the columns named by INSERT.
	Insert  []string
	Locking []Locking
	// SetOperation is union, intersect, except or "".
	SetOperation string
}

// OneTable returns the index in Tables of the one table that all columns of
// ORDER BY belong to; -1 if there is no such table or no ORDER BY.
func (b *Block) OneTable() int {
	found := -1
	for _, o := range b.OrderBy {
		i := b.table(o.Table)
		if i < 0 || found >= 0 && i != found {
			return -1
		}
		found = i
	}
	return found
}

// table returns the index of the first use of the named table, or -1.
func (b *Block) table(name string) int {
	for i := range b.Tables {
		if b.Tables[i].Name == name {
			return i
		}
	}
	return -1
}

// TableUse is one relation in one block.
type TableUse struct {
	// Name is as written, lower-case, with the schema if the text has it. For a
	// CTE or subquery it is its name; see Derived.
	Name string
	// Parent is the topmost parent of a partition that Options knows, or "".
	Parent string
	Alias  string // "" if the text gives none
	// Derived says that this is a CTE, a subquery or a function and no table.
	Derived bool
	// Target says that the statement writes to it.
	Target bool
	// Nullable says that it stands on the null-extended side of an outer join.
	Nullable bool
	// Conditions are the comparisons of its columns, in WHERE, ON and HAVING.
	Conditions []Condition
	// Columns are all columns of it that the block names, each once.
	Columns []string
	// Star says that the block wants all its columns.
	Star bool
}

// ConditionKind groups operators by what an index can do with them.
type ConditionKind string

// The kinds.
const (
	Equality ConditionKind = "equality" // =
	Range    ConditionKind = "range"    // < <= > >= BETWEEN
	In       ConditionKind = "in"       // IN (...), = ANY (...)
	Like     ConditionKind = "like"     // LIKE, ILIKE, SIMILAR TO, ~
	Array    ConditionKind = "array"    // @> <@ && and the like
	Null     ConditionKind = "null"     // IS NULL, IS NOT NULL
	Boolean  ConditionKind = "boolean"  // a bare column, IS TRUE
	Other    ConditionKind = "other"    // <> and all else
)

// ValueKind says what a column is compared with.
type ValueKind string

// The kinds of values.
const (
	NoValue     ValueKind = ""           // IS NULL
	Constant    ValueKind = "constant"   // the text has a literal
	Parameter   ValueKind = "parameter"  // $1
	ColumnValue ValueKind = "column"     // a column, see Condition.Join
	Subquery    ValueKind = "subquery"   // (SELECT ...)
	Expression  ValueKind = "expression" // anything else, now() - interval '1 day' among it
)

// Condition is one comparison of a column.
type Condition struct {
	Column string
	// Wrapped is the function or operator around the column, as in lower(name)
	// or data->>'k': a plain index on the column does not serve. "" for none.
	Wrapped string
	Kind    ConditionKind
	Op      string // as in pgvigil.Predicate
	Value   ValueKind
	// Constants are the literals it is compared with, if all are harmless.
	Constants []string
	// Join is the column on the other side, of another table.
	Join *Column
	// Or says that it stands under an OR: alone it narrows nothing.
	Or bool
	// OrGroup is the same number from 1 for conditions of one OR; 0 for none.
	OrGroup int
	// Not says that it stands under NOT.
	Not bool
}

// Column is a column of a table; Table is "" when the text does not tell.
type Column struct {
	Table  string
	Column string
}

// Limit is LIMIT, FETCH FIRST or OFFSET.
type Limit struct {
	Present  bool
	Constant bool  // the text has the number
	Value    int64 // if Constant
}

// Locking is FOR UPDATE and the like.
type Locking struct {
	Strength string // update, no key update, share, key share
	Wait     string // "", nowait, skip locked
}

// tableNames returns the tables of all blocks, each once.
func (s *Shape) tableNames() []string {
	var names []string
	seen := map[string]bool{}
	for i := range s.Blocks {
		for _, t := range s.Blocks[i].Tables {
			if !t.Derived && !seen[t.Name] {
				seen[t.Name] = true
				names = append(names, t.Name)
			}
		}
	}
	return names
}

// predicates returns the conditions of all blocks, each once.
func (s *Shape) predicates() []pgvigil.Predicate {
	var out []pgvigil.Predicate
	seen := map[pgvigil.Predicate]bool{}
	add := func(table string, conditions []Condition) {
		for _, c := range conditions {
			p := pgvigil.Predicate{Table: table, Column: c.Column, Op: c.Op, Join: c.Join != nil}
			if !seen[p] {
				seen[p] = true
				out = append(out, p)
			}
		}
	}
	for i := range s.Blocks {
		for _, t := range s.Blocks[i].Tables {
			add(t.Name, t.Conditions)
		}
		add("", s.Blocks[i].Unresolved)
	}
	return out
}

// order returns the outermost ORDER BY.
func (s *Shape) order() []pgvigil.OrderColumn {
	if len(s.Blocks) == 0 {
		return nil
	}
	return s.Blocks[0].OrderBy
}
