package query

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	// Hidden stands in a label for what could be a secret.
	Hidden = "*"
	// maxLabel is the longest label that is shown, in bytes, as application_name is.
	maxLabel = 63
)

// MaskLabel returns a label that a program gave itself, an application_name,
// with a * for each part that looks generated (an id, a key, a process) and for
// all that follows a word such as token, or a sign that labels seldom have.
func MaskLabel(label string) string {
	label = clean(label[:min(len(label), maxLabel)])
	for len(label) > 0 && !utf8.ValidString(label) {
		label = label[:len(label)-1]
	}
	var b strings.Builder
	end := 0
	for _, at := range segments.FindAllStringIndex(label, -1) {
		between, part := label[end:at[0]], label[at[0]:at[1]]
		if !ordinary.MatchString(between) {
			b.WriteString(Hidden)
			return b.String()
		}
		b.WriteString(between)
		end = at[1]
		if generated(part) {
			b.WriteString(Hidden)
			continue
		}
		b.WriteString(part)
		if isSecretName(strings.ToLower(part)) && end < len(label) {
			b.WriteString(Hidden)
			return b.String()
		}
	}
	if rest := label[end:]; ordinary.MatchString(rest) {
		return b.String() + rest
	}
	return b.String() + Hidden
}

var (
	// ordinary is what stands between the parts of a label.
	ordinary = regexp.MustCompile(`^[-_.:/#\[\](){}<>+* \t,]*$`)
	// named is a part that people choose: a word, with up to two digits behind
	// it, or a short name with three (sha256), or a number of up to three digits.
	named = regexp.MustCompile(`^(?:[A-Za-z]{1,40}|[A-Za-z]{1,16}[0-9]{1,2}|[A-Za-z]{1,4}[0-9]{3}|[0-9]{1,3})$`)
	// oauth is a word around a single digit: OAuth2Controller, S3Upload.
	oauth = regexp.MustCompile(`^[A-Z][A-Za-z]{0,8}[0-9][A-Z][A-Za-z]{2,24}$`)
)

// generated says whether a run of letters and digits is more like a key than
// like a name.
func generated(s string) bool {
	return !named.MatchString(s) && !oauth.MatchString(s) || allHex.MatchString(s)
}

// looksLikeID says whether a run of letters and digits is more like a key than
// like a name: 12 or more with two digits among them or of hexadecimal digits
// alone, or more than 40.
func looksLikeID(s string) bool {
	digits := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			digits++
		}
	}
	return len(s) > 40 || len(s) >= 12 && digits >= 2 || allHex.MatchString(s)
}
