package collector

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil/query"
)

// discreetError is an error whose text was masked. It unwraps to what it was.
type discreetError struct {
	text  string
	cause error
}

func (e *discreetError) Error() string { return e.text }

func (e *discreetError) Unwrap() error { return e.cause }

// discreet returns err with what the server said in it masked: an error of the
// server may quote what others sent. Why a user was refused (class 28) quotes no
// more than names and addresses, and those are what one has to know.
func discreet(err error) error {
	said := new(pgconn.PgError)
	if !errors.As(err, &said) || strings.HasPrefix(said.Code, "28") {
		return err
	}
	masked, text := query.Mask(said.Message), err.Error()
	text = strings.ReplaceAll(text, said.Error(), masked)
	return &discreetError{strings.ReplaceAll(text, said.Message, masked), err}
}
