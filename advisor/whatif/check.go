package whatif

import (
	"context"
	"errors"
	"slices"
)

// verbs are what may be planned.
var verbs = []string{"select", "insert", "update", "delete", "merge", "with"}

// verdict says whether a text may be planned, and under which search_path.
type verdict struct {
	refused error
	path    string
}

// check refuses statements that must not or cannot be planned.
func (s *session) check(ctx context.Context, st Statement) (v verdict, err error) {
	key := st.Role + "\x00" + st.Text
	if v, ok := s.checked[key]; ok {
		return v, nil
	}
	v.refused = shape(st.Text)
	if v.refused == nil {
		v.refused, err = s.untrusted(ctx, st.Text)
	}
	if v.refused == nil && err == nil {
		v.path, v.refused, err = s.pathOf(ctx, st)
	}
	if err == nil {
		s.checked[key] = v
	}
	return v, err
}

// shape accepts a single statement of a kind that can be planned.
func shape(sql string) error {
	ts := tokens(sql)
	if n := len(ts); n > 0 && ts[n-1].text == ";" {
		ts = ts[:n-1]
	}
	if len(ts) == 0 {
		return errors.New("there is no statement")
	}
	first := 0
	for first < len(ts)-1 && ts[first].text == "(" {
		first++
	}
	if ts[first].kind != word || !slices.Contains(verbs, ts[first].text) {
		return errors.New("only SELECT, INSERT, UPDATE, DELETE and MERGE can be planned")
	}
	if slices.ContainsFunc(ts, func(t token) bool { return t.text == ";" && t.kind == punctuation }) {
		return errors.New("more than one statement")
	}
	return nil
}

// untrusted refuses a text whose planning could run a function of somebody
// who is not trusted.
func (s *session) untrusted(ctx context.Context, sql string) (refused, err error) {
	reach, err := s.foreign.Reach(ctx, sql)
	return reach.Untrusted, err
}

// untrustedIndex is untrusted for an index. One of plain columns has nothing
// to call: operator classes are made by superusers only.
func (s *session) untrustedIndex(ctx context.Context, x Index, sql string) (refused, err error) {
	if x.Predicate == "" && x.Folded == "" && !hasExpression(x) {
		return nil, nil
	}
	return s.untrusted(ctx, sql)
}

// pathOf returns the search_path that database and role configure, after
// checking that each unqualified table means exactly one. A table that is on
// no path but exists once adds its schema.
func (s *session) pathOf(ctx context.Context, st Statement) (path string, refused, err error) {
	place, refused, err := s.foreign.Find(ctx, st.Role, st.Tables)
	return place.Path, refused, err
}
