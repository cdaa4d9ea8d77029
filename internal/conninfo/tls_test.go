package conninfo

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// environment is an environment of names and values in turn.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for n := 0; n+1 < len(pairs); n += 2 {
			if pairs[n] == name {
				return pairs[n+1]
			}
		}
		return ""
	}
}

func TestTheModeOfTLSIsToldOrVerifyFull(t *testing.T) {
	tests := map[string]struct{ dsn, pgsslmode, want string }{
		"nothing told, far away":            {"host=db1", "", "verify-full"},
		"nothing told, here":                {"host=/tmp", "", ""},
		"told by the string":                {"host=db1 sslmode=require", "disable", "require"},
		"told by the environment":           {"host=db1", "require", "require"},
		"told here, too":                    {"host=localhost sslmode=verify-ca", "", "verify-ca"},
		"a password that looks like a mode": {"host=db1 password=sslmode=disable", "", "verify-full"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			info, err := Parse(pgvigil.Secret(tt.dsn))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode(environment("PGSSLMODE", tt.pgsslmode)); got != tt.want {
				t.Errorf("Mode of %q = %q; want %q", tt.dsn, got, tt.want)
			}
		})
	}
}

// TestTheDriverIsHeldToTheRule is about what the driver reads beside the
// connection string: a way that does not verify is noticed.
func TestTheDriverIsHeldToTheRule(t *testing.T) {
	tests := map[string]struct {
		dsn  string
		want bool
	}{
		"verified":                 {"host=db1 sslmode=verify-full", true},
		"here, without TLS":        {"host=/tmp", true},
		"far away, prefer":         {"host=db1 sslmode=prefer", false},
		"far away, without TLS":    {"host=db1 sslmode=disable", false},
		"the second host far away": {"host=/tmp,db1 sslmode=prefer", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, err := pgx.ParseConfig(tt.dsn)
			if err != nil {
				t.Fatal(err)
			}
			if got := verifies(config); got != tt.want {
				t.Errorf("verifies(%s) = %v; want %v", tt.dsn, got, tt.want)
			}
		})
	}
}

func TestTLSVerifiesTheNameOffThisMachine(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	tests := map[string]struct {
		dsn    string
		tls    bool
		verify bool
	}{
		"another host":                 {"host=db.example.com user=u password=p", true, true},
		"another host by URL":          {"postgres://u:p@db.example.com/x", true, true},
		"another host by URL, options": {"postgres://u:p@db.example.com/x?application_name=y", true, true},
		"a question mark in the user":  {"postgresql://u%3F:p@db.example.com", true, true},
		"one of several":               {"host=localhost,db.example.com user=u", true, true},
		"told to do without":           {"host=db.example.com user=u sslmode=disable", false, false},
		"told to encrypt only":         {"host=db.example.com user=u sslmode=require", true, false},
		"loopback":                     {"host=127.0.0.1 user=u sslmode=disable", false, false},
		"a Unix socket":                {"host=/tmp user=u", false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, err := Read("ci", pgvigil.Secret(tt.dsn))
			if err != nil {
				t.Fatal(err)
			}
			if got := config.TLSConfig != nil; got != tt.tls {
				t.Errorf("TLS is %v; want %v", got, tt.tls)
			}
			if tt.verify && !verifies(config) {
				t.Error("the server is not verified on every way")
			}
		})
	}
}
