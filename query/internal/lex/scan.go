package lex

import "strings"

// Scan cuts src into tokens. It is linear in the length of src.
func Scan(src string) Result {
	s := Scanner{src: src, res: Result{Tokens: make([]Token, 0, len(src)/5+4)}}
	for s.next() {
	}
	return s.res
}

// Scanner cuts a text into tokens one by one.
type Scanner struct {
	src   string
	pos   int
	space bool
	res   Result
}

// NewScanner returns a scanner that stands at the begin of src.
func NewScanner(src string) *Scanner { return &Scanner{src: src} }

// Next returns the next token and the comments before it; false at the end,
// where comments may remain.
func (s *Scanner) Next() (Token, []Comment, bool) {
	s.res = Result{Tokens: s.res.Tokens[:0]}
	for len(s.res.Tokens) == 0 {
		if !s.next() {
			return Token{}, s.res.Comments, false
		}
	}
	return s.res.Tokens[0], s.res.Comments, true
}

// Seek makes the scanner go on at an offset.
func (s *Scanner) Seek(offset int) { s.pos, s.space = offset, true }

// next reads white space, a comment or a token; false at the end.
func (s *Scanner) next() bool {
	if s.pos >= len(s.src) {
		return false
	}
	c := s.src[s.pos]
	switch {
	case isSpace(c):
		s.pos++
		s.space = true
	case c == '-' && s.at(1) == '-':
		s.lineComment()
	case c == '/' && s.at(1) == '*':
		s.blockComment()
	case isIdentStart(c):
		s.word()
	case c == '"':
		s.quotedIdent(s.pos)
	case c == '\'':
		s.str(s.pos, false)
	case isDigit(c) || c == '.' && isDigit(s.at(1)):
		s.number()
	case c == '$':
		s.dollar()
	case strings.IndexByte("()[],;", c) >= 0:
		s.emit(Punct, s.pos, s.pos+1)
	case c == '.' || c == ':':
		s.dots(c)
	case isOp(c):
		s.operator()
	default:
		s.emit(Bad, s.pos, s.pos+1)
	}
	return true
}

// at returns the byte n places ahead, 0 beyond the end.
func (s *Scanner) at(n int) byte {
	if s.pos+n < len(s.src) {
		return s.src[s.pos+n]
	}
	return 0
}

func (s *Scanner) emit(k Kind, start, end int) {
	s.res.Tokens = append(s.res.Tokens, Token{Kind: k, Space: s.space, Start: start, End: end})
	s.pos, s.space = end, false
}

func (s *Scanner) lineComment() {
	end := strings.IndexAny(s.src[s.pos:], "\n\r")
	if end < 0 {
		end = len(s.src) - s.pos
	}
	s.comment(Comment{Start: s.pos, End: s.pos + end, Closed: true})
}

// blockComment reads a comment, in which others may be nested.
func (s *Scanner) blockComment() {
	depth, i := 1, s.pos+2
	for i < len(s.src) && depth > 0 {
		switch {
		case strings.HasPrefix(s.src[i:], "/*"):
			depth, i = depth+1, i+2
		case strings.HasPrefix(s.src[i:], "*/"):
			depth, i = depth-1, i+2
		default:
			i++
		}
	}
	s.comment(Comment{Start: s.pos, End: i, Block: true, Closed: depth == 0})
}

func (s *Scanner) comment(c Comment) {
	s.res.Comments = append(s.res.Comments, c)
	s.pos, s.space = c.End, true
}

// word reads an identifier or keyword, or the constant of which it is the prefix.
func (s *Scanner) word() {
	start := s.pos
	if s.prefixed(start) {
		return
	}
	i := start
	for i < len(s.src) && isIdent(s.src[i]) {
		i++
	}
	s.emit(Word, start, i)
}

// prefixed reads strings and identifiers that a letter opens, such as E and U&.
func (s *Scanner) prefixed(start int) bool {
	switch c := s.src[start] | 0x20; {
	case (c == 'e' || c == 'b' || c == 'x' || c == 'n') && s.at(1) == '\'':
		s.pos++
		s.str(start, c == 'e')
	case c == 'u' && s.at(1) == '&' && s.at(2) == '\'':
		s.pos += 2
		s.str(start, false)
		s.uescape()
	case c == 'u' && s.at(1) == '&' && s.at(2) == '"':
		s.pos += 2
		s.quotedIdent(start)
		s.uescape()
	default:
		return false
	}
	return true
}

// uescape lets the last token take along UESCAPE 'c' behind it.
func (s *Scanner) uescape() {
	rest := s.src[s.pos:]
	i := skipSpace(rest, 0)
	if len(rest) < i+10 || !strings.EqualFold(rest[i:i+7], "uescape") {
		return
	}
	i = skipSpace(rest, i+7)
	if i+2 < len(rest) && rest[i] == '\'' && rest[i+2] == '\'' {
		s.pos += i + 3
		s.res.Tokens[len(s.res.Tokens)-1].End = s.pos
	}
}

// quotedIdent reads an identifier whose first double quote is at s.pos.
func (s *Scanner) quotedIdent(start int) {
	i := s.pos + 1
	for i < len(s.src) {
		if s.src[i] != '"' {
			i++
		} else if i+1 < len(s.src) && s.src[i+1] == '"' {
			i += 2
		} else {
			s.emit(Quoted, start, i+1)
			return
		}
	}
	s.emit(Bad, start, len(s.src))
}

// str reads a string whose first quote is at s.pos, with the parts that
// continue it on further lines.
func (s *Scanner) str(start int, escapes bool) {
	i := s.pos
	for {
		end := stringEnd(s.src, i+1, escapes)
		if end < 0 {
			s.emit(Bad, start, len(s.src))
			return
		}
		next := skipSpace(s.src, end)
		if next >= len(s.src) || s.src[next] != '\'' || !strings.ContainsAny(s.src[end:next], "\n\r") {
			s.emit(String, start, end)
			return
		}
		i = next
	}
}

// stringEnd returns the offset behind the quote that ends the string at i, or -1.
func stringEnd(src string, i int, escapes bool) int {
	for i < len(src) {
		switch {
		case escapes && src[i] == '\\':
			i += 2
		case src[i] != '\'':
			i++
		case i+1 < len(src) && src[i+1] == '\'':
			i += 2
		default:
			return i + 1
		}
	}
	return -1
}

// number reads any numeric constant. Letters that stick to it belong to it, so
// that no digit of it shows.
func (s *Scanner) number() {
	start, i := s.pos, s.pos
	for i < len(s.src) {
		c := s.src[i]
		exponent := (c == '+' || c == '-') && s.src[i-min(1, i)]|0x20 == 'e' && i+1 < len(s.src) && isDigit(s.src[i+1]) && decimal(s.src[start:i-1])
		if !isIdent(c) && !exponent && (c != '.' || i+1 < len(s.src) && s.src[i+1] == '.') {
			break
		}
		i++
	}
	s.emit(Number, start, i)
}

// decimal says whether s is made of digits, dots and underscores.
func decimal(s string) bool { return s != "" && strings.Trim(s, "0123456789._") == "" }

// dollar reads $1, $tag$...$tag$, or a stray dollar.
func (s *Scanner) dollar() {
	i := s.pos + 1
	for i < len(s.src) && isDigit(s.src[i]) {
		i++
	}
	if i > s.pos+1 {
		s.emit(Param, s.pos, i)
		return
	}
	for i < len(s.src) && isIdent(s.src[i]) && s.src[i] != '$' {
		i++
	}
	if i >= len(s.src) || s.src[i] != '$' {
		s.emit(Bad, s.pos, s.pos+1)
		return
	}
	tag := s.src[s.pos : i+1]
	end := strings.Index(s.src[i+1:], tag)
	if end < 0 {
		s.emit(Bad, s.pos, len(s.src))
		return
	}
	s.emit(String, s.pos, i+1+end+len(tag))
}

// dots reads . .. : :: :=
func (s *Scanner) dots(c byte) {
	switch n := s.at(1); {
	case c == ':' && n == '=':
		s.emit(Op, s.pos, s.pos+2)
	case n == c:
		s.emit(Punct, s.pos, s.pos+2)
	default:
		s.emit(Punct, s.pos, s.pos+1)
	}
}

// operator reads the longest operator. One that ends in + or - must hold a
// character that no SQL operator has, else the sign is a token of its own.
func (s *Scanner) operator() {
	i := s.pos
	for i < len(s.src) && isOp(s.src[i]) {
		if i > s.pos && (strings.HasPrefix(s.src[i:], "--") || strings.HasPrefix(s.src[i:], "/*")) {
			break
		}
		i++
	}
	for i > s.pos+1 && (s.src[i-1] == '+' || s.src[i-1] == '-') && !strings.ContainsAny(s.src[s.pos:i-1], "~!@#^&|`?%") {
		i--
	}
	s.emit(Op, s.pos, i)
}

func skipSpace(s string, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isIdentStart(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80
}
func isIdent(c byte) bool { return isIdentStart(c) || isDigit(c) || c == '$' }
func isOp(c byte) bool    { return strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }
