package query_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

func analyze(t *testing.T, text string, o query.Options) query.Shape {
	t.Helper()
	s, err := query.Analyze(text, o)
	if err != nil {
		t.Fatalf("Analyze(%q): %v", text, err)
	}
	return s
}

// conditions returns what the named table is asked for in all blocks.
func conditions(s query.Shape, table string) []query.Condition {
	var out []query.Condition
	for _, b := range s.Blocks {
		for _, u := range b.Tables {
			if u.Name == table {
				out = append(out, u.Conditions...)
			}
		}
	}
	return out
}

func TestConditionsAreFoundWithTheirKind(t *testing.T) {
	type c = query.Condition
	tests := map[string]struct {
		where string
		want  []query.Condition
	}{
		"equality with a parameter": {"a = $1", []c{{Column: "a", Kind: query.Equality, Op: "=", Value: query.Parameter}}},
		"equality with a constant":  {"a = 'running'", []c{{Column: "a", Kind: query.Equality, Op: "=", Value: query.Constant, Constants: []string{"running"}}}},
		"a cast constant":           {"a = 'running'::text", []c{{Column: "a", Kind: query.Equality, Op: "=", Value: query.Constant, Constants: []string{"running"}}}},
		"a secret-looking constant": {"a = 'S3cret!'", []c{{Column: "a", Kind: query.Equality, Op: "=", Value: query.Constant}}},
		"constant on the left":      {"5 < a", []c{{Column: "a", Kind: query.Range, Op: ">", Value: query.Constant, Constants: []string{"5"}}}},
		"range":                     {"a <= $1", []c{{Column: "a", Kind: query.Range, Op: "<=", Value: query.Parameter}}},
		"range to an expression":    {"a < now() - interval '1 day'", []c{{Column: "a", Kind: query.Range, Op: "<", Value: query.Expression}}},
		"between":                   {"a BETWEEN 1 AND 2", []c{{Column: "a", Kind: query.Range, Op: "between", Value: query.Constant, Constants: []string{"1", "2"}}}},
		"in a list":                 {"a IN ('x', 'y')", []c{{Column: "a", Kind: query.In, Op: "in", Value: query.Constant, Constants: []string{"x", "y"}}}},
		"not in a list":             {"a NOT IN (1)", []c{{Column: "a", Kind: query.Other, Op: "not in", Value: query.Constant, Constants: []string{"1"}}}},
		"any of a parameter":        {"a = ANY($1)", []c{{Column: "a", Kind: query.In, Op: "= any", Value: query.Parameter}}},
		"any of an array column":    {"$1 = ANY(a)", []c{{Column: "a", Kind: query.Array, Op: "@>", Value: query.Parameter}}},
		"in a subquery":             {"a IN (SELECT 1)", []c{{Column: "a", Kind: query.In, Op: "in", Value: query.Subquery}}},
		"like":                      {"a LIKE $1", []c{{Column: "a", Kind: query.Like, Op: "like", Value: query.Parameter}}},
		"regular expression":        {"a ~ $1", []c{{Column: "a", Kind: query.Like, Op: "~", Value: query.Parameter}}},
		"array containment":         {"a @> $1", []c{{Column: "a", Kind: query.Array, Op: "@>", Value: query.Parameter}}},
		"contained, turned around":  {"$1 @> a", []c{{Column: "a", Kind: query.Array, Op: "<@", Value: query.Parameter}}},
		"null":                      {"a IS NULL", []c{{Column: "a", Kind: query.Null, Op: "is null"}}},
		"not null":                  {"a IS NOT NULL", []c{{Column: "a", Kind: query.Null, Op: "is not null"}}},
		"a bare boolean":            {"a", []c{{Column: "a", Kind: query.Boolean, Op: "is true"}}},
		"not a boolean":             {"NOT a", []c{{Column: "a", Kind: query.Boolean, Op: "is true", Not: true}}},
		"is not true":               {"a IS NOT TRUE", []c{{Column: "a", Kind: query.Boolean, Op: "is not true"}}},
		"unequal":                   {"a <> 3", []c{{Column: "a", Kind: query.Other, Op: "<>", Value: query.Constant, Constants: []string{"3"}}}},
		"a function of a column":    {"lower(a) = $1", []c{{Column: "a", Wrapped: "lower", Kind: query.Equality, Op: "=", Value: query.Parameter}}},
		"a cast column":             {"a::date = $1", []c{{Column: "a", Wrapped: "::date", Kind: query.Equality, Op: "=", Value: query.Parameter}}},
		"a JSON key of a column":    {"a ->> 'k' = $1", []c{{Column: "a", Wrapped: "->>", Kind: query.Equality, Op: "=", Value: query.Parameter}}},
		"two columns of one table":  {"a < b", []c{{Column: "a", Kind: query.Range, Op: "<", Value: query.ColumnValue}, {Column: "b", Kind: query.Range, Op: ">", Value: query.ColumnValue}}},
		"under or": {"(a = $1 OR b = $2) AND c = $3", []c{
			{Column: "a", Kind: query.Equality, Op: "=", Value: query.Parameter, Or: true, OrGroup: 1},
			{Column: "b", Kind: query.Equality, Op: "=", Value: query.Parameter, Or: true, OrGroup: 1},
			{Column: "c", Kind: query.Equality, Op: "=", Value: query.Parameter},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := analyze(t, "SELECT 1 FROM t x WHERE "+test.where, query.Options{})
			if diff := cmp.Diff(test.want, conditions(s, "t")); diff != "" {
				t.Errorf("conditions of %q (-want +got):\n%s", test.where, diff)
			}
		})
	}
}

func TestQueuePickIsUnderstood(t *testing.T) {
	s := analyze(t, queuePick, query.Options{})
	if len(s.Blocks) != 2 {
		t.Fatalf("%d blocks; want the statement and its CTE", len(s.Blocks))
	}
	main, cte := s.Blocks[0], s.Blocks[1]
	if cte.Role != query.RoleCTE || cte.Name != "project_builds" || cte.Parent != 0 {
		t.Errorf("second block = %+v; want the CTE project_builds", cte)
	}
	if diff := cmp.Diff([]query.Column{{Table: "ci_running_builds", Column: "project_id"}}, cte.GroupBy); diff != "" {
		t.Errorf("GROUP BY (-want +got):\n%s", diff)
	}
	if want := (query.Limit{Present: true, Constant: true, Value: 45}); main.Limit != want {
		t.Errorf("limit = %+v; want %+v", main.Limit, want)
	}
	if !main.OrderByExpression || len(main.OrderBy) != 0 {
		t.Errorf("order = %+v; want an expression", main.OrderBy)
	}
	if !main.Tables[1].Derived || !main.Tables[1].Nullable || main.Tables[0].Nullable {
		t.Errorf("tables = %+v; want a nullable CTE behind a table", main.Tables)
	}
	want := []query.Condition{
		{Column: "project_id", Kind: query.Equality, Op: "=", Value: query.ColumnValue, Join: &query.Column{Table: "project_builds", Column: "project_id"}},
		{Column: "protected", Kind: query.Equality, Op: "=", Value: query.Constant, Constants: []string{"false"}},
		{Column: "tag_ids", Kind: query.Array, Op: "<@", Value: query.Constant},
	}
	if diff := cmp.Diff(want, conditions(s, "ci_pending_builds")); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"count"}, s.Functions); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
}

func TestNamesBelongToTheirLevel(t *testing.T) {
	s := analyze(t, `SELECT a.id FROM jobs a WHERE EXISTS (SELECT 1 FROM needs a2 WHERE a2.job_id = a.id AND a2.kind = $1)
		AND a.pid IN (SELECT id FROM pipes a WHERE a.ref = $2)`, query.Options{})
	want := map[string][]query.Condition{
		"jobs": {
			{Column: "id", Kind: query.Equality, Op: "=", Value: query.ColumnValue, Join: &query.Column{Table: "needs", Column: "job_id"}},
			{Column: "pid", Kind: query.In, Op: "in", Value: query.Subquery},
		},
		"needs": {
			{Column: "job_id", Kind: query.Equality, Op: "=", Value: query.ColumnValue, Join: &query.Column{Table: "jobs", Column: "id"}},
			{Column: "kind", Kind: query.Equality, Op: "=", Value: query.Parameter},
		},
		"pipes": {{Column: "ref", Kind: query.Equality, Op: "=", Value: query.Parameter}},
	}
	for table, conds := range want {
		if diff := cmp.Diff(conds, conditions(s, table)); diff != "" {
			t.Errorf("conditions of %s (-want +got):\n%s", table, diff)
		}
	}
}

func TestUnqualifiedColumnsNeedTheCatalog(t *testing.T) {
	const text = `SELECT 1 FROM jobs JOIN stages ON stages.id = stage_id WHERE status = $1`
	s := analyze(t, text, query.Options{})
	if got := s.Blocks[0].Unresolved; len(got) != 2 || got[1].Column != "status" {
		t.Errorf("unresolved = %+v; want stage_id and status", got)
	}
	s = analyze(t, text, query.Options{Columns: map[string][]string{"jobs": {"id", "stage_id", "status"}, "stages": {"id", "name"}}})
	if got := conditions(s, "jobs"); len(got) != 2 || got[1].Column != "status" {
		t.Errorf("conditions of jobs = %+v; want stage_id and status", got)
	}
}

func TestBlocksSayWhatTheyWant(t *testing.T) {
	tests := map[string]struct {
		text string
		want query.Block // of the first block, tables left out
	}{
		"order and limit": {`SELECT id FROM t ORDER BY created_at DESC NULLS LAST, id LIMIT $1`, query.Block{
			Verb: "select", Role: query.RoleMain, Parent: -1, Select: []query.Column{{Table: "t", Column: "id"}}, Limit: query.Limit{Present: true},
			OrderBy: []pgvigil.OrderColumn{{Table: "t", Column: "created_at", Desc: true, Nulls: "last"}, {Table: "t", Column: "id"}},
		}},
		"order by place and by name": {`SELECT id AS x, ref FROM t ORDER BY 2, x`, query.Block{
			Verb: "select", Role: query.RoleMain, Parent: -1, Select: []query.Column{{Table: "t", Column: "id"}, {Table: "t", Column: "ref"}},
			OrderBy: []pgvigil.OrderColumn{{Table: "t", Column: "ref"}, {Table: "t", Column: "id"}},
		}},
		"distinct on": {`SELECT DISTINCT ON (ref) ref FROM t`, query.Block{
			Verb: "select", Role: query.RoleMain, Parent: -1, Select: []query.Column{{Table: "t", Column: "ref"}}, DistinctOn: []query.Column{{Table: "t", Column: "ref"}},
		}},
		"distinct": {`SELECT DISTINCT ref FROM t`, query.Block{
			Verb: "select", Role: query.RoleMain, Parent: -1, Select: []query.Column{{Table: "t", Column: "ref"}}, Distinct: true,
		}},
		"count":  {`SELECT count(*) FROM t`, query.Block{Verb: "select", Role: query.RoleMain, Parent: -1, Expressions: true, Count: true}},
		"star":   {`SELECT * FROM t`, query.Block{Verb: "select", Role: query.RoleMain, Parent: -1, Star: true}},
		"update": {`UPDATE t SET a = 1, (b, c) = (2, 3) WHERE d = 4`, query.Block{Verb: "update", Role: query.RoleMain, Parent: -1, Set: []string{"a", "b", "c"}}},
		"insert": {`INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING id`, query.Block{
			Verb: "insert", Role: query.RoleMain, Parent: -1, Insert: []string{"a", "b"}, Set: []string{"b"}, Select: []query.Column{{Column: "id"}},
		}},
		"locking": {`SELECT id FROM t FOR UPDATE SKIP LOCKED`, query.Block{
			Verb: "select", Role: query.RoleMain, Parent: -1, Select: []query.Column{{Table: "t", Column: "id"}}, Locking: []query.Locking{{Strength: "update", Wait: "skip locked"}},
		}},
		"union":   {`SELECT a FROM t UNION ALL SELECT b FROM u ORDER BY 1 LIMIT 5`, query.Block{Verb: "select", Role: query.RoleMain, Parent: -1, SetOperation: "union", OrderByExpression: true, Limit: query.Limit{Present: true, Constant: true, Value: 5}}},
		"explain": {`EXPLAIN ANALYZE DELETE FROM t WHERE a = 1`, query.Block{Verb: "delete", Role: query.RoleMain, Parent: -1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := analyze(t, test.text, query.Options{})
			got := s.Blocks[0]
			got.Tables = nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("block of %q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestOneTableOrdersOrNone(t *testing.T) {
	tests := map[string]struct {
		text string
		want int
	}{
		"one table":    {`SELECT 1 FROM a JOIN b ON a.x = b.x ORDER BY b.y, b.z`, 1},
		"two tables":   {`SELECT 1 FROM a JOIN b ON a.x = b.x ORDER BY b.y, a.z`, -1},
		"no order":     {`SELECT 1 FROM a`, -1},
		"unknown ones": {`SELECT 1 FROM a JOIN b ON a.x = b.x ORDER BY y`, -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := analyze(t, test.text, query.Options{})
			if got := s.Blocks[0].OneTable(); got != test.want {
				t.Errorf("OneTable of %q = %d; want %d", test.text, got, test.want)
			}
		})
	}
}

func TestPartitionsNameTheirParent(t *testing.T) {
	s := analyze(t, `SELECT id FROM gitlab_partitions_dynamic.ci_builds_101 WHERE id = 1`, known)
	u := s.Blocks[0].Tables[0]
	if u.Name != "gitlab_partitions_dynamic.ci_builds_101" || u.Parent != "p_ci_builds" {
		t.Errorf("table = %+v; want the partition and its parent p_ci_builds", u)
	}
}

func TestDescribeSpeaksOfAllLevels(t *testing.T) {
	q := query.Describe(`WITH x AS (SELECT id FROM a WHERE k = $1) DELETE FROM b USING x WHERE b.id = x.id RETURNING b.id`, query.Options{})
	want := []pgvigil.Predicate{
		{Table: "b", Column: "id", Op: "=", Join: true},
		{Table: "x", Column: "id", Op: "=", Join: true},
		{Table: "a", Column: "k", Op: "="},
	}
	if diff := cmp.Diff(want, q.Predicates); diff != "" {
		t.Errorf("predicates (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b", "a"}, q.Tables); diff != "" || q.Verb != "delete" {
		t.Errorf("verb %s, tables (-want +got):\n%s", q.Verb, diff)
	}
}
