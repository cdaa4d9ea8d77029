// Package lex cuts SQL text into the tokens of PostgreSQL's scanner. It is
// written in Go, takes any bytes and never fails: what has no end (a quote, a
// comment) becomes a token of kind Bad that reaches to the end of the text.
//
// It presumes standard_conforming_strings = on, the default since 9.1.
// Source: PostgreSQL manual, "Lexical Structure"; checked in the tests against
// the scanner of the C parser.
package lex

import "strings"

// Kind is what a token is.
type Kind uint8

// The kinds.
const (
	Word   Kind = iota + 1 // an identifier or keyword without quotes
	Quoted                 // an identifier in double quotes, U& and UESCAPE included
	String                 // a string constant of any kind, dollar quotes included
	Number                 // a numeric constant; a sign that belongs to it included
	Param                  // $1
	Op                     // an operator, also := and =>
	Punct                  // one of ( ) [ ] , ; . : and the pair ::
	Bad                    // what has no end, or a byte that starts no token
)

// Token is one token of a text.
type Token struct {
	Kind       Kind
	Space      bool // white space or a comment stands before it
	Start, End int  // byte offsets, End not included
}

// Text returns the token as src has it.
func (t Token) Text(src string) string { return src[t.Start:t.End] }

// Is says whether t is the word (in lower case) or the punctuation or operator.
func (t Token) Is(src, s string) bool {
	switch t.Kind {
	case Word:
		return len(s) == t.End-t.Start && strings.EqualFold(src[t.Start:t.End], s)
	case Punct, Op:
		return src[t.Start:t.End] == s
	}
	return false
}

// Value says whether t stands for a value: a constant or a parameter.
func (t Token) Value() bool { return t.Kind == String || t.Kind == Number || t.Kind == Param }

// Name returns the identifier that t stands for: folded to lower case, or
// without its quotes. It is "" for other kinds.
func (t Token) Name(src string) string {
	text := t.Text(src)
	switch t.Kind {
	case Word:
		return strings.ToLower(text)
	case Quoted:
		first, last := strings.IndexByte(text, '"'), strings.LastIndexByte(text, '"')
		if first < 0 || last <= first {
			return ""
		}
		return strings.ReplaceAll(text[first+1:last], `""`, `"`)
	}
	return ""
}

// Comment is one comment, its marks included.
type Comment struct {
	Start, End int
	Block      bool // /* */, not --
	Closed     bool // a block comment that has its end
}

// Result is a text cut into tokens.
type Result struct {
	Tokens   []Token
	Comments []Comment
}

// Whole says whether every token has its end, so that what is between the
// constants can be trusted to be no constant.
func (r Result) Whole() bool {
	for _, t := range r.Tokens {
		if t.Kind == Bad {
			return false
		}
	}
	for _, c := range r.Comments {
		if c.Block && !c.Closed {
			return false
		}
	}
	return true
}
