package query

import (
	"regexp"
	"strings"
)

// secretNames are parts of names whose values are not shown, however harmless
// they look; secretWords are such names or words of them.
var (
	secretNames = []string{
		"password", "passwd", "secret", "token", "credential", "passphrase", "apikey", "api_key", "encrypted",
	}
	secretWords = wordSet(`pwd pass private otp pin ssn cvv card iban salt hash digest email mail phone session auth cookie`)
)

// isSecretName says whether what a column, a setting or a tag of this name (in
// lower case) holds may be a secret.
func isSecretName(name string) bool {
	for _, s := range secretNames {
		if strings.Contains(name, s) {
			return true
		}
	}
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' || r == '.' || r == '-' }) {
		if secretWords[word] {
			return true
		}
	}
	return false
}

var (
	harmlessNumber = regexp.MustCompile(`^-?[0-9]{1,6}(\.[0-9]{1,3})?$`)
	harmlessWord   = regexp.MustCompile(`^[a-z][a-z_]{0,23}$`)
)

// harmless returns a literal if it may be shown: a number of at most six
// digits, a boolean, or a lower-case word of at most 24 letters, compared with
// a column that is not named like a secret. Else it returns "".
func harmless(column, literal string) string {
	if isSecretName(column) || !harmlessNumber.MatchString(literal) && !harmlessWord.MatchString(literal) {
		return ""
	}
	return literal
}
