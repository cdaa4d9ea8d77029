package gemini

import (
	"io"
	"net"
	"net/http"

	"github.com/pgvigil/pgvigil"
)

// maxBody bounds what is read of a response, in bytes.
const maxBody = 1 << 20

// courier carries the key to one host only, in a header, and cuts responses
// off.
type courier struct {
	next         http.RoundTripper
	key          pgvigil.Secret
	scheme, host string
}

// RoundTrip implements http.RoundTripper.
func (c *courier) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != c.scheme || r.URL.Host != c.host || r.Host != "" && r.Host != c.host {
		return nil, errHost
	}
	r = r.Clone(r.Context())
	r.Header.Set("x-goog-api-key", c.key.Reveal())
	res, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &capped{ReadCloser: res.Body, left: maxBody}
	return res, nil
}

// capped fails a read past its limit.
type capped struct {
	io.ReadCloser
	left int
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooLong
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
