// Package fake is a model that answers from a script: an http.Handler that
// speaks as much of Gemini's REST as its client needs. Tests and
// "pgvigil dev fake-llm" run it, so that a model's whole path is driven
// without one.
package fake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/pgvigil/pgvigil/advisor/llm"
)

// Behaviour is how the fake answers.
type Behaviour string

// The behaviours.
const (
	// Good drafts a plausible index for each regressed query, from the
	// evidence, with claims that the facts bear.
	Good Behaviour = "good"
	// Lying names columns and numbers that are not there.
	Lying Behaviour = "lying"
	// Hanging never answers; it ends with the request.
	Hanging Behaviour = "hanging"
	// Failing answers with status 500, Forbidden with 403 and the headers that
	// it got in the text.
	Failing   Behaviour = "failing"
	Forbidden Behaviour = "forbidden"
	// Garbage is no JSON, Huge never ends, Empty has no candidate.
	Garbage Behaviour = "garbage"
	Huge    Behaviour = "huge"
	Empty   Behaviour = "empty"
	// Injecting answers with SQL and HTML in every field.
	Injecting Behaviour = "injecting"
	// Echoing repeats the key that it was given.
	Echoing Behaviour = "echoing"
	// Redirecting sends the client to Options.RedirectTo.
	Redirecting Behaviour = "redirecting"
)

// Behaviours lists all of them.
var Behaviours = []Behaviour{Good, Lying, Hanging, Failing, Forbidden, Garbage, Huge, Empty, Injecting, Echoing, Redirecting}

// Server is the fake. Its zero value is Good.
type Server struct {
	Behaviour  Behaviour
	RedirectTo string
	// Answer wins over Behaviour: the text that the model says.
	Answer string

	mu       sync.Mutex
	requests []Request
}

// Request is what a client sent.
type Request struct {
	URL    string
	Key    string // of the header
	Prompt string // the user's message
}

// Requests returns what was received so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// maxRequest bounds what is read of a request, in bytes.
const maxRequest = 4 << 20

// ServeHTTP implements http.Handler for POST /v1beta/models/NAME:generateContent.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1beta/models/") ||
		!strings.HasSuffix(r.URL.Path, ":generateContent") {
		http.NotFound(w, r)
		return
	}
	prompt, err := readPrompt(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	key := r.Header.Get("x-goog-api-key")
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.URL.String(), key, prompt})
	s.mu.Unlock()
	s.answer(w, r, prompt, key)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, prompt, key string) {
	if s.Answer != "" {
		say(w, s.Answer)
		return
	}
	switch s.Behaviour {
	case Hanging:
		<-r.Context().Done()
	case Failing:
		http.Error(w, "boom", http.StatusInternalServerError)
	case Forbidden:
		http.Error(w, fmt.Sprintf("not with %v", r.Header), http.StatusForbidden)
	case Garbage:
		say(w, "Sure! Here is your index:\n```sql\nCREATE INDEX ON jobs;\n```")
	case Huge:
		huge(w)
	case Empty:
		_, _ = io.WriteString(w, `{"candidates":[]}`) // the client notices
	case Echoing:
		say(w, `{"candidates":[],"claims":[{"text":"`+key+`","facts":[]}]}`)
	case Redirecting:
		http.Redirect(w, r, s.RedirectTo, http.StatusTemporaryRedirect)
	case Lying:
		say(w, lies)
	case Injecting:
		say(w, injection)
	default:
		sayAnswer(w, draft(prompt))
	}
}

// readPrompt returns the text of the last message.
func readPrompt(body io.Reader) (string, error) {
	var req struct {
		Contents []struct {
			Parts []struct {
				Text string `json:"text"`
			} `json:"parts"`
		} `json:"contents"`
	}
	if err := json.NewDecoder(body).Decode(&req); err != nil {
		return "", fmt.Errorf("read the request: %w", err)
	}
	var b strings.Builder
	for _, c := range req.Contents {
		for _, p := range c.Parts {
			b.WriteString(p.Text)
		}
	}
	return b.String(), nil
}

// say answers with text in the form of Gemini's REST.
func say(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // a client that left is not our concern
		"candidates": []any{map[string]any{
			"content": map[string]any{"role": "model", "parts": []any{map[string]any{"text": text}}}, "finishReason": 1, "index": 0,
		}},
		"usageMetadata": map[string]any{"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
	})
}

func sayAnswer(w http.ResponseWriter, a llm.Answer) {
	b, err := json.Marshal(a)
	if err != nil {
		http.Error(w, "no answer", http.StatusInternalServerError)
		return
	}
	say(w, string(b))
}

func huge(w http.ResponseWriter) {
	chunk := strings.Repeat("x", 64<<10)
	_, err := io.WriteString(w, `{"candidates":[{"content":{"parts":[{"text":"`)
	for err == nil {
		_, err = io.WriteString(w, chunk)
	}
}
