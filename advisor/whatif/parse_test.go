package whatif_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil/advisor/whatif"
)

func TestParseIndexReadsWhatTheServerWrote(t *testing.T) {
	tests := map[string]struct {
		def  string
		want whatif.Index
	}{
		"directions and nulls": {
			"CREATE INDEX i ON public.jobs USING btree (a DESC, b NULLS FIRST, c DESC NULLS LAST)",
			whatif.Index{Name: "i", Schema: "public", Table: "jobs", Method: "btree", Keys: []whatif.Key{
				{Column: "a", Desc: true}, {Column: "b", Nulls: "first"}, {Column: "c", Desc: true, Nulls: "last"},
			}},
		},
		"payload, storage and predicate": {
			"CREATE UNIQUE INDEX i ON public.jobs USING btree (a) INCLUDE (b, c) NULLS NOT DISTINCT WITH (fillfactor='70') WHERE (d IS NULL)",
			whatif.Index{
				Name: "i", Schema: "public", Table: "jobs", Method: "btree", Unique: true,
				Keys: []whatif.Key{{Column: "a"}}, Include: []string{"b", "c"},
				Storage: "NULLS NOT DISTINCT WITH (fillfactor='70')", Predicate: "(d IS NULL)", Folded: "(d IS NULL)",
			},
		},
		"an expression and an operator class": {
			"CREATE INDEX i ON ONLY s.t USING gin (name gin_trgm_ops, lower((b)::text), ((c ->> 'x'::text)))",
			whatif.Index{Name: "i", Schema: "s", Table: "t", Method: "gin", Keys: []whatif.Key{
				{Column: "name", Class: "gin_trgm_ops"}, {Expr: "lower((b)::text)"}, {Expr: "((c ->> 'x'::text))"},
			}},
		},
		"hostile names": {
			`CREATE INDEX "a""; DROP TABLE x; --" ON "S"."t ( on" USING btree ("c,d" DESC)`,
			whatif.Index{
				Name: `a"; DROP TABLE x; --`, Schema: "S", Table: "t ( on", Method: "btree",
				Keys: []whatif.Key{{Column: "c,d", Desc: true}},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := whatif.ParseIndex(tt.def)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ParseIndex(%q) (-want +got):\n%s", tt.def, diff)
			}
		})
	}
}

func TestFoldWritesWhatThePlannerSees(t *testing.T) {
	tests := map[string]struct{ predicate, want string }{
		"a list of varchar": {
			"((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
			`((status)::text = ANY (('{"a","b"}'::text[])))`,
		},
		"a list of text":    {"(status = ANY (ARRAY['a'::text, 'it''s'::text]))", `(status = ANY ('{"a","it''s"}'::text[]))`},
		"a list of numbers": {"(n = ANY (ARRAY[1, 2]))", `(n = ANY ('{"1","2"}'::integer[]))`},
		"anything else":     {"(lower(x) = 'ARRAY'::text)", "(lower(x) = 'ARRAY'::text)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := whatif.Fold(tt.predicate); got != tt.want {
				t.Errorf("Fold(%q) = %q; want %q", tt.predicate, got, tt.want)
			}
		})
	}
}
