package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// dsn is a connection string with what has to be known of it here: which
// parameters it names and which hosts it leads to. Its text is never in an
// error.
type dsn struct {
	text   pgvigil.Secret
	url    bool
	params map[string]string
}

// parseDSN reads a connection string in either of libpq's forms.
func parseDSN(text pgvigil.Secret) (dsn, error) {
	s := text.Reveal()
	if strings.ContainsRune(s, 0) {
		return dsn{}, hint("the connection string holds a zero byte", "write it without")
	}
	for _, scheme := range []string{"postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(s, scheme); ok {
			params, err := urlParams(rest)
			return dsn{text, true, params}, err
		}
	}
	if strings.Contains(s, "://") && !strings.Contains(strings.SplitN(s, "://", 2)[0], "=") {
		return dsn{}, hint("the connection string is a URL of another kind", "begin it with postgres://")
	}
	params, err := wordParams(s)
	return dsn{text, false, params}, err
}

// urlParams takes a URL apart by hand, in the order in which pgx does: several
// hosts with ports are no URL to net/url, and its errors quote the password.
func urlParams(rest string) (map[string]string, error) {
	if strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r == '#' }) {
		return nil, hint("the connection URL holds a space or #", "write special characters of the password as %20, %23 and so on")
	}
	params := map[string]string{}
	user, rest := cutUser(rest)
	params["user"], params["password"], _ = strings.Cut(user, ":")
	rest, query, _ := strings.Cut(rest, "?")
	hosts, database, _ := strings.Cut(rest, "/")
	if !urlAuthority.MatchString(hosts) {
		return nil, hint("the hosts of the connection URL cannot be read", "write host:port, several with commas, IPv6 addresses in brackets, @ and / of the password as %40 and %2F")
	}
	params["host"], params["dbname"] = urlHosts(hosts), database
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, hint("the parameters of the connection URL cannot be read", "write ?name=value&name=value, special characters as %xx")
	}
	for name, list := range values {
		if len(list) > 1 {
			return nil, hint("the connection URL gives a parameter twice", "keep one of them")
		}
		params[name] = list[0]
	}
	if params["ssl"] == "true" && params["sslmode"] == "" {
		params["sslmode"] = "require"
	}
	return params, nil
}

// cutUser parts "user:password@rest"; only a slash ends the search for the @.
func cutUser(s string) (user, rest string) {
	if i := strings.IndexAny(s, "@/"); i >= 0 && s[i] == '@' {
		return s[:i], s[i+1:]
	}
	return "", s
}

// urlAuthority is hosts with ports. Whatever is odder, pgx could understand in
// another way than we do.
var urlAuthority = regexp.MustCompile(`^((\[[0-9A-Za-z:.%_-]+\]|[0-9A-Za-z.%_~-]*)(:[0-9]*)?(,|$))*$`)

// urlHosts returns the hosts of "a:1,[::1]:2" as "a,::1". An escaped comma
// parts hosts too.
func urlHosts(authority string) string {
	hosts := strings.Split(authority, ",")
	for i, h := range hosts {
		if in, ok := strings.CutPrefix(h, "["); ok {
			hosts[i], _, _ = strings.Cut(in, "]")
		} else {
			hosts[i], _, _ = strings.Cut(h, ":")
		}
	}
	all := strings.Join(hosts, ",")
	if plain, err := url.PathUnescape(all); err == nil {
		return plain
	}
	return all
}

// wordParams reads "host=a user='b c'".
func wordParams(s string) (map[string]string, error) {
	params := map[string]string{}
	bad := hint("the connection string cannot be read", "write host=... user=... dbname=..., values with spaces in single quotes, or a URL postgres://user@host/database")
	for {
		if s = strings.TrimLeft(s, " \t\r\n"); s == "" {
			return params, nil
		}
		name, rest, ok := strings.Cut(s, "=")
		name = strings.TrimRight(name, " \t\r\n")
		if !ok || name == "" || strings.ContainsAny(name, " \t\r\n'") {
			return nil, bad
		}
		value, rest, ok := wordValue(strings.TrimLeft(rest, " \t\r\n"))
		if !ok {
			return nil, bad
		}
		if name == "database" {
			name = "dbname"
		}
		if _, twice := params[name]; twice {
			return nil, hint("the connection string gives a parameter twice", "keep one of them")
		}
		params[name] = value
		s = rest
	}
}

// wordValue reads one value, quoted or not, and returns what follows it.
func wordValue(s string) (value, rest string, ok bool) {
	quoted := strings.HasPrefix(s, "'")
	var b strings.Builder
	i := 0
	if quoted {
		i = 1
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case quoted && c == '\'':
			return b.String(), s[i+1:], true
		case !quoted && strings.IndexByte(" \t\r\n", c) >= 0:
			return b.String(), s[i:], true
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", !quoted
}

// with returns the connection string with one parameter added that it does not
// name yet. It goes to the front of words: behind a last "name=" it would be
// taken for that one's value.
func (d dsn) with(name, value string) dsn {
	text := d.text.Reveal()
	if !d.url {
		text = name + "=" + quoteWord(value) + " " + text
	} else {
		_, rest, _ := strings.Cut(text, "://")
		_, rest = cutUser(rest)
		sep := "?"
		if _, query, asked := strings.Cut(rest, "?"); asked && query == "" {
			sep = ""
		} else if asked {
			sep = "&"
		}
		text += sep + name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	}
	d.text = pgvigil.Secret(strings.TrimSpace(text))
	return d
}

func quoteWord(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

// serviceFile says that the string takes its values from elsewhere.
func (d dsn) serviceFile() bool {
	return d.params["service"] != "" || d.params["servicefile"] != ""
}

// local says that every host is this machine: a Unix socket or loopback. A
// string without a host leads where PGHOST says.
func (d dsn) local(pghost string) bool {
	hosts := d.params["host"]
	if addr := d.params["hostaddr"]; addr != "" {
		hosts = addr
	}
	if hosts == "" {
		hosts = pghost
	}
	for h := range strings.SplitSeq(hosts, ",") {
		if !localHost(h) {
			return false
		}
	}
	return true
}

// localHost says that a host is a socket directory, empty (the default socket
// directory) or loopback.
func localHost(h string) bool {
	if h == "" || strings.HasPrefix(h, "/") || strings.HasPrefix(h, "@") || strings.EqualFold(h, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(h)
	return err == nil && ip.Unmap().IsLoopback()
}

// secured returns the string with verify-full where it names no sslmode and
// leads off this machine.
func (d dsn) secured(pghost string) dsn {
	if d.params["sslmode"] != "" || d.local(pghost) {
		return d
	}
	return d.with("sslmode", "verify-full")
}

// dsnOf makes a connection string of a target's fields.
func (t Target) dsnOf() dsn {
	port, database := t.Port, t.Database
	if port == 0 {
		port = 5432
	}
	if database == "" {
		database = "postgres"
	}
	d := dsn{params: map[string]string{"host": t.Host, "sslmode": t.SSLMode}}
	for _, p := range [][2]string{
		{"host", t.Host},
		{"port", strconv.Itoa(port)},
		{"user", t.User},
		{"dbname", database},
		{"sslmode", t.SSLMode},
		{"sslrootcert", t.SSLRootCert},
	} {
		if p[1] != "" {
			d = d.with(p[0], p[1])
		}
	}
	return d
}
