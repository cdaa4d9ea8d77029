package foreign

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestEveryServerTakesTheQueries(t *testing.T) {
	files, err := queryFiles.ReadDir("queries")
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		conn := pgtest.Connect(t, s.DSN("postgres"))
		for _, f := range files {
			name := strings.TrimSuffix(f.Name(), ".sql")
			if _, err := conn.Prepare(t.Context(), "", load(name)); err != nil {
				t.Errorf("prepare %s: %v", name, err)
			}
		}
	})
}

func TestNamesAreResolvedUnderTheConfiguredPath(t *testing.T) {
	s := pgtest.Server(t, pgtest.Majors[1])
	dsn := pgtest.Database(t, s)
	pgtest.Exec(t, s.DSN("postgres"), "DROP ROLE IF EXISTS foreign_app; CREATE ROLE foreign_app; DROP ROLE IF EXISTS foreign_two; CREATE ROLE foreign_two; ALTER ROLE foreign_two SET search_path = 'a, b'")
	pgtest.Exec(t, dsn, `CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA foreign_app;
		CREATE TABLE x (id int); CREATE TABLE a.x (id int); CREATE TABLE b.x (id int);
		CREATE TABLE b.y (id int); CREATE TABLE a.z (id int); CREATE TABLE b.z (id int); CREATE TABLE foreign_app.own (id int); CREATE TABLE a.own (id int)`)
	c := New(pgtest.Connect(t, dsn), nil)
	tests := map[string]struct {
		role, table string
		want        string // schema, "" refused, "-" missing
		path        string
	}{
		"one on the path of several":         {"foreign_app", "x", "public", `"foreign_app", "public"`},
		"several, and nobody knows the path": {"", "x", "", ""},
		"two on the path":                    {"foreign_two", "x", "", ""},
		"one that is on no path":             {"foreign_app", "y", "b", `"foreign_app", "public", "b"`},
		"two that are on no path":            {"foreign_app", "z", "", ""},
		"the user's own schema":              {"foreign_app", "own", "foreign_app", `"foreign_app", "public"`},
		"with its schema":                    {"", "a.x", "a", `"public", "a"`},
		"none":                               {"foreign_app", "nowhere", "-", `"foreign_app", "public"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, refused, err := c.Find(t.Context(), tt.role, []string{tt.table})
			if err != nil {
				t.Fatal(err)
			}
			got := "-"
			if len(p.Relations) > 0 {
				got = p.Relations[0].Schema
			}
			if refused != nil {
				got = ""
			}
			if got != tt.want || refused == nil && p.Path != tt.path {
				t.Errorf("Find = %q under %s, %v; want %q under %s", got, p.Path, refused, tt.want, tt.path)
			}
		})
	}
	if diff := cmp.Diff([]string{"a", "B b", `c"c`}, splitPath(`A, "B b", "c""c"`, "x")); diff != "" {
		t.Errorf("splitPath (-want +got):\n%s", diff)
	}
}
