// Package gemini drafts with Google's Gemini over REST. It is the only package
// that knows generative-ai-go; docs/adr says why that client and what the way
// out is.
//
// The client's own way of sending a key puts it into URLs, and so into error
// strings, logs and proxies. Here it travels as a header that a transport sets
// on requests to one host, and no text of the server gets into an error.
package gemini

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/generative-ai-go/genai"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/llm"
)

// Defaults of Options.
const (
	DefaultModel    = "gemini-2.5-flash"
	DefaultEndpoint = "https://generativelanguage.googleapis.com"
	DefaultTimeout  = 30 * time.Second
)

// Options set a model up.
type Options struct {
	Key pgvigil.Secret
	// Model is a name of Gemini's API; "" is DefaultModel.
	Model string
	// Endpoint is https, or http on loopback; "" is DefaultEndpoint.
	Endpoint string
	// Timeout bounds one draft; 0 is DefaultTimeout.
	Timeout time.Duration
	// Transport is for tests; nil is a clone of the default one.
	Transport http.RoundTripper
}

// Model is a Gemini model. It implements llm.Model and is safe for concurrent
// use.
type Model struct {
	o    Options
	http *http.Client
}

// New checks the options. It makes no connection.
func New(o Options) (*Model, error) {
	if o.Model == "" {
		o.Model = DefaultModel
	}
	if o.Endpoint == "" {
		o.Endpoint = DefaultEndpoint
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Key == "" {
		return nil, &pgvigil.Hint{Err: errors.New("use Gemini: there is no API key"), Advice: "set llm.key, or llm.provider to none"}
	}
	at, err := endpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(o.Model, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}) {
		return nil, errors.New("use Gemini: the model's name holds more than lower-case letters, digits, dots and dashes")
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	return &Model{o: o, http: &http.Client{
		Transport:     &courier{next: o.Transport, key: o.Key, scheme: at.Scheme, host: at.Host},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}}, nil
}

// endpoint accepts https anywhere and http on loopback.
func endpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("use Gemini: the endpoint is no URL of a host")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, &pgvigil.Hint{
			Err:    fmt.Errorf("use Gemini: the endpoint %s://%s would send the key unencrypted", u.Scheme, u.Host),
			Advice: "use https",
		}
	}
	return u, nil
}

// Name returns the model's name.
func (m *Model) Name() string { return m.o.Model }

// Draft implements llm.Model.
func (m *Model) Draft(ctx context.Context, e llm.Evidence) (a llm.Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	prompt, err := llm.Prompt(e)
	if err != nil {
		return a, err
	}
	text, err := m.generate(ctx, prompt)
	if err != nil {
		return a, fmt.Errorf("ask %s: %w", m.o.Model, reason(ctx, err))
	}
	if strings.Contains(text, m.o.Key.Reveal()) {
		return a, fmt.Errorf("ask %s: the answer repeats the API key", m.o.Model)
	}
	return llm.Parse([]byte(text))
}

// generate sends one prompt and returns the text of the answer.
func (m *Model) generate(ctx context.Context, prompt string) (text string, err error) {
	// The client converts foreign messages by code that panics on surprises.
	defer func() {
		if r := recover(); r != nil {
			err = errSurprise
		}
	}()
	client, err := genai.NewClient(ctx, option.WithEndpoint(m.o.Endpoint),
		option.WithHTTPClient(m.http), option.WithoutAuthentication())
	if err != nil {
		return "", errClient
	}
	defer func() { _ = client.Close() }() // its connections are m.http's
	model := client.GenerativeModel(m.o.Model)
	model.SystemInstruction = genai.NewUserContent(genai.Text(llm.Instruction))
	model.ResponseMIMEType = "application/json"
	model.ResponseSchema = schema()
	model.SetTemperature(0)
	model.SetCandidateCount(1)
	model.SetMaxOutputTokens(8192)
	res, err := model.GenerateContent(ctx, genai.Text(prompt))
	if err != nil {
		return "", err
	}
	return textOf(res)
}

func textOf(res *genai.GenerateContentResponse) (string, error) {
	if len(res.Candidates) == 0 || res.Candidates[0] == nil || res.Candidates[0].Content == nil {
		return "", errEmpty
	}
	var b strings.Builder
	for _, p := range res.Candidates[0].Content.Parts {
		t, ok := p.(genai.Text)
		if !ok {
			return "", errSurprise
		}
		b.WriteString(string(t))
	}
	return b.String(), nil
}

var (
	errRedirect = errors.New("the server redirects, which is refused")
	errTooLong  = errors.New("the answer is too long")
	errHost     = errors.New("a request to another host was refused")
	errEmpty    = errors.New("the answer is empty")
	errSurprise = errors.New("the answer is not of the form of Gemini's API")
	errClient   = errors.New("its client could not be set up")
)

// reason says in our words why a call failed: the server's own could repeat
// what was sent to it.
func reason(ctx context.Context, err error) error {
	for _, known := range []error{errRedirect, errTooLong, errHost, errEmpty, errSurprise, errClient} {
		if errors.Is(err, known) {
			return known
		}
	}
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	if status, ok := errors.AsType[*googleapi.Error](err); ok {
		return fmt.Errorf("the server answered with status %d", status.Code)
	}
	if _, ok := errors.AsType[*genai.BlockedError](err); ok {
		return errors.New("the server blocked the prompt or the answer")
	}
	return errors.New("the server could not be reached or broke off")
}

// schema is the form of an answer, for the server's constrained decoding. Code
// checks the answer all the same.
func schema() *genai.Schema {
	text := &genai.Schema{Type: genai.TypeString}
	list := func(of *genai.Schema) *genai.Schema { return &genai.Schema{Type: genai.TypeArray, Items: of} }
	key := &genai.Schema{Type: genai.TypeObject, Required: []string{"name"}, Properties: map[string]*genai.Schema{
		"name": text, "desc": {Type: genai.TypeBoolean}, "nulls": {Type: genai.TypeString, Enum: []string{"first", "last"}},
	}}
	candidate := &genai.Schema{
		Type: genai.TypeObject, Required: []string{"table", "method", "columns"},
		Properties: map[string]*genai.Schema{
			"table": text, "method": {Type: genai.TypeString, Enum: []string{"btree", "hash", "brin", "gin"}},
			"columns": list(key), "include": list(text), "predicate": text,
		},
	}
	claim := &genai.Schema{
		Type: genai.TypeObject, Required: []string{"text", "facts"},
		Properties: map[string]*genai.Schema{"text": text, "facts": list(text)},
	}
	return &genai.Schema{
		Type: genai.TypeObject, Required: []string{"candidates", "claims"},
		Properties: map[string]*genai.Schema{"candidates": list(candidate), "claims": list(claim)},
	}
}
