package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Options say what a server is.
type Options struct {
	Log     *slog.Logger // nil discards
	Version string       // of the program
	History string       // shown by health: the path of the history
	// Hosts are further names under which it is reached over TCP.
	Hosts []string
	Now   func() time.Time // nil is time.Now
}

// Server answers the calls of the API by an App.
type Server struct {
	app     App
	opts    Options
	api     huma.API
	handler http.Handler
	started time.Time
}

// New returns a server; Serve runs it.
func New(app App, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{app: app, opts: o, started: o.Now()}
	mux := http.NewServeMux()
	s.api = newAPI(mux, s)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "there is nothing under this path", "see "+Prefix+"/openapi.json for what there is")
	})
	s.handler = s.logged(s.recovered(s.guarded(mux)))
	return s
}

// Handler returns the API with all its guards.
func (s *Server) Handler() http.Handler { return s.handler }

// OpenAPI returns the description of the API as indented JSON.
func (s *Server) OpenAPI() ([]byte, error) { return indented(s.api.OpenAPI()) }

func (s *Server) health() Health {
	return Health{Version: s.opts.Version, PID: os.Getpid(), History: s.opts.History, Started: s.started}
}

// grace is how long calls may go on after the service was told to end.
const grace = 10 * time.Second

// Serve answers on all listeners until ctx is done, lets calls finish for
// some seconds, and closes the listeners. It returns nil after an orderly end.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	hs := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      long + time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return calls },
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- hs.Serve(l) }()
	}
	running := len(listeners)
	var err error
	select {
	case <-ctx.Done():
	case err = <-ended:
		running--
	}
	err = errors.Join(served(err), s.shutdown(hs, cancel))
	for range running {
		err = errors.Join(err, served(<-ended))
	}
	return err
}

func served(err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve HTTP: %w", err)
}

func (s *Server) shutdown(hs *http.Server, cancel context.CancelFunc) error {
	ctx, done := context.WithTimeout(context.Background(), grace)
	defer done()
	if err := hs.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	s.opts.Log.Warn("calls cancelled at shutdown")
	cancel()
	return hs.Close()
}
