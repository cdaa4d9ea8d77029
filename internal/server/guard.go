package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
)

// guarded lets through what pgvigil's own clients send. Whoever may open the
// Unix socket is trusted. Over TCP a browser could be led here by a foreign
// page, so: a request that a browser marks as coming from another site is
// refused, one that changes something must be JSON (which a form cannot send),
// and the name it asks for must be one of ours (or a page could rebind its own
// name to this address). No CORS header is ever sent.
func (s *Server) guarded(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		if !overUnix(r) && !s.known(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "the host name of this request is not one of this service", "ask by address, or add the name to server.hosts")
			return
		}
		if err := origin.Check(r); err != nil {
			refuse(w, http.StatusForbidden, "requests from other web pages are not answered", "")
			return
		}
		if r.Method == http.MethodPost && !isJSON(r) {
			refuse(w, http.StatusUnsupportedMediaType, "the body of a request must be JSON", "send Content-Type: application/json")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody+1)
		next.ServeHTTP(w, r)
	})
}

func overUnix(r *http.Request) bool {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && a.Network() == "unix"
}

// known says that a Host header is an address, localhost or a configured name.
// To rebind a name, an attacker needs a name.
func (s *Server) known(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true
	}
	return slices.ContainsFunc(s.opts.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

func isJSON(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// recovered turns a panic into a problem and a line in the log.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, ok := w.(*recorder)
		if !ok {
			rec = &recorder{ResponseWriter: w}
		}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // net/http breaks the connection and says nothing
			}
			s.opts.Log.Error("call panicked", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if rec.status == 0 {
				refuse500(rec)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func refuse500(w http.ResponseWriter) {
	p := &Problem{
		Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError,
		Detail: "the service met a bug in itself", Advice: "look into its log, and report what stands there", Code: "internal",
	}
	p.write(w)
}

// logged writes one line a call, for debugging.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		start := s.opts.Now()
		defer func() {
			s.opts.Log.Debug("call answered", "method", r.Method, "path", r.URL.Path,
				"status", rec.status, "bytes", rec.bytes, "took", s.opts.Now().Sub(start))
		}()
		next.ServeHTTP(rec, r)
	})
}

// recorder remembers what was sent.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets net/http and huma reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func indented(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the description of the API: %w", err)
	}
	return append(b, '\n'), nil
}
