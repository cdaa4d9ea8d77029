package conninfo

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

func TestTLSIsVerifiedOffThisMachine(t *testing.T) {
	tests := map[string]struct {
		dsn, pghost string
		verify      bool
	}{
		"a host":                        {"host=db1 user=x", "", true},
		"a URL":                         {"postgres://x@db1/d", "", true},
		"a URL with parameters":         {"postgres://x:p%20w@db1:5433/d?application_name=a", "", true},
		"a public address":              {"host=192.0.2.1", "", true},
		"several hosts, one remote":     {"host=localhost,db1", "", true},
		"a URL of several hosts":        {"postgres://x@localhost:1,db1:2/d", "", true},
		"a host in a parameter":         {"postgres:///d?host=db1", "", true},
		"a host from the environment":   {"user=x", "db1", true},
		"a host that looks local":       {"host=localhost.example.com", "", true},
		"loopback":                      {"host=127.0.0.2", "", false},
		"IPv6 loopback":                 {"postgres://x@[::1]:5432/d", "", false},
		"localhost":                     {"host=LOCALHOST", "", false},
		"a socket":                      {"host=/var/run/postgresql", "", false},
		"an escaped socket":             {"postgres://x@%2Frun%2Fpg/d", "", false},
		"the default socket":            {"user=x", "", false},
		"told otherwise":                {"host=db1 sslmode=require", "", false},
		"told otherwise in a URL":       {"postgres://db1/d?sslmode=prefer", "", false},
		"told otherwise by ssl=true":    {"postgres://db1/d?ssl=true", "", false},
		"with quotes and backslashes":   {`host = 'db1' password='a\'b\\ c'`, "", true},
		"a password with sslmode in it": {"host=db1 password='sslmode=disable'", "", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			info, err := Parse(pgvigil.Secret(tt.dsn))
			if err != nil {
				t.Fatal(err)
			}
			got := info.Secured(environment("PGHOST", tt.pghost)).Text()
			if verify := strings.Contains(got.Reveal(), "sslmode=verify-full") || strings.HasPrefix(got.Reveal(), "sslmode='verify-full'"); verify != tt.verify {
				t.Errorf("Secured(%s) = %s; want verify-full: %v", tt.dsn, got.Reveal(), tt.verify)
			}
			conf, err := pgx.ParseConfig(got.Reveal())
			if err != nil {
				t.Fatalf("pgx does not read %s: %v", got.Reveal(), err)
			}
			if tt.verify && tt.pghost == "" && (conf.TLSConfig == nil && len(conf.Fallbacks) == 0 || conf.TLSConfig != nil && conf.TLSConfig.InsecureSkipVerify) {
				t.Errorf("pgx would not verify the server of %s", got.Reveal())
			}
		})
	}
}

func TestAPasswordSurvivesAnyConnectionString(t *testing.T) {
	for _, password := range []string{`a'b\c`, "p&w=1?#%+ ", "ü\tö", "@:/"} {
		for _, base := range []string{"host=localhost user=x", "postgres://x@localhost:5432/d", "postgres://x@localhost/d?connect_timeout=3"} {
			d, err := Parse(pgvigil.Secret(base))
			if err != nil {
				t.Fatal(err)
			}
			conf, err := pgx.ParseConfig(d.With("password", password).Text().Reveal())
			if err != nil {
				t.Errorf("with password %q, pgx does not read %s", password, base)
				continue
			}
			if conf.Password != password {
				t.Errorf("password in %s = %q; want %q", base, conf.Password, password)
			}
		}
	}
}

func TestBrokenConnectionStringsAreNotShown(t *testing.T) {
	for _, bad := range []string{
		"host='swordfish", "swordfish", "=swordfish", "host swordfish=1", "http://swordfish@x",
		"postgres://u:swordfish #@h/d", "postgres://u:p@h/d?password=%zzswordfish", "a\x00swordfish",
	} {
		_, err := Parse(pgvigil.Secret(bad))
		if err == nil || strings.Contains(err.Error(), "swordfish") || pgvigil.Advice(err) == "" {
			t.Errorf("Parse(%q) = %v; want an error with advice that does not show it", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("host=a user='b\\'c'")
	f.Add("host=")
	f.Add("postgres://u:p@[::1]:1,b/d?x=y")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(pgvigil.Secret(s))
		if err != nil {
			return
		}
		before, err := pgx.ParseConfig(s)
		if err != nil {
			return
		}
		after, err := pgx.ParseConfig(d.With("password", "p").Text().Reveal())
		if err != nil {
			t.Fatalf("with a password, pgx no longer reads %q: %v", s, err)
		}
		if after.Host != before.Host || after.Password != "p" {
			t.Errorf("with a password, %q leads to %q, password %q; want %q, p", s, after.Host, after.Password, before.Host)
		}
		if !d.Local(environment()) && localHost(before.Host) && len(before.Fallbacks) == 0 {
			return // stricter than needed: an alias of this machine
		}
		if d.Local(environment()) && !localHost(before.Host) {
			t.Errorf("%q counts as local and leads to %q", s, before.Host)
		}
	})
}
