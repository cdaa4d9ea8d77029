package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server"
	"github.com/pgvigil/pgvigil/internal/server/client"
)

// fake is an App that remembers what it was asked and answers what it was told.
type fake struct {
	asked any
	err   error
	// half is how much of a report is written before err.
	half string
}

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	window  = pgvigil.Window{From: noon.Add(-time.Hour), To: noon}
	verdict = pgvigil.Regression{
		Kind: pgvigil.KindRegression, Series: pgvigil.SeriesKey{Server: 1, DBID: 5, Fingerprint: math.MaxUint64},
		Queries: []pgvigil.Fingerprint{1, 2}, Onset: noon, Factor: math.Inf(1),
		Before: pgvigil.Profile{MS: 1.5, PlanMS: math.NaN()}, Cause: pgvigil.CausePlan,
		Causes:   []pgvigil.CauseEvidence{{Cause: pgvigil.CausePlan, Score: 0.1, For: []string{"<script>"}}},
		Coverage: pgvigil.Coverage{Time: math.NaN(), Warnings: []pgvigil.Warning{{Code: "x", Text: "y"}}},
	}
	alert = pgvigil.Alert{
		ID: 7, Target: "ci", State: pgvigil.Open, Verdict: verdict, Opened: noon,
		Query:   pgvigil.Query{Fingerprint: math.MaxUint64, Text: "select 1\n-- \x00 \u2028", Tags: map[string]string{"a": "b"}},
		History: []pgvigil.AlertStep{{At: noon, State: pgvigil.Open, By: "pgvigil"}},
	}
	proposal = pgvigil.Proposal{
		ID: 3, Kind: pgvigil.ProposeIndex, Columns: []string{"a"}, Steps: []pgvigil.Step{{SQL: "CREATE INDEX", OutsideTx: true}},
		Evidence: pgvigil.Evidence{CostBefore: 5, CostAfter: 1, WriteOverhead: math.NaN()},
		Outcome:  &pgvigil.Outcome{AppliedAt: noon, Size: 1 << 40},
	}
	info   = pgvigil.ServerInfo{ID: 1, Server: pgvigil.Server{Target: "ci", SystemID: math.MaxUint64, Version: 150018}, FirstSeen: noon, Labels: map[string]string{"owner": "x"}}
	pass   = server.PassResult{Target: "ci", Server: 1, At: noon, Seconds: 0.25, Alerts: []pgvigil.Alert{alert}, Problem: "no", Advice: "do"}
	check  = pgvigil.HistoryCheck{OK: true, Passes: 3, From: noon, Problems: []string{"one"}}
	report = strings.Repeat("<p>a report</p>\n", 100_000)
)

func (f *fake) Targets(context.Context) ([]pgvigil.ServerInfo, error) {
	return []pgvigil.ServerInfo{info}, f.err
}

func (f *fake) Collect(_ context.Context, target string) ([]server.PassResult, error) {
	f.asked = target
	return []server.PassResult{pass}, f.err
}

func (f *fake) Alerts(_ context.Context, q pgvigil.AlertFilter) ([]pgvigil.Alert, error) {
	f.asked = q
	return []pgvigil.Alert{alert}, f.err
}

func (f *fake) Suspects(_ context.Context, target string) ([]pgvigil.Alert, error) {
	f.asked = target
	return []pgvigil.Alert{alert}, f.err
}

func (f *fake) ActOnAlert(_ context.Context, id int64, a server.AlertAction) (pgvigil.Alert, error) {
	f.asked = []any{id, a}
	return alert, f.err
}

func (f *fake) Regressions(_ context.Context, q server.RegressionFilter) ([]pgvigil.Regression, error) {
	f.asked = q
	return []pgvigil.Regression{verdict}, f.err
}

func (f *fake) Lately(_ context.Context, r server.LatelyRequest) (server.Lately, error) {
	f.asked = r
	return server.Lately{
		Server: info, Events: []pgvigil.Event{{At: noon, Kind: pgvigil.EventDeploy, Object: "v1"}},
		Sample: pgvigil.SessionSample{At: noon, Sessions: []pgvigil.Session{{PID: 7, BlockedBy: []int{8}}}, Locks: []pgvigil.LockWait{{Waiter: 7, Blocker: 8, Since: noon}}},
	}, f.err
}

func (f *fake) Advise(_ context.Context, r server.AdviseRequest) ([]pgvigil.Proposal, error) {
	f.asked = r
	return []pgvigil.Proposal{proposal}, f.err
}

func (f *fake) Proposals(_ context.Context, q pgvigil.ProposalFilter) ([]pgvigil.Proposal, error) {
	f.asked = q
	return nil, f.err
}

func (f *fake) DecideProposal(_ context.Context, id int64, a server.ProposalAction) (pgvigil.Proposal, error) {
	f.asked = []any{id, a}
	return proposal, f.err
}

func (f *fake) Report(_ context.Context, r server.ReportRequest, w io.Writer) error {
	f.asked = r
	if f.err != nil {
		_, err := io.WriteString(w, f.half)
		return errors.Join(err, f.err)
	}
	_, err := io.WriteString(w, report)
	return err
}

func (f *fake) Mark(_ context.Context, e pgvigil.Event) (int64, error) {
	f.asked = e
	return 42, f.err
}

func (f *fake) Outlook(_ context.Context, r server.OutlookRequest) ([]pgvigil.Outlook, error) {
	f.asked = r
	return []pgvigil.Outlook{{
		Server: 1, Target: "ci", At: noon, Window: r.Window, Seconds: 60, Counters: pgvigil.ServerCounters{pgvigil.ServerWALBytes: 1 << 40},
		Risks: []pgvigil.Risk{{Kind: pgvigil.RiskXID, Severity: pgvigil.Page, Used: 0.5, LeftSeconds: math.Inf(1), Text: "<b>"}, {Used: math.NaN(), LeftSeconds: math.NaN()}},
		State: pgvigil.ServerState{
			Connections: pgvigil.Connections{Used: 5, Limit: 100}, Holders: []pgvigil.Holder{{Kind: pgvigil.HeldBySlot, Name: "s", Age: 1 << 33}},
			Slots: []pgvigil.Slot{{Name: "s", Safe: -1}}, Replicas: []pgvigil.Replica{{ReplayLag: time.Second}}, Behind: time.Minute,
			Sequences: []pgvigil.Sequence{{Name: "q", Limit: math.MaxInt64, Last: math.MinInt64}},
		},
	}}, f.err
}

func (f *fake) CheckHistory(context.Context) (pgvigil.HistoryCheck, error) { return check, f.err }

// serve runs a service for app over a Unix socket and returns its path.
func serve(t *testing.T, app server.App) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "history.duckdb.sock")
	l, err := server.ListenUnix(socket)
	if err != nil {
		t.Fatal(err)
	}
	run(t, server.New(app, server.Options{Version: "test", History: "history.duckdb"}), l)
	return socket
}

func run(t *testing.T, s *server.Server, l net.Listener) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v; want nil after an orderly end", err)
		}
	})
}

func dial(t *testing.T, address string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// calls are all calls of an App with their arguments.
var calls = map[string]func(context.Context, server.App) (any, error){
	"targets": func(ctx context.Context, a server.App) (any, error) { return a.Targets(ctx) },
	"collect": func(ctx context.Context, a server.App) (any, error) { return a.Collect(ctx, "ci") },
	"alerts": func(ctx context.Context, a server.App) (any, error) {
		return a.Alerts(ctx, pgvigil.AlertFilter{ID: 7, Server: 1, Target: "ci &?", Live: true, Window: window})
	},
	"all alerts": func(ctx context.Context, a server.App) (any, error) { return a.Alerts(ctx, pgvigil.AlertFilter{}) },
	"act": func(ctx context.Context, a server.App) (any, error) {
		return a.ActOnAlert(ctx, 7, server.AlertAction{Verb: server.Silence, By: "me", Reason: "<b>", For: 90 * time.Minute})
	},
	"suspects": func(ctx context.Context, a server.App) (any, error) { return a.Suspects(ctx, "ci") },
	"accept": func(ctx context.Context, a server.App) (any, error) {
		return a.DecideProposal(ctx, 3, server.ProposalAction{Verb: server.Accept, By: "me", Reason: "yes"})
	},
	"regressions": func(ctx context.Context, a server.App) (any, error) {
		return a.Regressions(ctx, server.RegressionFilter{Target: "ci", Server: 2, Window: window})
	},
	"lately": func(ctx context.Context, a server.App) (any, error) {
		return a.Lately(ctx, server.LatelyRequest{Target: "ci", Since: noon})
	},
	"advise": func(ctx context.Context, a server.App) (any, error) {
		return a.Advise(ctx, server.AdviseRequest{Target: "ci", Database: "d", Alert: 3, Queries: []pgvigil.Fingerprint{math.MaxUint64}, Budget: 1 << 40, Window: window})
	},
	"proposals": func(ctx context.Context, a server.App) (any, error) {
		return a.Proposals(ctx, pgvigil.ProposalFilter{ID: 1, Server: 2, Alert: 3, Window: window})
	},
	"report": func(ctx context.Context, a server.App) (any, error) {
		var b bytes.Buffer
		err := a.Report(ctx, server.ReportRequest{Target: "ci", Window: window}, &b)
		return b.String(), err
	},
	"outlook": func(ctx context.Context, a server.App) (any, error) {
		return a.Outlook(ctx, server.OutlookRequest{Target: "ci", Window: window})
	},
	"mark": func(ctx context.Context, a server.App) (any, error) {
		return a.Mark(ctx, pgvigil.Event{Server: 1, At: noon, Kind: pgvigil.EventDeploy, After: "v1.2"})
	},
	"check": func(ctx context.Context, a server.App) (any, error) { return a.CheckHistory(ctx) },
}

func sameCost(a, b pgvigil.Cost) bool { return a == b || (a != a && b != b) }

func TestClientAnswersWhatTheAppAnswers(t *testing.T) {
	app := &fake{}
	socket := dial(t, serve(t, app))
	web := httptest.NewServer(server.New(app, server.Options{}).Handler())
	defer web.Close()
	byURL := dial(t, web.URL)
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			direct := &fake{}
			want, err := call(t.Context(), direct)
			if err != nil {
				t.Fatal(err)
			}
			for way, c := range map[string]*client.Client{"socket": socket, "URL": byURL} {
				app.asked = nil
				got, err := call(t.Context(), c)
				if err != nil {
					t.Fatalf("over the %s: %v", way, err)
				}
				opts := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateEmpty(), cmp.Comparer(sameCost)}
				if diff := cmp.Diff(want, got, opts); diff != "" {
					t.Errorf("answer over the %s (-direct +client):\n%s", way, diff)
				}
				if diff := cmp.Diff(direct.asked, app.asked, opts); diff != "" {
					t.Errorf("question over the %s (-direct +client):\n%s", way, diff)
				}
			}
		})
	}
}

func TestErrorsCrossWithTheirAdvice(t *testing.T) {
	app := &fake{}
	c := dial(t, serve(t, app))
	tests := map[string]struct{ err, is error }{
		"an unknown thing":   {fmt.Errorf("show alert 9: %w", server.ErrNotFound), server.ErrNotFound},
		"bad input":          {&pgvigil.Hint{Err: fmt.Errorf("advise: %w", server.ErrInvalid), Advice: "give a target"}, server.ErrInvalid},
		"a bad moment":       {fmt.Errorf("ack: %w", server.ErrConflict), server.ErrConflict},
		"a deadline":         {fmt.Errorf("collect: %w", context.DeadlineExceeded), context.DeadlineExceeded},
		"anything":           {errors.New("read the history: disk full"), nil},
		"anything with hint": {fmt.Errorf("collect: %w", &pgvigil.Hint{Err: errors.New("no rights"), Advice: "grant <pg_monitor>"}), nil},
	}
	for name, tt := range tests {
		for call, f := range calls {
			t.Run(name+" of "+call, func(t *testing.T) {
				app.err = tt.err
				_, err := f(t.Context(), c)
				switch {
				case err == nil || err.Error() != tt.err.Error():
					t.Errorf("error = %v; want %v", err, tt.err)
				case tt.is != nil && !errors.Is(err, tt.is):
					t.Errorf("error %v is not %v", err, tt.is)
				case pgvigil.Advice(err) != pgvigil.Advice(tt.err):
					t.Errorf("advice = %q; want %q", pgvigil.Advice(err), pgvigil.Advice(tt.err))
				}
			})
		}
	}
}

func TestHalfAReportIsAnError(t *testing.T) {
	c := dial(t, serve(t, &fake{err: errors.New("history gone"), half: report}))
	var b bytes.Buffer
	if err := c.Report(t.Context(), server.ReportRequest{}, &b); err == nil {
		t.Errorf("Report of %d bytes broken off = nil; want an error", b.Len())
	}
}

func TestNobodyListening(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	addresses := map[string]string{
		"no socket":          filepath.Join(t.TempDir(), "h.sock"),
		"no socket far away": filepath.Join(t.TempDir(), strings.Repeat("long", 50), "h.sock"),
		"no server":          closed.URL,
	}
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			_, err := client.Dial(t.Context(), address)
			if !errors.Is(err, client.ErrNoService) || pgvigil.Advice(err) == "" {
				t.Errorf("Dial = %v, advice %q; want ErrNoService with advice", err, pgvigil.Advice(err))
			}
		})
	}
}

func TestDialOfSomethingElse(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"a web page":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"a redirection": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) },
		"an error page": func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusBadGateway) },
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(h)
			defer s.Close()
			if _, err := client.Dial(t.Context(), s.URL); err == nil || !strings.Contains(err.Error(), s.URL) {
				t.Errorf("Dial = %v; want an error that names %s", err, s.URL)
			}
		})
	}
	for _, bad := range []string{"ftp://x", "http://u:secret@x", "http://"} {
		if _, err := client.Dial(t.Context(), bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Dial(%q) = %v; want an error without the address", bad, err)
		}
	}
}

func TestHealthSaysWhoServes(t *testing.T) {
	h := dial(t, serve(t, &fake{})).Health()
	if h.Version != "test" || h.PID == 0 || h.History != "history.duckdb" || h.Started.IsZero() {
		t.Errorf("Health = %+v; want version, pid, history and start", h)
	}
}

// TestFakeAnswersAllCalls keeps the table of calls as long as the interface.
func TestFakeAnswersAllCalls(t *testing.T) {
	if want := reflect.TypeFor[server.App]().NumMethod() + 1; len(calls) != want {
		t.Errorf("%d calls are tried; want %d", len(calls), want)
	}
}
