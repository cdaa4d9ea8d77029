package query_test

import (
	"testing"

	"github.com/pgvigil/pgvigil/query"
)

func TestLabelsShowNamesAndNoKeys(t *testing.T) {
	tests := map[string]struct{ label, want string }{
		"a program":           {"psql", "psql"},
		"a driver":            {"PostgreSQL JDBC Driver", "PostgreSQL JDBC Driver"},
		"a process":           {"puma: cluster worker 0: 12345 [gitlab]", "puma: cluster worker 0: * [gitlab]"},
		"a version":           {"Sidekiq 6.5 web01", "Sidekiq 6.5 web01"},
		"a key":               {"app hunter2Zq9", "app *"},
		"parts of a key":      {"tok-9f8a7b6c-0001", "tok-*-*"},
		"an assignment":       {"app password=sesame", "app password*"},
		"a connection string": {"postgres://bob:hunter2Zq9@db/ci", "postgres://bob:**"},
		"behind a token":      {"token sesame", "token*"},
		"a quote":             {"it's sesame", "it*"},
		"nothing":             {"", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := query.MaskLabel(test.label); got != test.want {
				t.Errorf("MaskLabel(%q) = %q; want %q", test.label, got, test.want)
			}
		})
	}
}
