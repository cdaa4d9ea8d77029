package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// Origin says where a value came from.
type Origin struct {
	// Source is the file's path, "environment NAME", "flag --NAME", "default"
	// or "inherited".
	Source string
	Line   int // in a file, 0 unknown or not a file
	rank   rank
}

// rank orders sources: of two ways to say the same, the higher one wins.
type rank int

const (
	ofDefault rank = iota
	ofFile
	ofEnvironment
	ofFlag
)

// String writes "pgvigil.yaml:12" or "environment PGVIGIL_LOG_LEVEL".
func (o Origin) String() string {
	if o.Line > 0 {
		return fmt.Sprintf("%s:%d", o.Source, o.Line)
	}
	return o.Source
}

// Problem is one thing wrong with a configuration.
type Problem struct {
	At     Origin
	Text   string // what is wrong, one sentence without a full stop, no secret
	Advice string // what to do
}

func (p Problem) Error() string {
	if p.At.Source == "" {
		return p.Text
	}
	return p.At.String() + ": " + p.Text
}

// Problems are all things wrong with a configuration, in order of place. Each
// is found by errors.As as a *pgvigil.Hint too.
type Problems []Problem

// Error writes one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each problem with its advice.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = &pgvigil.Hint{Err: p, Advice: p.Advice}
	}
	return errs
}

// problemList collects problems.
type problemList struct{ list Problems }

func (l *problemList) add(at Origin, text, advice string) {
	l.list = append(l.list, Problem{At: at, Text: text, Advice: advice})
}

// addErr adds err, which belongs to key, with the advice that it carries.
func (l *problemList) addErr(at Origin, key string, err error) {
	l.add(at, key+": "+err.Error(), pgvigil.Advice(err))
}

// err returns the problems in order of place, nil if there are none.
func (l *problemList) err() error {
	if len(l.list) == 0 {
		return nil
	}
	slices.SortStableFunc(l.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.At.Source, b.At.Source), cmp.Compare(a.At.Line, b.At.Line))
	})
	if more := len(l.list) - maxProblems; more > 0 {
		rest := Problem{Text: fmt.Sprintf("and %d more", more), Advice: "is it the right file?"}
		return append(l.list[:maxProblems:maxProblems], rest)
	}
	return l.list
}

// maxProblems is as many as somebody reads.
const maxProblems = 50

func hint(text, advice string) error {
	return &pgvigil.Hint{Err: errors.New(text), Advice: advice}
}

// clip bounds foreign text that a message quotes, and strips what a terminal
// would obey.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
