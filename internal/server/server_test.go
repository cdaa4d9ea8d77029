package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server"
)

// app answers every call by f.
type app struct {
	server.App
	f func(ctx context.Context) error
}

func (a app) Targets(ctx context.Context) ([]pgvigil.ServerInfo, error) { return nil, a.f(ctx) }

func (a app) Collect(ctx context.Context, _ string) ([]server.PassResult, error) {
	return nil, a.f(ctx)
}

func (a app) Alerts(ctx context.Context, _ pgvigil.AlertFilter) ([]pgvigil.Alert, error) {
	return nil, a.f(ctx)
}

func (a app) Report(ctx context.Context, _ server.ReportRequest, w io.Writer) error {
	_, err := io.WriteString(w, "<html>")
	return errors.Join(err, a.f(ctx))
}

func fine(context.Context) error { return nil }

func TestOnlyOurOwnClientsAreAnswered(t *testing.T) {
	tests := map[string]struct {
		method, path, host, body string
		header                   map[string]string
		want                     int
	}{
		"a question":                        {"GET", "/targets", "127.0.0.1:8432", "", nil, 200},
		"a question by IPv6":                {"GET", "/targets", "[::1]:8432", "", nil, 200},
		"a question by localhost":           {"GET", "/targets", "LOCALHOST:8432", "", nil, 200},
		"a question by a configured name":   {"GET", "/targets", "pgvigil.example.com", "", nil, 200},
		"a question by a rebound name":      {"GET", "/targets", "evil.example.com:8432", "", nil, 421},
		"a name that begins like ours":      {"GET", "/targets", "localhost.evil.example", "", nil, 421},
		"no name":                           {"GET", "/targets", "", "", nil, 421},
		"an order":                          {"POST", "/collect", "127.0.0.1", "{}", map[string]string{"Content-Type": "application/json"}, 200},
		"an order with a charset":           {"POST", "/collect", "127.0.0.1", "{}", map[string]string{"Content-Type": "application/json; charset=utf-8"}, 200},
		"an order from a form":              {"POST", "/collect", "127.0.0.1", "{}", map[string]string{"Content-Type": "text/plain"}, 415},
		"an order of no type":               {"POST", "/collect", "127.0.0.1", "{}", nil, 415},
		"an order from another page":        {"POST", "/collect", "127.0.0.1", "{}", map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403},
		"an order of another origin":        {"POST", "/collect", "127.0.0.1", "{}", map[string]string{"Content-Type": "application/json", "Origin": "https://evil.example"}, 403},
		"a preflight":                       {"OPTIONS", "/collect", "127.0.0.1", "", map[string]string{"Origin": "https://evil.example"}, 404},
		"an order without a body":           {"POST", "/collect", "127.0.0.1", "", map[string]string{"Content-Type": "application/json"}, 400},
		"an order with an unknown field":    {"POST", "/collect", "127.0.0.1", `{"traget":"x"}`, map[string]string{"Content-Type": "application/json"}, 422},
		"an order that is not JSON":         {"POST", "/collect", "127.0.0.1", `{`, map[string]string{"Content-Type": "application/json"}, 422},
		"an order too large":                {"POST", "/collect", "127.0.0.1", `{"target":"` + strings.Repeat("x", 1<<20) + `"}`, map[string]string{"Content-Type": "application/json"}, 413},
		"an unknown parameter":              {"GET", "/alerts?tagret=x", "127.0.0.1", "", nil, 422},
		"a time that is none":               {"GET", "/alerts?from=monday", "127.0.0.1", "", nil, 422},
		"an unknown alert":                  {"GET", "/alerts/7", "127.0.0.1", "", nil, 404},
		"an alert that is no number":        {"GET", "/alerts/x", "127.0.0.1", "", nil, 422},
		"an alert below zero":               {"GET", "/alerts/-1", "127.0.0.1", "", nil, 404},
		"a path that is not there":          {"GET", "/nothing", "127.0.0.1", "", nil, 404},
		"the documentation of another kind": {"GET", "/docs", "127.0.0.1", "", nil, 404},
		"the description of the API":        {"GET", "/openapi.json", "127.0.0.1", "", nil, 200},
		"a page of the library":             {"GET", "/../../docs", "127.0.0.1", "", nil, 404},
	}
	h := server.New(app{f: fine}, server.Options{Hosts: []string{"pgvigil.example.com"}}).Handler()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "http://x"+server.Prefix+tt.path, strings.NewReader(tt.body))
			r.Host = tt.host
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.want && w.Code != http.StatusMovedPermanently && w.Code != http.StatusTemporaryRedirect {
				t.Errorf("%s %s = %d %s; want %d", tt.method, tt.path, w.Code, w.Body, tt.want)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("a CORS header was sent")
			}
			if w.Code >= 400 {
				isProblem(t, w)
			}
		})
	}
}

func isProblem(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var p server.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Detail == "" || p.Status != w.Code {
		t.Errorf("body %q is not a problem of status %d", w.Body, w.Code)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type = %q; want a problem", got)
	}
}

func TestAPanicIsAProblemAndALine(t *testing.T) {
	var log bytes.Buffer
	h := server.New(app{f: func(context.Context) error { panic("out of paper") }}, server.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}).Handler()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://localhost"+server.Prefix+"/targets", nil)
	h.ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "paper") {
		t.Errorf("answer = %d %s; want 500 without the panic's text", w.Code, w.Body)
	}
	isProblem(t, w)
	if !strings.Contains(log.String(), "out of paper") || !strings.Contains(log.String(), "server_test.go") {
		t.Errorf("log = %s; want the panic and its stack", log.String())
	}
}

func TestCallsAreLoggedForDebuggingWithoutTheirParameters(t *testing.T) {
	var log bytes.Buffer
	h := server.New(app{f: fine}, server.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}).Handler()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost"+server.Prefix+"/alerts?target=swordfish", nil))
	if !strings.Contains(log.String(), "path=/api/v1/alerts status=200") || strings.Contains(log.String(), "swordfish") {
		t.Errorf("log = %s; want path and status alone", log.String())
	}
}

// pipe is a listener whose connections live in memory, for fake time.
type pipe struct {
	conns chan net.Conn
	done  chan struct{}
	once  *sync.Once
}

func newPipe() pipe { return pipe{make(chan net.Conn), make(chan struct{}), &sync.Once{}} }

func (p pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p pipe) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p pipe) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }

func (p pipe) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		p.conns <- theirs
		return ours, nil
	}}}
}

func TestCallsMayFinishWhenTheServiceEnds(t *testing.T) {
	tests := map[string]struct {
		takes time.Duration
		want  int // 0: broken off
	}{
		"a call that takes five seconds": {5 * time.Second, 200},
		"a call that takes a minute":     {time.Minute, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := server.New(app{f: func(ctx context.Context) error {
					select {
					case <-time.After(tt.takes):
					case <-ctx.Done():
					}
					return ctx.Err()
				}}, server.Options{})
				l := newPipe()
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- s.Serve(ctx, l) }()
				got := make(chan int)
				c := l.client()
				go func() { got <- status(c, server.Prefix+"/targets") }()
				synctest.Wait()
				stop()
				if status := <-got; status != tt.want && (tt.want != 0 || status != http.StatusServiceUnavailable) {
					t.Errorf("status = %d; want %d", status, tt.want)
				}
				if err := <-ended; err != nil {
					t.Errorf("Serve = %v; want nil", err)
				}
				c.CloseIdleConnections()
			})
		})
	}
}

func status(c *http.Client, path string) int {
	resp, err := c.Get("http://localhost" + path)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestALongCallIsNotCutByTheLimitsOnReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server.New(app{f: func(ctx context.Context) error {
			select {
			case <-time.After(10 * time.Minute):
			case <-ctx.Done():
			}
			return ctx.Err()
		}}, server.Options{})
		l := newPipe()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Serve(ctx, l) }()
		c := l.client()
		resp, err := c.Post("http://localhost"+server.Prefix+"/collect", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("a pass of ten minutes = %d; want 200", resp.StatusCode)
		}
		c.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v; want nil", err)
		}
	})
}

func TestACallHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := server.New(app{f: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}, server.Options{}).Handler()
		w := httptest.NewRecorder()
		start := time.Now()
		h.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+server.Prefix+"/targets", nil))
		if took := time.Since(start); w.Code != http.StatusGatewayTimeout || took != time.Minute {
			t.Errorf("a call that hangs = %d after %v; want 504 after 1m", w.Code, took)
		}
	})
}

func TestABrokenListenerEndsTheService(t *testing.T) {
	a, b := newPipe(), newPipe()
	_ = a.Close() // a pipe cannot fail to
	err := server.New(app{f: fine}, server.Options{}).Serve(t.Context(), a, b)
	if err == nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve = %v; want the listener's error", err)
	}
}
