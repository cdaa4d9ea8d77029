package serverlog

import (
	"regexp"
	"strings"
)

// severities are the words that follow the prefix of a line of text.
const severities = `DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|STATEMENT|LOCATION|BACKTRACE`

// fields are what an escape of log_line_prefix stands for, as an expression, by
// its letter. Names are anybody's text, without a line's end.
var fields = map[byte]string{
	'a': `[^\n]*?`, 'u': `[^\n]*?`, 'd': `[^\n]*?`, 'r': `[^\n]*?`, 'h': `[^\n]*?`, 'L': `[^\n]*?`, 'b': `[^\n]*?`, 'i': `[^\n]*?`,
	'p': `[0-9]+`, 'P': `[0-9]*`, 'l': `[0-9]+`, 'x': `[0-9]+`, 'Q': `-?[0-9]*`, 'e': `[0-9A-Z]{5}`, 'c': `[0-9a-f.]+`, 'v': `[0-9/-]*`,
	't': `[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} [A-Za-z0-9+:/_-]+`, 's': `[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} [A-Za-z0-9+:/_-]+`,
	'm': `[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{3} [A-Za-z0-9+:/_-]+`, 'n': `[0-9]+\.[0-9]{3}`,
}

// prefix recognizes the beginnings of records.
type prefix struct {
	line  *regexp.Regexp
	names []string // of its groups, one letter each, "" for others
}

// maxPrefix bounds log_line_prefix.
const maxPrefix = 500

// compilePrefix turns log_line_prefix into an expression. Sessions stop at %q
// where a server process has nothing to say.
func compilePrefix(linePrefix string) *prefix {
	if len(linePrefix) > maxPrefix {
		linePrefix = linePrefix[:maxPrefix]
	}
	var b strings.Builder
	b.WriteString(`^`)
	optional, seen := false, map[byte]bool{}
	for i := 0; i < len(linePrefix); i++ {
		if linePrefix[i] != '%' || i+1 == len(linePrefix) {
			b.WriteString(regexp.QuoteMeta(linePrefix[i : i+1]))
			continue
		}
		i++
		padded := false
		for i < len(linePrefix)-1 && strings.IndexByte("-0123456789", linePrefix[i]) >= 0 {
			padded = true
			i++
		}
		switch letter := linePrefix[i]; {
		case letter == '%':
			b.WriteByte('%')
		case letter == 'q' && !optional:
			b.WriteString(`(?:`)
			optional = true
		case fields[letter] != "":
			b.WriteString(field(letter, padded, seen[letter]))
			seen[letter] = true
		}
	}
	if optional {
		b.WriteString(`)?`)
	}
	b.WriteString(`(` + severities + `):  `)
	line, err := regexp.Compile(b.String())
	if err != nil { // quoted literals and constant parts: it cannot fail
		line = regexp.MustCompile(`^(` + severities + `):  `)
	}
	return &prefix{line, groupNames(line)}
}

// field is the expression of an escape; the second of a letter has no name.
func field(letter byte, padded, again bool) string {
	pad, name := "", `?P<f_`+string(letter)+`>`
	if padded {
		pad = ` *`
	}
	if again {
		name = `?:`
	}
	return pad + `(` + name + fields[letter] + `)` + pad
}

func groupNames(line *regexp.Regexp) []string {
	names := line.SubexpNames()
	for i, n := range names {
		names[i] = strings.TrimPrefix(n, "f_")
	}
	return names
}

// match returns the fields of a line that begins an entry, its severity, and
// what follows; ok is false for a line that goes on with one.
func (p *prefix) match(line string) (found map[string]string, severity, rest string, ok bool) {
	m := p.line.FindStringSubmatchIndex(line)
	if m == nil {
		return nil, "", "", false
	}
	found = map[string]string{}
	for i, name := range p.names {
		if name != "" && m[2*i] >= 0 {
			found[name] = strings.TrimSpace(line[m[2*i]:m[2*i+1]])
		}
	}
	last := len(p.names) - 1
	return found, line[m[2*last]:m[2*last+1]], line[m[1]:], true
}
