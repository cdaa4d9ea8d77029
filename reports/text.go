package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pgvigil/pgvigil"
)

// Limits of foreign text, in characters. A report that carries megabytes of
// one statement opens nowhere.
const (
	maxStatement = 6_000
	maxPlan      = 12_000
	maxSentence  = 1_000
	maxName      = 160
	maxDDL       = 20_000
)

// excerpt is foreign text made fit to be shown, with what was done to it.
type excerpt struct {
	Text string
	// Note says what was cut; "" if nothing.
	Note string
}

// quote makes foreign text fit to be shown: at most limit characters, control
// and direction characters and broken UTF-8 replaced by visible signs.
// html/template keeps it from being markup; this keeps it from deceiving eyes
// and from swelling the file.
func quote(s string, limit int) excerpt {
	end, n := cutAt(s, limit)
	e := excerpt{Text: visible(s[:end])}
	if end < len(s) {
		e.Note = fmt.Sprintf("cut at %s of %s characters", thousands(float64(n)), thousands(float64(utf8.RuneCountInString(s))))
	}
	return e
}

// plain is quote for a sentence or a name, with line breaks and runs of space
// closed and the cut marked by an ellipsis.
func plain(s string, limit int) string {
	// Closing spaces first would read all of a megabyte for one line.
	end, _ := cutAt(s, 4*limit)
	closed := strings.Join(strings.Fields(s[:end]), " ")
	cut, _ := cutAt(closed, limit)
	text := visible(closed[:cut])
	if cut < len(closed) || end < len(s) {
		text += "\u2026"
	}
	return text
}

// sentence begins s by a capital and ends it by a full stop.
func sentence(s string) string {
	r, w := utf8.DecodeRuneInString(s)
	if s == "" {
		return ""
	}
	s = string(unicode.ToUpper(r)) + s[w:]
	if strings.ContainsAny(s[len(s)-1:], ".!?") || strings.HasSuffix(s, "\u2026") {
		return s
	}
	return s + "."
}

// cutAt returns the byte offset after limit characters of s, and how many
// characters there are up to it.
func cutAt(s string, limit int) (offset, n int) {
	for offset < len(s) && n < limit {
		_, w := utf8.DecodeRuneInString(s[offset:])
		offset += w
		n++
	}
	return offset, n
}

// visible replaces what a reader could not see or would see in the wrong
// place: control characters by their pictures (U+2400 on), marks that change
// the direction of writing or hide by their code, broken UTF-8 by U+FFFD.
func visible(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r < 0x20:
			b.WriteRune(0x2400 + r)
		case r == 0x7f:
			b.WriteRune(0x2421)
		case deceptive(r):
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// deceptive runes change what is seen without being seen: C1 controls, line
// and paragraph separators, zero-width and bidirectional marks, tags, and the
// byte order mark.
func deceptive(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f,
		r >= 0x200b && r <= 0x200f,
		r >= 0x2028 && r <= 0x202e,
		r >= 0x2060 && r <= 0x206f,
		r >= 0xe0000 && r <= 0xe007f,
		r == 0x061c, r == 0xad, r == 0xfeff:
		return true
	}
	return false
}

// plainVerbs are those of statements that their tables and columns describe.
var plainVerbs = []string{"select", "insert", "update", "delete", "merge"}

// queryName says in a few words which query it is: its verb, its tables, the
// columns that it compares; without those, the beginning of its text.
func queryName(q pgvigil.Query) string {
	if len(q.Tables) == 0 || !slices.Contains(plainVerbs, q.Verb) {
		if q.Text != "" {
			return plain(q.Text, 90)
		}
		return "query " + q.Fingerprint.String()
	}
	name := strings.ToUpper(q.Verb) + " " + list(q.Tables[:min(2, len(q.Tables))])
	if len(q.Tables) > 2 {
		name = fmt.Sprintf("%s, %s and %d more", strings.ToUpper(q.Verb)+" "+q.Tables[0], q.Tables[1], len(q.Tables)-2)
	}
	if by := comparedColumns(q, 3); len(by) > 0 {
		name += " by " + strings.Join(by, ", ")
	}
	return plain(name, maxName)
}

// comparedColumns are the first columns that q compares with values.
func comparedColumns(q pgvigil.Query, most int) []string {
	var columns []string
	seen := make(map[string]bool)
	for _, p := range q.Predicates {
		if p.Join || p.Column == "" || seen[p.Column] || len(columns) == most {
			continue
		}
		seen[p.Column] = true
		columns = append(columns, p.Column)
	}
	return columns
}

// shellWord quotes a word for a command line that somebody may copy.
func shellWord(s string) string {
	s = plain(s, maxName)
	harmless := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:/", r)
	}
	if s != "" && strings.TrimFunc(s, harmless) == "" && !strings.HasPrefix(s, "-") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
