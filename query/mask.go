package query

import (
	"regexp"
	"strings"
)

// maxFree bounds how much of a free text is looked at and kept, in bytes.
const maxFree = 16 << 10

// Mask returns a free text, such as an error of a server or a line of its log,
// without what a user may have put into it. SQL in it ("statement: ...",
// "SQL statement "..."", "Process 12: ...") becomes its normal form, or verb,
// tables and a hash where it does not parse. Of the rest stay the words that
// PostgreSQL itself uses in its messages (vocabulary.txt), numbers of at most
// six digits with their unit, and names in double quotes behind a noun such as
// relation or column; all else becomes $1, $2, ... in order of appearance.
//
// A text of RAISE is a user's: little of it stays. What a user wrote as a name
// (column "hunter" does not exist) is shown as a name. Parse what you need of a
// line before you mask it; the mask is for what is shown and kept.
func Mask(text string) string {
	cut := len(text) > maxFree
	text = clean(text[:min(len(text), maxFree)])
	p := prose{}
	for text != "" {
		begin, end := findSQL(text)
		before, quoted := strings.CutSuffix(text[:begin], `"`)
		quoted = quoted && begin < len(text)
		if !quoted {
			before = text[:begin]
		}
		p.write(before)
		if quoted {
			p.show(`"`)
		}
		p.sql(text[begin:end], cut && end == len(text))
		text = text[end:]
		if rest, closed := strings.CutPrefix(text, `"`); quoted && closed {
			p.show(`"`)
			text = rest
		}
	}
	out, _ := truncate(p.out.String(), maxFree)
	return out
}

var (
	// sqlToEnd opens SQL that goes on to the end of the text.
	sqlToEnd = regexp.MustCompile(`(?i)\b(?:statement|query|query text|(?:execute|parse|bind) [^\s:]+|execute fetch from [^\s:]+):[ \t]+`)
	// sqlOfProcess opens the statement of one process in a deadlock's detail.
	sqlOfProcess = regexp.MustCompile(`(?m)^[ \t]*Process \d+: `)
	// sqlQuoted opens the statement of a function in a context.
	sqlQuoted = regexp.MustCompile(`SQL (?:statement|expression) "`)
	// quoteEnd ends it.
	quoteEnd = regexp.MustCompile(`"(?:\n|$)`)
)

// findSQL returns where the first SQL of a text begins and ends; both are the
// text's length if there is none.
func findSQL(text string) (begin, end int) {
	begin, end = len(text), len(text)
	if at := sqlToEnd.FindStringIndex(text); at != nil {
		begin = at[1]
	}
	if at := sqlOfProcess.FindStringIndex(text); at != nil && at[1] < begin {
		begin, end = at[1], len(text)
		if next := sqlOfProcess.FindStringIndex(text[begin:]); next != nil {
			end = begin + next[0]
		}
	}
	if at := sqlQuoted.FindStringIndex(text); at != nil && at[1] < begin {
		begin, end = at[1], len(text)
		if next := quoteEnd.FindStringIndex(text[begin:]); next != nil {
			end = begin + next[0]
		}
	}
	return begin, end
}

// sql writes a statement; cut says that its end is missing.
func (p *prose) sql(text string, cut bool) {
	if strings.TrimSpace(text) == "" {
		return
	}
	p.flush()
	t, _ := readText(text)
	t.whole = t.whole && !cut
	if len(t.tokens) == 0 {
		p.out.WriteString("(comment)")
		return
	}
	p.out.WriteString(describe(t, Options{}).Text)
	if strings.HasSuffix(text, "\n") {
		p.out.WriteByte('\n')
	}
}
