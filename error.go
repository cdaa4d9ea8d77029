package pgvigil

import "errors"

// Hint is an error with the remedy that the reader can apply.
type Hint struct {
	Err    error
	Advice string // an imperative sentence without a full stop
}

func (h *Hint) Error() string { return h.Err.Error() }

// Unwrap returns the error that the advice is about.
func (h *Hint) Unwrap() error { return h.Err }

// Advice returns the remedy that the nearest Hint in err's chain gives, or "".
func Advice(err error) string {
	if h, ok := errors.AsType[*Hint](err); ok {
		return h.Advice
	}
	return ""
}

// Warning is a doubt about a result, not an error: the result stands, with
// this said beside it.
type Warning struct {
	// Code is short and stable, for example "pgss-missing".
	Code string `json:"code"`
	// Text is one sentence for a person.
	Text string `json:"text"`
	// Remedy is SQL or a command that would remove the doubt; may be empty.
	Remedy string `json:"remedy,omitempty"`
}
