package whatif

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// verbs are what may be planned.
var verbs = []string{"select", "insert", "update", "delete", "merge", "with"}

// implied are operators that a text can use without writing them: IN, LIKE,
// BETWEEN.
var implied = []string{"=", "<>", "<", ">", "<=", ">=", "~", "~~", "!~~", "~~*", "!~~*"}

// verdict says whether a text may be planned, and under which search_path.
type verdict struct {
	refused error
	path    string
}

// check refuses statements that must not or cannot be planned.
func (s *session) check(ctx context.Context, st Statement) (v verdict, err error) {
	key := st.Role + "\x00" + st.Text
	if v, ok := s.checked[key]; ok {
		return v, nil
	}
	v.refused = shape(st.Text)
	if v.refused == nil {
		v.refused, err = s.untrusted(ctx, st.Text)
	}
	if v.refused == nil && err == nil {
		v.path, v.refused, err = s.pathOf(ctx, st)
	}
	if err == nil {
		s.checked[key] = v
	}
	return v, err
}

// shape accepts a single statement of a kind that can be planned.
func shape(sql string) error {
	ts := tokens(sql)
	if n := len(ts); n > 0 && ts[n-1].text == ";" {
		ts = ts[:n-1]
	}
	if len(ts) == 0 {
		return errors.New("there is no statement")
	}
	first := 0
	for first < len(ts)-1 && ts[first].text == "(" {
		first++
	}
	if ts[first].kind != word || !slices.Contains(verbs, ts[first].text) {
		return errors.New("only SELECT, INSERT, UPDATE, DELETE and MERGE can be planned")
	}
	if slices.ContainsFunc(ts, func(t token) bool { return t.text == ";" && t.kind == punctuation }) {
		return errors.New("more than one statement")
	}
	return nil
}

// untrusted refuses a text whose planning could run a function of somebody
// who is not trusted.
func (s *session) untrusted(ctx context.Context, sql string) (refused, err error) {
	calls, words, ops := used(sql)
	var schema, function, owner string
	err = s.conn.QueryRow(ctx, untrustedSQL, calls, words, ops, s.trusted).Scan(&schema, &function, &owner)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("check the functions of a statement: %w", err)
	}
	return &pgvigil.Hint{
		Err: fmt.Errorf("planning could run %s, a function of %s, who is not trusted",
			Quote(schema, function), Quote(owner)),
		Advice: "look at the function, then name its owner among the trusted roles",
	}, nil
}

// untrustedIndex is untrusted for an index. One of plain columns has nothing
// to call: operator classes are made by superusers only.
func (s *session) untrustedIndex(ctx context.Context, x Index, sql string) (refused, err error) {
	if x.Predicate == "" && x.Folded == "" && !hasExpression(x) {
		return nil, nil
	}
	return s.untrusted(ctx, sql)
}

// used lists what a text could call by name, every word of it, and its
// operators.
func used(sql string) (calls, words, ops []string) {
	ts := tokens(sql)
	calls, words = []string{}, []string{}
	ops = slices.Clone(implied)
	for i, t := range ts {
		switch t.kind {
		case operator:
			ops = append(ops, t.text)
		case word:
			words = append(words, t.text)
			if i+1 < len(ts) && ts[i+1].text == "(" {
				calls = append(calls, t.text)
			}
		}
	}
	return calls, words, ops
}

// pathOf returns the search_path that database and role configure, after
// checking that each unqualified table means exactly one. A table that is on
// no path but exists once adds its schema.
func (s *session) pathOf(ctx context.Context, st Statement) (path string, refused, err error) {
	list, err := s.configuredPath(ctx, st.Role)
	if err != nil {
		return "", nil, err
	}
	schemas, err := s.schemasOf(ctx, st.Tables)
	if err != nil {
		return "", nil, err
	}
	for _, name := range st.Tables {
		in := schemas[name]
		switch {
		case len(in) == 0:
		case len(in) > 1 && st.Role == "":
			return "", fmt.Errorf("plan unknown: %s is a table in the schemas %s", Quote(name), strings.Join(in, ", ")), nil
		case !slices.ContainsFunc(in, func(schema string) bool { return slices.Contains(list, schema) }):
			list = append(list, in[0])
		}
	}
	for i, p := range list {
		list[i] = pgx.Identifier{p}.Sanitize()
	}
	return strings.Join(list, ", "), nil, nil
}

var pathElement = regexp.MustCompile(`"((?:[^"]|"")*)"|([^,\s"]+)`)

// configuredPath returns the schemas of the search_path that applies to role.
func (s *session) configuredPath(ctx context.Context, role string) ([]string, error) {
	var name, value string
	err := s.conn.QueryRow(ctx, searchPathSQL, role).Scan(&name, &value)
	if errors.Is(err, pgx.ErrNoRows) {
		value, err = `"$user", public`, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the configured search_path: %w", err)
	}
	return splitPath(value, role), nil
}

func splitPath(value, role string) []string {
	var path []string
	for _, m := range pathElement.FindAllStringSubmatch(value, -1) {
		p := strings.ToLower(m[2])
		if m[2] == "" {
			p = strings.ReplaceAll(m[1], `""`, `"`)
		}
		if p == "$user" {
			p = role
		}
		if p != "" {
			path = append(path, p)
		}
	}
	return path
}

func (s *session) schemasOf(ctx context.Context, tables []string) (map[string][]string, error) {
	out := map[string][]string{}
	if len(tables) == 0 {
		return out, nil
	}
	rows, err := s.conn.Query(ctx, tableSchemasSQL, tables)
	if err != nil {
		return nil, fmt.Errorf("look up tables: %w", err)
	}
	var name string
	var schemas []string
	_, err = pgx.ForEachRow(rows, []any{&name, &schemas}, func() error {
		out[name] = slices.Clone(schemas)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up tables: %w", err)
	}
	return out, nil
}
