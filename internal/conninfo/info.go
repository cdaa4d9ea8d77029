package conninfo

import (
	"errors"
	"maps"
	"net/url"
	"regexp"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// Info is a connection string with what has to be known of it: which
// parameters it names and which hosts it leads to. Its text is in no error.
type Info struct {
	text   pgvigil.Secret
	url    bool
	params map[string]string
}

// Parse reads a connection string in either of libpq's forms. Errors are
// *pgvigil.Hint and show nothing of it.
func Parse(text pgvigil.Secret) (Info, error) {
	s := text.Reveal()
	if strings.ContainsRune(s, 0) {
		return Info{}, hint("the connection string holds a zero byte", "write it without")
	}
	i := Info{text: text}
	var err error
	if rest, ok := cutScheme(s); ok {
		i.url = true
		i.params, err = urlParams(rest)
	} else if strings.Contains(s, "://") && !strings.Contains(strings.SplitN(s, "://", 2)[0], "=") {
		err = hint("the connection string is a URL of another kind", "begin it with postgres://")
	} else {
		i.params, err = wordParams(s)
	}
	if err == nil && (i.params["service"] != "" || i.params["servicefile"] != "") {
		err = hint("the connection string names a service of pg_service.conf, and pgvigil reads no service files",
			"write host, port, user and dbname of the service instead")
	}
	if err != nil {
		return Info{}, err
	}
	return i, nil
}

func cutScheme(s string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(s, "postgres://"); ok {
		return rest, true
	}
	return strings.CutPrefix(s, "postgresql://")
}

// Of makes a connection string of words: names and values in turn. Empty
// values are left out.
func Of(pairs ...string) Info {
	i := Info{params: map[string]string{}}
	for n := 0; n+1 < len(pairs); n += 2 {
		if name, value := pairs[n], pairs[n+1]; value != "" {
			i = i.With(name, value)
		}
	}
	return i
}

// Text returns the connection string, password included.
func (i Info) Text() pgvigil.Secret { return i.text }

// Param returns what the string says of a parameter by libpq's name (host,
// dbname, sslmode), "" if nothing.
func (i Info) Param(name string) string { return i.params[name] }

func hint(text, advice string) error {
	return &pgvigil.Hint{Err: errors.New(text), Advice: advice}
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

// With returns the connection string with one parameter added that it does not
// name yet. It goes to the front of words: behind a last "name=" it would be
// taken for that one's value.
func (i Info) With(name, value string) Info {
	text := i.text.Reveal()
	if !i.url {
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
	params := maps.Clone(i.params)
	params[name] = value
	return Info{pgvigil.Secret(strings.TrimSpace(text)), i.url, params}
}

func quoteWord(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}
