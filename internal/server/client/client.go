// Package client is server.App over the API of a running service, reached by
// its Unix socket or by a URL.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server"
	"github.com/pgvigil/pgvigil/internal/server/wire"
)

// ErrNoService says that no service listens: the caller may open the history
// itself.
var ErrNoService = errors.New("no service is running")

// maxReply bounds what a service may answer, in bytes; a report is not bound.
const maxReply = 256 << 20

// Client speaks to one service. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	base    string
	address string // for messages
	health  server.Health
}

var _ server.App = (*Client)(nil)

// dialTimeout bounds the wait for a service to say that it is there.
const dialTimeout = 5 * time.Second

// Dial connects to the service at a Unix socket (a path) or a URL (http or
// https) and asks for its health. If nobody listens there, errors.Is says
// ErrNoService.
func Dial(ctx context.Context, address string) (*Client, error) {
	c, err := newClient(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := c.get(ctx, "/health", nil, &c.health); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func newClient(address string) (*Client, error) {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		MaxIdleConns:        4,
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: dialTimeout,
	}
	c := &Client{base: strings.TrimRight(address, "/"), address: address}
	c.http = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if !strings.Contains(address, "://") {
		c.base = "http://localhost"
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dialUnix(ctx, address) }
		return c, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" {
		return nil, &pgvigil.Hint{Err: errors.New("the address of the service is neither a socket nor a URL"), Advice: "write for example http://127.0.0.1:8432"}
	}
	return c, nil
}

func dialUnix(ctx context.Context, path string) (net.Conn, error) {
	short, done, err := server.ShortPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", short)
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Health is what the service said of itself when it was dialled.
func (c *Client) Health() server.Health { return c.health }

func (c *Client) get(ctx context.Context, path string, q url.Values, out any) error {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return c.exchange(ctx, http.MethodGet, path, nil, out)
}

func (c *Client) post(ctx context.Context, path string, in, out any) error {
	b, err := wire.Marshal(in)
	if err != nil {
		return err
	}
	return c.exchange(ctx, http.MethodPost, path, b, out)
}

func (c *Client) exchange(ctx context.Context, method, path string, body []byte, out any) error {
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return c.unreachable(err)
	}
	if len(b) > maxReply {
		return fmt.Errorf("ask the service at %s: its answer is larger than 256 MB", c.address)
	}
	if err := wire.Unmarshal(b, out); err != nil {
		return fmt.Errorf("ask the service at %s: %w", c.address, err)
	}
	return nil
}

// send returns a response of status 200; anything else is an error.
func (c *Client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+server.Prefix+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the service at %s: %w", c.address, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, c.refused(resp)
}

// unreachable wraps an error of the connection.
func (c *Client) unreachable(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the URL: the address is said once
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		err = ErrNoService
	}
	if errors.Is(err, fs.ErrPermission) {
		return &pgvigil.Hint{
			Err:    fmt.Errorf("ask the service at %s: this user may not open its socket", c.address),
			Advice: "run the command as the user of pgvigil serve, or name another history with --history",
		}
	}
	return &pgvigil.Hint{
		Err:    fmt.Errorf("ask the service at %s: %w", c.address, err),
		Advice: "start it with pgvigil serve, or look into its log",
	}
}

// refused turns a problem back into the error that the App returned.
func (c *Client) refused(resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var p struct {
		server.Problem
		Errors []struct{ Message, Location string } // huma's own, about the form of the request
	}
	if err != nil || json.Unmarshal(b, &p) != nil || p.Detail == "" {
		return fmt.Errorf("ask the service at %s: it answered with HTTP status %d", c.address, resp.StatusCode)
	}
	e := &remoteError{text: p.Detail, is: server.ErrorOf(p.Code)}
	for _, one := range p.Errors {
		e.is = server.ErrInvalid
		e.text += fmt.Sprintf("; %s: %s", one.Location, one.Message)
	}
	if p.Advice == "" {
		return e
	}
	return &pgvigil.Hint{Err: e, Advice: p.Advice}
}

// remoteError is an error that the service returned.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }

// Unwrap returns the error that the problem's code stands for.
func (e *remoteError) Unwrap() error { return e.is }

// query makes parameters; zero values are left out.
func query(pairs ...any) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		name := fmt.Sprint(pairs[i])
		switch v := pairs[i+1].(type) {
		case string:
			set(q, name, v, v != "")
		case int64:
			set(q, name, strconv.FormatInt(v, 10), v != 0)
		case bool:
			set(q, name, "true", v)
		case time.Time:
			set(q, name, v.UTC().Format(time.RFC3339Nano), !v.IsZero())
		}
	}
	return q
}

func set(q url.Values, name, value string, given bool) {
	if given {
		q.Set(name, value)
	}
}
