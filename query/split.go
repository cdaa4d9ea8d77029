package query

import (
	"fmt"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// Part is one statement of a script, or something in it that is none.
type Part struct {
	// Text is the statement as written, from its first token to its last,
	// without the semicolon. It is "" when Note is not.
	Text string
	// Line is the line of its first token, from 1.
	Line int
	// Offset and End are byte offsets into the script; End is behind the
	// semicolon if there is one.
	Offset, End int
	// Comments are those between the end of the part before and the last token
	// of this one, with their marks.
	Comments []string
	// Note says what was skipped: a command of psql, the data of COPY.
	Note string
}

// Split cuts a script into its statements as psql does: semicolons in strings,
// dollar quotes, comments, brackets and BEGIN ATOMIC bodies do not count. Empty
// statements are left out. psql's own commands (\set, \i) and the data behind
// COPY ... FROM stdin are parts with a Note. When a quote or a comment has no
// end, the error is a *pgvigil.Hint that names its line, and the parts before
// it are returned.
func Split(script string) ([]Part, error) {
	s := splitter{script: script, scan: lex.NewScanner(script), lines: lineCounter{text: script, line: 1}}
	for s.step() {
	}
	return s.parts, s.err
}

// splitter goes over a script token by token, because what psql takes for
// itself follows no rule of SQL.
type splitter struct {
	script string
	scan   *lex.Scanner
	lines  lineCounter
	now    statement
	parts  []Part
	err    error
}

// step reads one token; false at the end or on an error.
func (s *splitter) step() bool {
	t, comments, ok := s.scan.Next()
	for _, c := range comments {
		if c.Block && !c.Closed {
			return s.endless("comment", c.Start)
		}
		s.now.comments = append(s.now.comments, s.script[c.Start:c.End])
	}
	switch {
	case !ok:
		s.finish(len(s.script))
		return false
	case t.Kind == lex.Bad && t.Text(s.script) == `\`:
		s.command(t.Start)
	case t.Kind == lex.Bad && t.End-t.Start > 1 || t.Kind == lex.Bad && strings.Contains(`'"`, t.Text(s.script)):
		return s.endless("quoted text", t.Start)
	case t.Is(s.script, ";") && s.now.parens == 0 && s.now.begins == 0:
		copies := s.now.copiesData()
		s.finish(t.End)
		if copies {
			s.data(t.End)
		}
	default:
		s.now.add(s.script, t)
	}
	return true
}

// endless ends the work at a quote or comment that has no end.
func (s *splitter) endless(what string, offset int) bool {
	s.err = &pgvigil.Hint{
		Err:    fmt.Errorf("split script: the %s that begins in line %d has no end", what, s.lines.at(offset)),
		Advice: "close it, or check whether a quote before it is missing",
	}
	return false
}

// finish makes a part of the tokens so far, if there are any.
func (s *splitter) finish(end int) {
	if s.now.tokens > 0 {
		s.parts = append(s.parts, Part{
			Text: s.script[s.now.start:s.now.end], Line: s.lines.at(s.now.start),
			Offset: s.now.start, End: end, Comments: s.now.comments,
		})
		s.now = statement{}
	}
}

// command skips a command of psql, which ends with its line.
func (s *splitter) command(start int) {
	s.finish(start)
	end := lineEnd(s.script, start)
	name, _, _ := strings.Cut(strings.TrimSpace(s.script[start:end]), " ")
	s.skip(start, end, "psql command "+name+" skipped")
}

// data skips the rows that follow COPY ... FROM stdin, up to a line "\.".
func (s *splitter) data(start int) {
	start = min(lineEnd(s.script, start)+1, len(s.script))
	end := start
	for rows := 0; ; rows++ {
		next := lineEnd(s.script, end)
		line := strings.TrimRight(s.script[end:next], "\r")
		end = min(next+1, len(s.script))
		if line == `\.` || end == len(s.script) {
			s.skip(start, end, fmt.Sprintf("%d rows of COPY data skipped", rows))
			return
		}
	}
}

func (s *splitter) skip(start, end int, note string) {
	s.parts = append(s.parts, Part{Line: s.lines.at(start), Offset: start, End: end, Comments: s.now.comments, Note: note})
	s.now = statement{}
	s.scan.Seek(end)
}

func lineEnd(s string, from int) int {
	if i := strings.IndexByte(s[from:], '\n'); i >= 0 {
		return from + i
	}
	return len(s)
}

// statement is what is known of the statement that is being read.
type statement struct {
	start, end int
	tokens     int
	parens     int
	begins     int // BEGIN and CASE without their END, in the body of a function
	words      []string
	stdin      bool
	comments   []string
}

// add takes the next token. A body of BEGIN ATOMIC is known as psql knows it:
// the statement begins with CREATE [OR REPLACE] FUNCTION or PROCEDURE.
func (st *statement) add(script string, t lex.Token) {
	if st.tokens == 0 {
		st.start = t.Start
	}
	st.end = t.End
	st.tokens++
	switch {
	case t.Is(script, "("):
		st.parens++
	case t.Is(script, ")"):
		st.parens = max(0, st.parens-1)
	case t.Kind == lex.Word:
		st.word(t.Name(script))
	}
}

func (st *statement) word(w string) {
	if len(st.words) < 4 {
		st.words = append(st.words, w)
	}
	st.stdin = st.stdin || w == "stdin" && st.parens == 0
	if st.parens > 0 || !st.makesRoutine() {
		return
	}
	switch {
	case w == "begin", w == "case" && st.begins > 0:
		st.begins++
	case w == "end" && st.begins > 0:
		st.begins--
	}
}

func (st *statement) makesRoutine() bool {
	w := st.words
	if len(w) >= 4 && w[1] == "or" && w[2] == "replace" {
		w = w[2:]
	}
	return st.words[0] == "create" && len(w) >= 2 && (w[1] == "function" || w[1] == "procedure")
}

func (st *statement) copiesData() bool {
	return st.stdin && len(st.words) > 0 && st.words[0] == "copy"
}

// lineCounter tells the line of offsets that do not decrease.
type lineCounter struct {
	text string
	pos  int
	line int
}

func (l *lineCounter) at(offset int) int {
	if offset < l.pos {
		return l.line
	}
	l.line += strings.Count(l.text[l.pos:offset], "\n")
	l.pos = offset
	return l.line
}
