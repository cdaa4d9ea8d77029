package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of an answer.
const (
	MaxAnswer     = 64 << 10 // bytes
	maxCandidates = 8
	maxClaims     = 8
	maxClaimText  = 400 // bytes
	maxKeys       = 6
)

// Parse reads an answer strictly: one JSON object, no unknown field, nothing
// behind it, at most MaxAnswer bytes.
func Parse(raw []byte) (Answer, error) {
	var a Answer
	if len(raw) > MaxAnswer {
		return a, fmt.Errorf("read the model's answer: %d bytes, at most %d are taken", len(raw), MaxAnswer)
	}
	if !utf8.Valid(raw) {
		return a, errors.New("read the model's answer: it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		// The decoder's message can quote the answer; it is nobody's text to show.
		return Answer{}, errors.New("read the model's answer: it does not follow the schema")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Answer{}, errors.New("read the model's answer: there is more than one value")
	}
	return a, nil
}

// Check returns the part of an answer that the evidence bears, and what was
// dropped with the reasons.
func Check(e Evidence, a Answer) (Answer, []Dropped) {
	var out Answer
	var dropped []Dropped
	drop := func(kind string, i int, err error) {
		dropped = append(dropped, Dropped{fmt.Sprintf("%s %d", kind, i+1), err.Error()})
	}
	for i, c := range a.Candidates {
		err := e.candidate(c)
		if i >= maxCandidates {
			err = fmt.Errorf("more than %d candidates", maxCandidates)
		}
		if err != nil {
			drop("candidate", i, err)
			continue
		}
		out.Candidates = append(out.Candidates, c)
	}
	for i, c := range a.Claims {
		err := e.claim(c)
		if i >= maxClaims {
			err = fmt.Errorf("more than %d claims", maxClaims)
		}
		if err != nil {
			drop("claim", i, err)
			continue
		}
		out.Claims = append(out.Claims, c)
	}
	return out, dropped
}

var methods = []string{"", "btree", "hash", "brin", "gin"}

func (e Evidence) candidate(c Candidate) error {
	i := slices.IndexFunc(e.Tables, func(t Table) bool { return t.ID == c.Table })
	if i < 0 {
		return errors.New("it names a table that is not in the evidence")
	}
	t := e.Tables[i]
	if !slices.Contains(methods, c.Method) {
		return errors.New("it names an unknown method")
	}
	if len(c.Columns) == 0 || len(c.Columns)+len(c.Include) > maxKeys {
		return fmt.Errorf("it has %d keys and %d payload columns", len(c.Columns), len(c.Include))
	}
	if err := t.columns(c); err != nil {
		return err
	}
	if c.Predicate == "" {
		return nil
	}
	if !slices.ContainsFunc(e.Predicates, func(p Predicate) bool { return p.ID == c.Predicate && p.Table == c.Table }) {
		return errors.New("it names a predicate that is not in the evidence")
	}
	return nil
}

func (t Table) columns(c Candidate) error {
	seen := map[string]bool{}
	names := slices.Clone(c.Include)
	for _, k := range c.Columns {
		if !slices.Contains([]string{"", "first", "last"}, k.Nulls) {
			return errors.New("it orders nulls in an unknown way")
		}
		names = append(names, k.Name)
	}
	for _, n := range names {
		if !slices.ContainsFunc(t.Columns, func(col Column) bool { return col.Name == n }) {
			return errors.New("it names a column that the table does not have")
		}
		if seen[n] {
			return errors.New("it names a column twice")
		}
		seen[n] = true
	}
	return nil
}

// claim accepts a sentence that cites facts and says no number but theirs.
func (e Evidence) claim(c Claim) error {
	if err := prose(c.Text); err != nil {
		return err
	}
	if len(c.Facts) == 0 {
		return errors.New("it cites no fact")
	}
	var values []float64
	for _, id := range c.Facts {
		i := slices.IndexFunc(e.Facts, func(f Fact) bool { return f.ID == id })
		if i < 0 {
			return errors.New("it cites a fact that is not in the evidence")
		}
		values = append(values, e.Facts[i].Value)
	}
	for _, n := range numbers.FindAllString(c.Text, -1) {
		if !said(n, values) {
			return errors.New("it says a number that the facts it cites do not")
		}
	}
	return nil
}

// numbers finds what reads as a number: not the digits in a name or an id.
var numbers = regexp.MustCompile(`(?:^|[^\pL\pN_.])-?(\d[\d,]*(?:\.\d+)?)`)

// said says whether a written number is one of the values, at the precision
// that it is written with.
func said(written string, values []float64) bool {
	digits := numbers.FindStringSubmatch(written)[1]
	digits = strings.TrimRight(strings.ReplaceAll(digits, ",", ""), ".")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return false
	}
	_, decimals, _ := strings.Cut(digits, ".")
	half := 0.5000001 * math.Pow10(-len(decimals))
	return slices.ContainsFunc(values, func(v float64) bool { return math.Abs(math.Abs(v)-n) <= half })
}

// prose accepts plain sentences: nothing that could be taken for markup, an
// address or a statement.
func prose(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("it is empty")
	case len(s) > maxClaimText:
		return fmt.Errorf("it is longer than %d bytes", maxClaimText)
	case strings.ContainsAny(s, "<>`;{}\\") || strings.Contains(s, "://") || strings.Contains(s, "]("):
		return errors.New("it is not plain prose")
	case strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsNumber(r) }):
		return errors.New("it holds digits of another script")
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError }):
		return errors.New("it holds control characters")
	}
	return nil
}
