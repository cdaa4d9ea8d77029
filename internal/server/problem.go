package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/pgvigil/pgvigil"
)

// Problem is an error as it crosses the API: RFC 9457 problem detail with the
// advice and a code that callers branch on.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is the error's own text.
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
	// Code is not-found, invalid, conflict, timeout or internal.
	Code string `json:"code"`
}

// The codes of problems and the errors that they stand for.
var codes = []struct {
	code   string
	status int
	err    error
}{
	{"not-found", http.StatusNotFound, ErrNotFound},
	{"invalid", http.StatusUnprocessableEntity, ErrInvalid},
	{"conflict", http.StatusConflict, ErrConflict},
	{"timeout", http.StatusGatewayTimeout, context.DeadlineExceeded},
	{"canceled", http.StatusServiceUnavailable, context.Canceled},
}

// ErrorOf returns the error that a problem's code stands for, nil if none.
func ErrorOf(code string) error {
	for _, c := range codes {
		if c.code == code {
			return c.err
		}
	}
	return nil
}

func problemOf(err error) *Problem {
	p := &Problem{Status: http.StatusInternalServerError, Detail: err.Error(), Advice: pgvigil.Advice(err), Code: "internal"}
	for _, c := range codes {
		if errors.Is(err, c.err) {
			p.Status, p.Code = c.status, c.code
			break
		}
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// Error returns the text of the error that the problem was made of.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status, for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType marks the body as a problem, for huma.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// write sends the problem where huma does not.
func (p *Problem) write(w http.ResponseWriter) {
	b, err := json.Marshal(p)
	if err != nil {
		b = []byte("{}") // strings and a number: it cannot be
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // whoever asked is gone: nobody to tell
}

func orNotFound(err error, id int64) error {
	if err != nil {
		return err
	}
	return &pgvigil.Hint{Err: fmt.Errorf("alert %d: %w", id, ErrNotFound), Advice: `see "pgvigil alerts list --all"`}
}

func refuse(w http.ResponseWriter, status int, detail, advice string) {
	p := &Problem{Title: http.StatusText(status), Status: status, Detail: detail, Advice: advice, Code: "invalid"}
	if status == http.StatusNotFound {
		p.Code = "not-found"
	}
	p.write(w)
}
