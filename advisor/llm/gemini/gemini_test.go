package gemini_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil/advisor/llm"
	"github.com/pgvigil/pgvigil/advisor/llm/fake"
	"github.com/pgvigil/pgvigil/advisor/llm/gemini"
)

const key = "AIza-very-secret-key"

var evidence = llm.Evidence{
	Tables:  []llm.Table{{ID: "t1", Name: "public.jobs", Rows: 1e6, Columns: []llm.Column{{Name: "id", Type: "bigint"}, {Name: "project_id", Type: "bigint"}}}},
	Queries: []llm.Query{{ID: "q1", Text: "select * from jobs where project_id = $1", Regressed: true}},
	Facts:   []llm.Fact{{ID: "f1", About: "q1", What: "ms per call", Value: 310.5, Unit: "ms"}},
}

// ask runs one draft against a fake and returns the error and all that was
// logged.
func ask(t *testing.T, s *fake.Server) (a llm.Answer, said string, err error) {
	t.Helper()
	var logged bytes.Buffer
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	m, err := gemini.New(gemini.Options{Key: key, Endpoint: srv.URL, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	a, err = m.Draft(t.Context(), evidence)
	return a, logged.String(), err
}

func TestAModelDraftsFromEvidence(t *testing.T) {
	s := &fake.Server{}
	a, _, err := ask(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if got, dropped := llm.Check(evidence, a); len(got.Candidates) != 1 || len(got.Claims) != 1 || len(dropped) != 0 {
		t.Errorf("Check = %+v, dropped %v", got, dropped)
	}
	r := s.Requests()
	if len(r) != 1 || r[0].Key != key {
		t.Fatalf("the server got %+v", r)
	}
	if strings.Contains(r[0].URL, key) {
		t.Errorf("the key is in the URL %s", r[0].URL)
	}
}

func TestAModelThatMisbehavesGivesAPlainError(t *testing.T) {
	tests := map[string]struct {
		behaviour fake.Behaviour
		want      string
	}{
		"it hangs":                   {fake.Hanging, "deadline exceeded"},
		"it is forbidden":            {fake.Forbidden, "status 403"},
		"it answers without JSON":    {fake.Garbage, "schema"},
		"it never stops":             {fake.Huge, "too long"},
		"it has nothing to say":      {fake.Empty, "empty"},
		"it repeats the key":         {fake.Echoing, "repeats the API key"},
		"it redirects":               {fake.Redirecting, "redirects"},
		"it has an internal problem": {fake.Failing, "status 500"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stranger := &fake.Server{}
			other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { stranger.ServeHTTP(w, r) }))
			defer other.Close()
			_, logged, err := ask(t, &fake.Server{Behaviour: tt.behaviour, RedirectTo: other.URL + "/v1beta/models/x:generateContent"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v; want %q", err, tt.want)
			}
			if all := fmt.Sprintf("%v %+v %#v %s", err, err, err, logged); strings.Contains(all, key) {
				t.Errorf("the key shows in %s", all)
			}
			if got := stranger.Requests(); len(got) != 0 {
				t.Errorf("another host was asked: %+v", got)
			}
		})
	}
}

func TestTheKeyGoesToTheExpectedHostOnly(t *testing.T) {
	tests := map[string]struct{ endpoint, want string }{
		"plain http off loopback": {"http://models.example.com", "unencrypted"},
		"a user in the URL":       {"https://user:pw@models.example.com", "no URL"},
		"no host":                 {"https://", "no URL"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := gemini.New(gemini.Options{Key: key, Endpoint: tt.endpoint}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v; want %q", err, tt.want)
			}
		})
	}
}

// The client opens a second, idle connection for calls that are not used here;
// nothing may be sent over it, the key least of all.
func TestNoSecondConnectionCarriesAnything(t *testing.T) {
	seen := make(chan string, 16)
	srv := httptest.NewUnstartedServer(&fake.Server{})
	srv.Listener = &spy{srv.Listener, seen}
	srv.Start()
	defer srv.Close()
	m, err := gemini.New(gemini.Options{Key: key, Endpoint: srv.URL, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Draft(context.Background(), evidence); err != nil {
		t.Fatal(err)
	}
	if n := len(seen); n != 1 {
		t.Errorf("%d connections; want 1", n)
	}
}

type spy struct {
	net.Listener
	seen chan string
}

func (s *spy) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err == nil {
		s.seen <- c.RemoteAddr().String()
	}
	return c, err
}
