package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

// names are those of a database in which events is partitioned.
var names = Names{
	Tables: map[string]string{
		"events_1": "public.events", "public.events_1": "public.events", "events_2": "public.events", "public.events_2": "public.events",
		"jobs": "public.jobs",
	},
	Indexes: map[string]string{"events_1_at": "events_at", "events_2_at": "events_at"},
}

// pairs are plans as text (of PostgreSQL 15) and as JSON.
var pairs = map[string]struct{ text, json string }{
	"a scan": {
		"Seq Scan on public.jobs  (cost=0.00..10.00 rows=5 width=4)\n  Filter: (jobs.status = 'x'::text)",
		`{"Node Type": "Seq Scan", "Relation Name": "jobs", "Schema": "public", "Alias": "jobs", "Total Cost": 10, "Filter": "(jobs.status = 'x'::text)"}`,
	},
	"a scan of an index, backward, of an alias": {
		"Limit  (cost=0.29..1.00 rows=1 width=4)\n  ->  Index Scan Backward using jobs_pkey on jobs j  (cost=0.29..9.00 rows=5 width=4)\n        Index Cond: (j.id = 5)",
		`{"Node Type": "Limit", "Total Cost": 1, "Plans": [{"Node Type": "Index Scan", "Parent Relationship": "Outer", "Scan Direction": "Backward", "Index Name": "jobs_pkey", "Relation Name": "jobs", "Alias": "j", "Index Cond": "(j.id = 5)"}]}`,
	},
	"bitmaps": {
		"Bitmap Heap Scan on jobs  (cost=4.30..9.00 rows=5 width=4)\n  Recheck Cond: (id = 1)\n  ->  Bitmap Index Scan on jobs_pkey  (cost=0.00..4.29 rows=5 width=0)\n        Index Cond: (id = 1)",
		`{"Node Type": "Bitmap Heap Scan", "Relation Name": "jobs", "Alias": "jobs", "Total Cost": 9, "Plans": [{"Node Type": "Bitmap Index Scan", "Index Name": "jobs_pkey"}]}`,
	},
	"joins and aggregates": {
		"Finalize GroupAggregate  (cost=1.00..2.00 rows=5 width=4)\n  Group Key: a.id\n  ->  Hash Left Join  (cost=1.00..2.00 rows=5 width=4)\n        Hash Cond: (a.id = b.id)\n        ->  Nested Loop Anti Join  (cost=1.00..2.00 rows=5 width=4)\n              ->  Parallel Seq Scan on a  (cost=1.00..2.00 rows=5 width=4)\n              ->  CTE Scan on x  (cost=1.00..2.00 rows=5 width=4)\n        ->  Hash  (cost=1.00..2.00 rows=5 width=4)\n              ->  Function Scan on generate_series b  (cost=1.00..2.00 rows=5 width=4)",
		`{"Node Type": "Aggregate", "Strategy": "Sorted", "Partial Mode": "Finalize", "Total Cost": 2, "Plans": [{"Node Type": "Hash Join", "Join Type": "Left", "Plans": [
			{"Node Type": "Nested Loop", "Join Type": "Anti", "Parent Relationship": "Outer", "Plans": [{"Node Type": "Seq Scan", "Parallel Aware": true, "Relation Name": "a", "Alias": "a"}, {"Node Type": "CTE Scan", "CTE Name": "x", "Alias": "x"}]},
			{"Node Type": "Hash", "Parent Relationship": "Inner", "Plans": [{"Node Type": "Function Scan", "Function Name": "generate_series", "Alias": "b"}]}]}]}`,
	},
	"subplans": {
		"Seq Scan on jobs  (cost=0.00..10.00 rows=5 width=4)\n  Filter: (id = $0)\n  InitPlan 1 (returns $0)\n    ->  Result  (cost=0.00..0.01 rows=1 width=4)\n  SubPlan 2\n    ->  Seq Scan on a  (cost=0.00..0.01 rows=1 width=4)",
		`{"Node Type": "Seq Scan", "Relation Name": "jobs", "Alias": "jobs", "Total Cost": 10, "Filter": "(id = $0)", "Plans": [{"Node Type": "Result", "Parent Relationship": "InitPlan", "Subplan Name": "InitPlan 1 (returns $0)"}, {"Node Type": "Seq Scan", "Relation Name": "a", "Alias": "a", "Parent Relationship": "SubPlan", "Subplan Name": "SubPlan 2"}]}`,
	},
	"partitions": {
		"Append  (cost=0.00..20.00 rows=10 width=4)\n  ->  Index Only Scan using events_1_at on events_1  (cost=0.00..10.00 rows=5 width=4)\n  ->  Index Only Scan using events_2_at on events_2  (cost=0.00..10.00 rows=5 width=4)",
		`{"Node Type": "Append", "Total Cost": 20, "Plans": [{"Node Type": "Index Only Scan", "Parent Relationship": "Member", "Index Name": "events_1_at", "Relation Name": "events_1", "Schema": "public", "Alias": "events"}]}`,
	},
	"writes": {
		"Update on public.jobs  (cost=0.00..10.00 rows=0 width=0)\n  ->  Seq Scan on public.jobs  (cost=0.00..10.00 rows=5 width=4)",
		`{"Node Type": "ModifyTable", "Operation": "Update", "Relation Name": "jobs", "Schema": "public", "Alias": "jobs", "Total Cost": 10, "Plans": [{"Node Type": "Seq Scan", "Relation Name": "jobs", "Schema": "public", "Alias": "jobs"}]}`,
	},
	"quoted names": {
		"Seq Scan on \"My Schema\".\"On using\" \"x on\"  (cost=0.00..10.00 rows=5 width=4)",
		`{"Node Type": "Seq Scan", "Relation Name": "On using", "Schema": "My Schema", "Alias": "x on", "Total Cost": 10}`,
	},
}

func read(t *testing.T, text, json string) (fromText, fromJSON pgvigil.Plan) {
	t.Helper()
	a, err := ReadText(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadJSON([]byte(`[{"Plan": ` + json + `, "Planning Time": 0.2}]`))
	if err != nil {
		t.Fatal(err)
	}
	return a.Describe(names), b.Describe(names)
}

func TestTextAndJSONAreOnePlan(t *testing.T) {
	for name, tt := range pairs {
		t.Run(name, func(t *testing.T) {
			a, b := read(t, tt.text, tt.json)
			if a.Hash != b.Hash || a.Cost != b.Cost {
				t.Errorf("hash %s of the text, %s of JSON; costs %v, %v\n%s\n%s", a.Hash, b.Hash, a.Cost, b.Cost, a.Text, b.Text)
			}
			if diff := cmp.Diff(a.Steps, b.Steps); diff != "" {
				t.Errorf("steps of the text -, of JSON +\n%s", diff)
			}
		})
	}
}

func TestShapesThatDifferHaveOtherHashes(t *testing.T) {
	seen := map[pgvigil.PlanHash]string{}
	for name, tt := range pairs {
		_, p := read(t, tt.text, tt.json)
		if other, ok := seen[p.Hash]; ok {
			t.Errorf("%s and %s have the hash %s", name, other, p.Hash)
		}
		seen[p.Hash] = name
	}
	const scan = `{"Node Type": "Index Scan", "Index Name": "jobs_pkey", "Relation Name": "jobs", "Total Cost": 10, "Plan Rows": 5, "Workers Planned": 2}`
	_, base := read(t, pairs["a scan"].text, scan)
	for change, same := range map[string]bool{
		`"Total Cost": 99`:               true,
		`"Plan Rows": 99`:                true,
		`"Workers Planned": 4`:           true,
		`"Index Name": "jobs_other"`:     false,
		`"Relation Name": "pipelines"`:   false,
		`"Scan Direction": "Backward"`:   false,
		`"Node Type": "Index Only Scan"`: false,
	} {
		key := change[:strings.Index(change, ":")]
		changed := strings.TrimSuffix(scan, "}") + ", " + change + "}" // the last of two keys counts
		if _, p := read(t, pairs["a scan"].text, changed); (p.Hash == base.Hash) != same {
			t.Errorf("with another %s the hash is the same: %v; want %v", key, p.Hash == base.Hash, same)
		}
	}
}

func TestNoConstantIsShown(t *testing.T) {
	const secret = "hunter2"
	a, b := read(t,
		"Seq Scan on jobs  (cost=0.00..10.00 rows=5 width=4)\n  Filter: ((status = 'hunter2'::text) AND (code = 123456789))\n  Settings: search_path = 'hunter2', work_mem = '64MB'",
		`{"Node Type": "Sort", "Sort Key": ["(CASE WHEN (a = 'hunter2'::text) THEN 1 ELSE 0 END)"], "Plans": [{"Node Type": "Result", "One-Time Filter": "('hunter2'::text = $1)", "Join Filter": "(x ~ 'hunter2')"}]}`)
	for _, p := range []pgvigil.Plan{a, b} {
		if strings.Contains(p.Text, secret) || strings.Contains(p.Text, "123456789") || len(p.Settings) > 1 {
			t.Errorf("a constant is shown: %v\n%s", p.Settings, p.Text)
		}
	}
}

func TestBrokenPlansAreRefused(t *testing.T) {
	deep := strings.Repeat(`{"Node Type": "Limit", "Plans": [`, 300) + `{"Node Type": "Result"}` + strings.Repeat("]}", 300)
	for name, json := range map[string]string{
		"no JSON":           `{"Plan": hunter2`,
		"no plan":           `[{"x": 1}]`,
		"two plans":         `[{"Plan": {"Node Type": "Result"}}, {"Plan": {"Node Type": "Result"}}]`,
		"a wrong type":      `[{"Plan": {"Node Type": 5}}]`,
		"no kind":           `[{"Plan": {}}]`,
		"too deep":          `[{"Plan": ` + deep + `}]`,
		"longer than it is": `[{"Plan": "` + strings.Repeat("x", maxBytes) + `"}]`,
	} {
		if _, err := ReadJSON([]byte(json)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: ReadJSON = %v; want an error that quotes nothing", name, err)
		}
	}
	for name, text := range map[string]string{
		"nothing":   "",
		"no plan":   "hello\nworld",
		"two roots": "          Result  (cost=0.00..0.01 rows=1 width=4)\n->  Result  (cost=0.00..0.01 rows=1 width=4)",
	} {
		if _, err := ReadText(text); err == nil {
			t.Errorf("%s: ReadText succeeded", name)
		}
	}
}

func FuzzReadText(f *testing.F) {
	for _, tt := range pairs {
		f.Add(tt.text)
		f.Add("Query Text: SELECT 1\n" + tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if tree, err := ReadText(text); err == nil {
			if p := tree.Describe(names); p.Hash == 0 || p.Text == "" || len(p.Text) > maxText+(8<<10) {
				t.Errorf("Describe of %q: hash %s, %d bytes of text", text, p.Hash, len(p.Text))
			}
		}
	})
}

func FuzzReadJSON(f *testing.F) {
	for _, tt := range pairs {
		f.Add([]byte(`[{"Plan": ` + tt.json + `}]`))
		f.Add([]byte(`{"Query Text": "SELECT 1", "Plan": ` + tt.json + `}`))
	}
	f.Fuzz(func(t *testing.T, json []byte) {
		if tree, err := ReadJSON(json); err == nil {
			if p := tree.Describe(names); p.Hash == 0 || p.Text == "" {
				t.Errorf("Describe of %q: hash %s, text %q", json, p.Hash, p.Text)
			}
		}
	})
}
