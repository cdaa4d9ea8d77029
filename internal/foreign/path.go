package foreign

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Relation is a table or view that a name means.
type Relation struct {
	Schema, Name string
	OID          uint32
	// MayRead and MayWrite say what the current role may do with it.
	MayRead, MayWrite bool
}

// Place is where the unqualified names of a text lead.
type Place struct {
	// Path is the search_path to plan under, quoted.
	Path string
	// Relations are the tables named, as far as they are there.
	Relations []Relation
	// Missing are the names that no table bears: temporary tables, or dropped
	// ones, or those of the system.
	Missing []string
}

// ErrAmbiguous says that a name means several tables.
var ErrAmbiguous = errors.New("plan unknown")

// Find resolves the tables that a text names ("jobs", "ci.jobs", in lower case)
// under the search_path that database and role configure; role "" is unknown.
// A name that is on no path but exists once adds its schema. refused wraps
// ErrAmbiguous; err is about the connection.
func (c Checker) Find(ctx context.Context, role string, tables []string) (p Place, refused, err error) {
	path, err := c.configuredPath(ctx, role)
	if err != nil {
		return p, nil, err
	}
	candidates, err := c.candidates(ctx, tables)
	if err != nil {
		return p, nil, err
	}
	for _, name := range tables {
		schema, bare := cut(name)
		in := slices.DeleteFunc(slices.Clone(candidates[bare]), func(r Relation) bool {
			return schema != "" && strings.ToLower(r.Schema) != schema
		})
		r, refused := choose(name, in, &path, schema != "" || role != "")
		if refused != nil {
			return p, refused, nil
		}
		if r == nil {
			p.Missing = append(p.Missing, name)
			continue
		}
		p.Relations = append(p.Relations, *r)
	}
	p.Path = quote(path)
	return p, nil, nil
}

// choose returns the one relation that a name means, nil if there is none.
// Without a known path any second candidate is one too many.
func choose(name string, in []Relation, path *[]string, known bool) (*Relation, error) {
	on := slices.DeleteFunc(slices.Clone(in), func(r Relation) bool { return !slices.Contains(*path, r.Schema) })
	switch {
	case len(in) == 0:
		return nil, nil
	case len(in) == 1:
		if len(on) == 0 {
			*path = append(*path, in[0].Schema)
		}
		return &in[0], nil
	case known && len(on) == 1:
		return &on[0], nil
	}
	schemas := make([]string, len(in))
	for i, r := range in {
		schemas[i] = r.Schema
	}
	return nil, fmt.Errorf("%w: %s is a table in the schemas %s", ErrAmbiguous, plainName(name), strings.Join(schemas, ", "))
}

// cut splits "schema.name", without quotes.
func cut(name string) (schema, bare string) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		schema, name = name[:i], name[i+1:]
	}
	return strings.ToLower(strings.Trim(schema, `"`)), strings.ToLower(strings.Trim(name, `"`))
}

func quote(path []string) string {
	quoted := make([]string, len(path))
	for i, p := range path {
		quoted[i] = pgx.Identifier{p}.Sanitize()
	}
	return strings.Join(quoted, ", ")
}

var pathElement = regexp.MustCompile(`"((?:[^"]|"")*)"|([^,\s"]+)`)

// configuredPath returns the schemas of the search_path that applies to role.
func (c Checker) configuredPath(ctx context.Context, role string) ([]string, error) {
	var name, value string
	err := c.conn.QueryRow(ctx, load("search_path"), role).Scan(&name, &value)
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

// candidates returns the relations that bear the bare names of tables.
func (c Checker) candidates(ctx context.Context, tables []string) (map[string][]Relation, error) {
	out := map[string][]Relation{}
	if len(tables) == 0 {
		return out, nil
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		_, names[i] = cut(t)
	}
	rows, err := c.conn.Query(ctx, load("relations"), names)
	if err != nil {
		return nil, fmt.Errorf("look up tables: %w", err)
	}
	var bare string
	var r Relation
	var oid int64
	_, err = pgx.ForEachRow(rows, []any{&bare, &r.Schema, &r.Name, &oid, &r.MayRead, &r.MayWrite}, func() error {
		r.OID = uint32(oid)
		out[bare] = append(out[bare], r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up tables: %w", err)
	}
	return out, nil
}
