package query_test

import (
	"testing"

	"github.com/pgvigil/pgvigil/query"
)

func TestDefinitionsKeepWhatSchemasAreMadeOf(t *testing.T) {
	kept := map[string]string{
		"a partial index":        `CREATE INDEX i ON public.jobs USING btree (a, lower((b)::text) DESC) WITH (fillfactor='70') WHERE ((status)::text = 'pending'::text)`,
		"states":                 `((status)::text = ANY ((ARRAY['created'::character varying, 'pending'::character varying])::text[]))`,
		"an array":               `(status = ANY ('{created,pending}'::text[]))`,
		"a class":                `CREATE INDEX i ON ci_builds USING btree (id) WHERE ((type)::text = 'Ci::Build'::text)`,
		"a small number":         `CHECK ((char_length(name) <= 255))`,
		"a bound of dates":       `FOR VALUES FROM ('2026-08-01 00:00:00+00') TO (MAXVALUE)`,
		"a bound of numbers":     `FOR VALUES FROM ('-1') TO ('123456789012')`,
		"a bound of a list":      `FOR VALUES IN ('102', 'web', NULL)`,
		"a hash partition":       `FOR VALUES WITH (modulus 4, remainder 0)`,
		"a type's length":        `((a)::numeric(10,2) > 0.5)`,
		"a reference":            `FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE`,
		"a text search":          `to_tsvector('english'::regconfig, body)`,
		"a time":                 `(created_at > '2026-01-01 00:00:00'::timestamp without time zone)`,
		"an interval":            `(age > '30 days'::interval)`,
		"a secret's column":      `CREATE UNIQUE INDEX i ON users USING btree (reset_token) WITH (fillfactor='90') WHERE (reset_token IS NOT NULL)`,
		"a secret in its name":   `CREATE INDEX users_token_web ON users USING btree (id) WHERE (kind = 'web'::text)`,
		"nothing":                ``,
		"an upper-case constant": `(state = 'IN_PROGRESS'::text)`,
	}
	for name, def := range kept {
		t.Run(name, func(t *testing.T) {
			if got := query.MaskDefinition(def); got != def || query.HasHidden(got) {
				t.Errorf("MaskDefinition(%q) = %q; want it as it is", def, got)
			}
		})
	}
}

func TestDefinitionsHideWhatCouldBeASecret(t *testing.T) {
	tests := map[string]struct{ def, want string }{
		"a word with digits":  {`(name = 'hunter2'::text)`, `(name = $1::text)`},
		"a secret's column":   {`(token = 'sesame'::text)`, `(token = $1::text)`},
		"a secret's number":   {`CHECK ((pin <> 4711))`, `CHECK ((pin <> $1))`},
		"a large number":      {`(project_id = 12345678)`, `(project_id = $1)`},
		"in an array":         {`(name = ANY ('{web,hunter2}'::text[]))`, `(name = ANY ($1::text[]))`},
		"a bound":             {`FOR VALUES IN ('hunter2', 'web')`, `FOR VALUES IN ($1, 'web')`},
		"an address":          {`CHECK ((owner <> 'a@b.org'::text))`, `CHECK ((owner <> $1::text))`},
		"an escape string":    {`(a ~ E'x\\d+')`, `(a ~ $1)`},
		"a bit string":        {`(a = B'0101')`, `(a = $1)`},
		"an expression":       {`md5((name || 'hunter2salt'::text))`, `md5((name || $1::text))`},
		"a key of an index":   {`CREATE INDEX i ON t USING btree (md5((a || 'salt 7'::text)))`, `CREATE INDEX i ON t USING btree (md5((a || $1::text)))`},
		"a generated string":  {`(a = 'QWxhZGRpbjpvcGVuc2VzYW1l'::text)`, `(a = $1::text)`},
		"a name behind a reg": {`nextval('x y 7'::regclass)`, `nextval($1::regclass)`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := query.MaskDefinition(test.def)
			if got != test.want || !query.HasHidden(got) {
				t.Errorf("MaskDefinition(%q) = %q, hidden %v; want %q", test.def, got, query.HasHidden(got), test.want)
			}
		})
	}
}
