package query

import (
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// scope is what the names of one query level mean.
type scope struct {
	rels    map[string]string // a name in FROM -> the relation's canonical name
	aliases map[string]bool   // names that AS gave
	ctes    map[string]string
	outs    map[string]int // names that AS gave to output columns, from 1
	count   map[string]int
	others  int // subqueries, functions, joins
}

// scopeOf collects the names that statement m declares.
func (c *canon) scopeOf(m protoreflect.ProtoMessage) *scope {
	s := &scope{rels: map[string]string{}, aliases: map[string]bool{}, ctes: map[string]string{}, outs: map[string]int{}, count: map[string]int{}}
	c.scopes = append(c.scopes, s)
	defer func() { c.scopes = c.scopes[:len(c.scopes)-1] }()
	switch v := m.(type) {
	case *pg.SelectStmt:
		c.declareCTEs(s, v.WithClause)
		c.declareAll(s, v.FromClause)
		s.declareOutputs(v)
	case *pg.InsertStmt:
		c.declareCTEs(s, v.WithClause)
		c.declareTable(s, v.Relation)
	case *pg.UpdateStmt:
		c.declareCTEs(s, v.WithClause)
		c.declareTable(s, v.Relation)
		c.declareAll(s, v.FromClause)
	case *pg.DeleteStmt:
		c.declareCTEs(s, v.WithClause)
		c.declareTable(s, v.Relation)
		c.declareAll(s, v.UsingClause)
	case *pg.MergeStmt:
		c.declareCTEs(s, v.WithClause)
		c.declareTable(s, v.Relation)
		c.declareAll(s, []*pg.Node{v.SourceRelation})
	}
	return s
}

func (c *canon) declareCTEs(s *scope, with *pg.WithClause) {
	for i, n := range with.GetCtes() {
		name := strings.ToLower(n.GetCommonTableExpr().GetCtename())
		s.ctes[name] = "with " + strconv.Itoa(len(c.scopes)) + "." + strconv.Itoa(i+1)
	}
}

func (c *canon) declareAll(s *scope, nodes []*pg.Node) {
	for _, n := range nodes {
		switch {
		case n.GetRangeVar() != nil:
			c.declareTable(s, n.GetRangeVar())
		case n.GetJoinExpr() != nil:
			j := n.GetJoinExpr()
			c.declareAll(s, []*pg.Node{j.Larg, j.Rarg})
			s.declareOther(j.Alias)
		case n.GetRangeSubselect() != nil:
			s.declareOther(n.GetRangeSubselect().Alias)
		case n.GetRangeFunction() != nil:
			s.declareOther(n.GetRangeFunction().Alias)
		case n.GetRangeTableSample() != nil:
			c.declareAll(s, []*pg.Node{n.GetRangeTableSample().Relation})
		case n.GetRangeTableFunc() != nil:
			s.declareOther(n.GetRangeTableFunc().Alias)
		}
	}
}

// declareTable notes a table under its alias or its own name. A table that is
// joined with itself gets a number, so that its two sides stay apart.
func (c *canon) declareTable(s *scope, v *pg.RangeVar) {
	name := c.relation(v)
	s.count[name]++
	if n := s.count[name]; n > 1 {
		name += " " + strconv.Itoa(n)
	}
	key := v.GetRelname()
	if a := v.GetAlias().GetAliasname(); a != "" {
		key = a
		s.aliases[strings.ToLower(a)] = true
	}
	s.rels[strings.ToLower(key)] = name
}

func (s *scope) declareOther(a *pg.Alias) {
	if name := strings.ToLower(a.GetAliasname()); name != "" {
		s.others++
		s.rels[name] = "from " + strconv.Itoa(s.others)
		s.aliases[name] = true
	}
}

func (s *scope) declareOutputs(v *pg.SelectStmt) {
	for v.GetLarg() != nil {
		v = v.Larg
	}
	for i, n := range v.TargetList {
		if name := n.GetResTarget().GetName(); name != "" {
			s.outs[strings.ToLower(name)] = i + 1
		}
	}
}

// resolve returns what a name in front of a column means, itself if unknown.
func (c *canon) resolve(name string) string {
	name = strings.ToLower(name)
	for _, s := range slices.Backward(c.scopes) {
		if r := s.rels[name]; r != "" {
			return r
		}
	}
	return name
}

// lone says whether name is the only relation of the innermost level.
func (c *canon) lone(name string) bool {
	if len(c.scopes) == 0 {
		return false
	}
	rels := c.scopes[len(c.scopes)-1].rels
	return len(rels) == 1 && rels[name] != ""
}

// isAlias says whether a lone name is the alias of a table, so that the whole
// row is meant.
func (c *canon) isAlias(name string) bool {
	return slices.ContainsFunc(c.scopes, func(s *scope) bool { return s.aliases[name] })
}

// relation returns the canonical name of a table.
func (c *canon) relation(v *pg.RangeVar) string {
	schema, name := strings.ToLower(v.GetSchemaname()), strings.ToLower(v.GetRelname())
	if schema == "" {
		for _, s := range slices.Backward(c.scopes) {
			if cte := s.ctes[name]; cte != "" {
				return cte
			}
		}
	}
	if isTemporary(schema, name, v.GetRelpersistence()) {
		return foldDigits(name)
	}
	return c.names.canonical(schema, name)
}

// isTemporary says whether a table looks like one that a session made for
// itself: by its schema, by CREATE TEMP, or by tmp or temp in a name with digits.
func isTemporary(schema, name, persistence string) bool {
	if strings.HasPrefix(schema, "pg_temp") || persistence == "t" {
		return true
	}
	return schema == "" && (strings.HasPrefix(name, "tmp") || strings.HasPrefix(name, "temp") ||
		strings.Contains(name, "_tmp") || strings.Contains(name, "_temp_"))
}

// foldDigits replaces every run of digits by one #.
func foldDigits(name string) string {
	var b strings.Builder
	for i := range len(name) {
		digit := name[i] >= '0' && name[i] <= '9'
		switch {
		case !digit:
			b.WriteByte(name[i])
		case i == 0 || name[i-1] < '0' || name[i-1] > '9':
			b.WriteByte('#')
		}
	}
	return b.String()
}

// partitions knows whose partition a table is.
type partitions struct {
	parent  map[string]string
	parents map[string]bool // bare names of all parents
}

func partitionNames(parent map[string]string) partitions {
	p := partitions{parent: parent}
	if len(parent) > 0 {
		p.parents = make(map[string]bool, 16)
		for _, name := range parent {
			p.parents[bare(name)] = true
		}
	}
	return p
}

// canonical returns the name under which a table takes part in a fingerprint:
// that of its topmost parent without a schema if it is a partition or has
// partitions, else its own as the text has it.
func (p partitions) canonical(schema, name string) string {
	if root := p.root(schema, name); root != "" {
		return root
	}
	if p.parents[name] || schema == "" {
		return name
	}
	return schema + "." + name
}

// root returns the bare name of the topmost parent of a partition, or "".
func (p partitions) root(schema, name string) string {
	root := ""
	for range 8 {
		next := p.parent[name]
		if schema != "" {
			if q := p.parent[schema+"."+name]; q != "" {
				next = q
			}
		}
		if next == "" {
			break
		}
		root = bare(next)
		schema, name = split(next)
	}
	return root
}

func bare(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// split cuts "schema.name" at its last dot.
func split(full string) (schema, name string) {
	i := strings.LastIndexByte(full, '.')
	return full[:max(i, 0)], full[i+1:]
}
