package foreign

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// mark ends every statement of ours.
const mark = " /*application='pgvigil'*/"

// load returns a query without its first line. The files are part of the
// binary: a name that is missing is a bug that the tests find.
func load(name string) string {
	text, err := queryFiles.ReadFile("queries/" + name + ".sql")
	if err != nil {
		return fmt.Sprintf("SELECT missing query %q", name)
	}
	_, body, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(body) + mark
}

// Checker looks up what foreign text means, over one connection to the
// database in question, which it does not own.
type Checker struct {
	conn    *pgx.Conn
	trusted []string
}

// New returns a checker. trusted are roles, beside superusers, whose functions
// planning may run.
func New(conn *pgx.Conn, trusted []string) Checker {
	return Checker{conn, append([]string{}, trusted...)}
}

// Reach is what planning a text could run or touch.
type Reach struct {
	// Untrusted is why the text must not be planned; nil if nothing speaks
	// against it.
	Untrusted error
	// Foreign are foreign tables: to plan them may ask another server.
	Foreign []string
	// Secured are tables with row security: their plans depend on who asks.
	Secured []string
}

// What ends a search that leads too far.
const (
	maxRounds = 6
	maxReach  = 500
)

// Reach looks up what planning a text could run. The error is about the
// connection.
func (c Checker) Reach(ctx context.Context, text string) (Reach, error) {
	uses, err := query.UsesOf(text)
	if err != nil {
		return Reach{Untrusted: fmt.Errorf("what planning could run cannot be told: %w", err)}, nil
	}
	s := search{Checker: c, uses: uses, bodies: []int64{}}
	for range maxRounds {
		if err := s.round(ctx); err != nil {
			return Reach{}, fmt.Errorf("look up what a statement could run: %w", err)
		}
		if s.Untrusted != nil || !s.more {
			return s.Reach, nil
		}
	}
	s.Untrusted = fmt.Errorf("what planning could run cannot be told: its functions call each other too deep")
	return s.Reach, nil
}

// search follows a text through the catalog, round by round: a round finds the
// bodies of trusted functions, the next one what these use.
type search struct {
	Checker
	Reach
	uses      query.Uses
	bodies    []int64 // functions whose body is searched
	relations []int64
	types     []int64
	more      bool // the last round found new bodies
}

func (s *search) round(ctx context.Context) error {
	s.more = false
	for _, step := range []func(context.Context) error{s.findRelations, s.findTypes, s.findFunctions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) findRelations(ctx context.Context) error {
	rows, err := s.conn.Query(ctx, load("reach_relations"), list(s.uses.Names))
	if err != nil {
		return err
	}
	s.relations = []int64{}
	var oid int64
	var schema, name string
	var foreign, secured bool
	_, err = pgx.ForEachRow(rows, []any{&oid, &schema, &name, &foreign, &secured}, func() error {
		s.relations = append(s.relations, oid)
		if foreign {
			s.Foreign = add(s.Foreign, plainName(schema, name))
		}
		if secured {
			s.Secured = add(s.Secured, plainName(schema, name))
		}
		return nil
	})
	return err
}

func (s *search) findTypes(ctx context.Context) error {
	rows, err := s.conn.Query(ctx, load("reach_types"), s.relations, list(s.uses.Names), list(s.uses.Calls))
	if err != nil {
		return err
	}
	s.types, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	return err
}

// function is one that planning could run.
type function struct {
	oid          int64
	schema, name string
	owner        string
	trusted      bool
	body         string
}

func (s *search) findFunctions(ctx context.Context) error {
	rows, err := s.conn.Query(ctx, load("reach_functions"), list(s.uses.Calls), list(s.uses.Names), list(s.uses.Operators),
		s.trusted, s.bodies, s.relations, append([]int64{}, s.types...))
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f function, err error) {
		err = row.Scan(&f.oid, &f.schema, &f.name, &f.owner, &f.trusted, &f.body)
		return f, err
	})
	if err != nil {
		return err
	}
	if len(found) >= maxReach {
		s.Untrusted = fmt.Errorf("what planning could run cannot be told: it is more than %d functions", maxReach)
	}
	for _, f := range found {
		s.take(f)
	}
	return nil
}

// take refuses the text for a function that is not trusted, and adds what the
// body of a trusted one uses.
func (s *search) take(f function) {
	switch {
	case s.Untrusted != nil:
	case !f.trusted:
		s.Untrusted = &pgvigil.Hint{
			Err: fmt.Errorf("planning could run %s, a function of %s, who is not trusted",
				plainName(f.schema, f.name), plainName(f.owner)),
			Advice: "look at the function, then name its owner among the trusted roles",
		}
	case !slices.Contains(s.bodies, f.oid):
		s.bodies, s.more = append(s.bodies, f.oid), true
		inner, err := query.UsesOf(f.body)
		if err != nil {
			s.Untrusted = fmt.Errorf("what %s runs cannot be told: %w", plainName(f.schema, f.name), err)
			return
		}
		s.uses.Names = merge(s.uses.Names, inner.Names)
		s.uses.Calls = merge(s.uses.Calls, inner.Calls)
		s.uses.Operators = merge(s.uses.Operators, inner.Operators)
	}
}

// list is never nil, which would be NULL.
func list(s []string) []string { return append([]string{}, s...) }

// plainName writes a name without quotes where it needs none.
func plainName(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = p
		if strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || p == "" {
			quoted[i] = pgx.Identifier{p}.Sanitize()
		}
	}
	return strings.Join(quoted, ".")
}

func add(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

func merge(a, b []string) []string {
	for _, s := range b {
		a = add(a, s)
	}
	return a
}
