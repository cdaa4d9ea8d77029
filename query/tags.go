package query

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil/query/internal/lex"
)

const (
	maxTags     = 16
	maxTagKey   = 64
	maxTagValue = 128
	// maxTagComment is the longest comment that is looked at, in bytes.
	maxTagComment = 4 << 10
)

// Tags returns the key-value pairs in the comments of a text: marginalia
// (/*application:web,endpoint_id:Projects#show*/, split at the first colon) and
// sqlcommenter (/*route='%2Fjobs',framework='rails'*/, url-decoded).
//
// Tags are foreign text. Only keys of letters, digits, _ - . are kept, at most
// 16 pairs, keys up to 64 and values up to 128 bytes. What names one request,
// person or machine (correlation ids, traces, users, hosts) is dropped by its
// key, and so is any value that could be a secret or an id by its looks: see
// harmlessTag. Digits are taken only under the keys that marginalia,
// sqlcommenter and Rails write. It returns nil if nothing is left.
func Tags(text string) map[string]string {
	text = clean(text[:min(len(text), maxInput)])
	return tagsOf(text, lex.Scan(text).Comments)
}

func tagsOf(text string, comments []lex.Comment) map[string]string {
	tags := map[string]string{}
	for _, c := range comments {
		if !c.Block || !c.Closed || c.End-c.Start > maxTagComment {
			continue
		}
		body := strings.TrimSpace(strings.Trim(text[c.Start+2:c.End-2], "*+ \t\r\n"))
		for pair := range pairs(body) {
			key, value := cutTag(pair)
			if len(tags) < maxTags && tags[key] == "" && harmlessTag(key, value) {
				tags[key] = value
			}
		}
	}
	if len(tags) == 0 {
		return nil
	}
	return tags
}

// pairs cuts a comment at its commas, quoted ones excepted.
func pairs(body string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := range len(body) {
			switch {
			case body[i] == '\'' && (i == 0 || body[i-1] != '\\'):
				quoted = !quoted
			case body[i] == ',' && !quoted:
				if !yield(body[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(body[start:])
	}
}

// cutTag splits one pair in either style; key is "" if it is none.
func cutTag(pair string) (key, value string) {
	pair = strings.TrimSpace(pair)
	if k, v, ok := strings.Cut(pair, "='"); ok && strings.HasSuffix(v, "'") {
		v = strings.ReplaceAll(strings.TrimSuffix(v, "'"), `\'`, `'`)
		key, kerr := url.QueryUnescape(k)
		value, verr := url.QueryUnescape(v)
		if kerr != nil || verr != nil {
			return "", ""
		}
		return strings.TrimSpace(key), value
	}
	if k, v, ok := strings.Cut(pair, ":"); ok {
		return strings.TrimSpace(k), strings.TrimSpace(v)
	}
	return "", ""
}

// personal are parts of keys whose values name one request, person or machine.
var personal = []string{
	"correlation", "trace", "span", "request", "jid", "job_id", "user", "host", "session", "auth", "cookie",
	"client", "remote", "address", "mail", "pid", "uuid", "key", "login", "account", "customer", "tenant", "caller_id",
}

var (
	tagKey   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)
	tagValue = regexp.MustCompile(`^[A-Za-z0-9_.:/#<>{}\[\]()\-+* ]+$`)
	longID   = regexp.MustCompile(`[0-9]{4,}`)
	allHex   = regexp.MustCompile(`^[0-9a-fA-F]{12,}$`)
	segments = regexp.MustCompile(`[A-Za-z0-9]+`)
)

// usual are the keys whose values name a place in a program.
var usual = wordSet(`application app application_name controller namespaced_controller action framework route endpoint
	endpoint_id db_driver job job_class worker queue function method class file line source_location db_config_name
	db_config_database service component module model`)

// harmlessTag says whether a tag may be kept: its key names no person and no
// secret, its value consists of names and paths without what looks like an id.
func harmlessTag(key, value string) bool {
	lower := strings.ToLower(key)
	if len(key) > maxTagKey || len(value) > maxTagValue || !tagKey.MatchString(key) || !tagValue.MatchString(value) {
		return false
	}
	if isSecretName(lower) || longID.MatchString(value) {
		return false
	}
	for _, p := range personal {
		if strings.Contains(lower, p) {
			return false
		}
	}
	if !usual[lower] && strings.ContainsAny(value, "0123456789") {
		return false
	}
	return !slices.ContainsFunc(segments.FindAllString(value, -1), generated)
}
