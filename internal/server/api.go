package server

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/pgvigil/pgvigil"
)

// Prefix is the path under which the API lives.
const Prefix = "/api/v1"

// maxBody bounds what a request may send, in bytes.
const maxBody = 64 << 10

// Deadlines of the calls. Those that read the history are short; a pass, a
// proof on a scratch database and a report may take their time.
const (
	quick = time.Minute
	long  = 15 * time.Minute
)

// newAPI registers all calls on mux. Nothing in it loads anything from a
// network: huma's page of documentation is off.
func newAPI(mux *http.ServeMux, s *Server) huma.API {
	cfg := huma.DefaultConfig("pgvigil", s.opts.Version)
	cfg.Info.Description = "What a running pgvigil does for its commands. NaN (unknown) is null, times are UTC, fingerprints are 16 hexadecimal digits. Errors are RFC 9457 problems with an advice and a code."
	cfg.OpenAPIPath = Prefix + "/openapi"
	cfg.DocsPath, cfg.SchemasPath = "", ""
	cfg.CreateHooks = nil
	cfg.RejectUnknownQueryParameters = true
	api := humago.New(mux, cfg)
	s.reads(api)
	s.actions(api)
	documentProblem(api)
	return api
}

// documentProblem adds to huma's error what Problem has beside it.
func documentProblem(api huma.API) {
	if m := api.OpenAPI().Components.Schemas.Map()["ErrorModel"]; m != nil {
		m.Properties["advice"] = &huma.Schema{Type: huma.TypeString, Description: "What the reader can do about it."}
		m.Properties["code"] = &huma.Schema{Type: huma.TypeString, Description: "not-found, invalid, conflict, timeout, canceled or internal."}
		m.AdditionalProperties = true
	}
}

type none struct{}

// reply is a response whose body is a T.
type reply[T any] struct{ Body Body[T] }

// order is a request whose body is a T.
type order[T any] struct{ Body Body[T] }

// Range is the part of a query that says when; exported, or huma would not see
// its fields.
type Range struct {
	From time.Time `query:"from" doc:"Beginning of the range, included."`
	To   time.Time `query:"to" doc:"End of the range, not included."`
}

func (w Range) window() pgvigil.Window { return pgvigil.Window{From: w.From, To: w.To} }

type alertQuery struct {
	ID     int64  `query:"id"`
	Server int64  `query:"server"`
	Target string `query:"target"`
	Live   bool   `query:"live" doc:"Only alerts that still concern somebody."`
	Range
}

type suspectQuery struct {
	Target string `query:"target"`
}

type regressionQuery struct {
	Server int64  `query:"server"`
	Target string `query:"target"`
	Range
}

type proposalQuery struct {
	ID     int64 `query:"id"`
	Server int64 `query:"server"`
	Alert  int64 `query:"alert" doc:"Only proposals that this alert asked for."`
	Range
}

type latelyQuery struct {
	Target string    `query:"target"`
	Since  time.Time `query:"since"`
}

type reportQuery struct {
	Target string `query:"target"`
	Range
}

type alertPath struct {
	ID int64 `path:"id"`
}

func get(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodGet, Path: Prefix + path, Summary: summary}
}

func post(id, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: Prefix + path, Summary: summary,
		MaxBodyBytes: maxBody, SkipValidateBody: true, // Body reads strictly
	}
}

// call registers an operation: f gets the request and a deadline, its error
// becomes a problem.
func call[I, T any](api huma.API, op huma.Operation, limit time.Duration, f func(context.Context, *I) (T, error)) {
	huma.Register(api, op, func(ctx context.Context, in *I) (*reply[T], error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		v, err := f(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return &reply[T]{Body[T]{v}}, nil
	})
}

func (s *Server) reads(api huma.API) {
	call(api, get("health", "/health", "That the service runs, and which"), quick,
		func(context.Context, *none) (Health, error) { return s.health(), nil })
	call(api, get("list-targets", "/targets", "The servers that the history knows"), quick,
		func(ctx context.Context, _ *none) ([]pgvigil.ServerInfo, error) { return s.app.Targets(ctx) })
	call(api, get("list-alerts", "/alerts", "Alerts, newest first"), quick,
		func(ctx context.Context, q *alertQuery) ([]pgvigil.Alert, error) {
			return s.app.Alerts(ctx, pgvigil.AlertFilter{ID: q.ID, Server: pgvigil.ServerID(q.Server), Target: q.Target, Live: q.Live, Window: q.window()})
		})
	call(api, get("list-suspects", "/suspects", "What is looked into and not convicted"), quick,
		func(ctx context.Context, q *suspectQuery) ([]pgvigil.Alert, error) {
			return s.app.Suspects(ctx, q.Target)
		})
	call(api, get("get-alert", "/alerts/{id}", "One alert"), quick, s.alert)
	call(api, get("list-regressions", "/regressions", "Detect now, over the history"), long,
		func(ctx context.Context, q *regressionQuery) ([]pgvigil.Regression, error) {
			return s.app.Regressions(ctx, RegressionFilter{Target: q.Target, Server: pgvigil.ServerID(q.Server), Window: q.window()})
		})
	call(api, get("list-proposals", "/proposals", "Proposals, newest first"), quick,
		func(ctx context.Context, q *proposalQuery) ([]pgvigil.Proposal, error) {
			return s.app.Proposals(ctx, pgvigil.ProposalFilter{ID: q.ID, Server: pgvigil.ServerID(q.Server), Alert: q.Alert, Window: q.window()})
		})
	call(api, get("get-lately", "/lately", "What changed on a target lately, and its last sample of sessions"), quick,
		func(ctx context.Context, q *latelyQuery) (Lately, error) {
			return s.app.Lately(ctx, LatelyRequest{Target: q.Target, Since: q.Since})
		})
	call(api, get("get-outlook", "/outlook", "What lies ahead of each server: what runs out, what holds it back, how it stands"), long,
		func(ctx context.Context, q *reportQuery) ([]pgvigil.Outlook, error) {
			return s.app.Outlook(ctx, OutlookRequest{Target: q.Target, Window: q.window()})
		})
	call(api, get("check-history", "/history/check", "What is wrong with the history"), long,
		func(ctx context.Context, _ *none) (pgvigil.HistoryCheck, error) { return s.app.CheckHistory(ctx) })
	report := get("get-report", "/report", "The report of a range, one HTML file")
	report.Responses = map[string]*huma.Response{"200": {
		Description: "The report",
		Content:     map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	huma.Register(api, report, s.report)
}

func (s *Server) alert(ctx context.Context, in *alertPath) (pgvigil.Alert, error) {
	list, err := s.app.Alerts(ctx, pgvigil.AlertFilter{ID: in.ID})
	if err != nil || in.ID <= 0 || len(list) == 0 {
		return pgvigil.Alert{}, orNotFound(err, in.ID)
	}
	return list[0], nil
}

// Requests of actions.
type (
	// CollectRequest names the target of a pass, "" for all.
	CollectRequest struct{ Target string }
	// ActRequest is who does something to an alert, and why; For is how long a
	// silence lasts.
	ActRequest struct {
		By     string
		Reason string
		For    time.Duration
	}
	// DecideRequest is who decides about a proposal, and why.
	DecideRequest struct {
		By     string
		Reason string
	}
	// MarkReply is the number of the event that was recorded.
	MarkReply struct{ ID int64 }
)

type actOrder struct {
	ID   int64 `path:"id"`
	Body Body[ActRequest]
}

type decideOrder struct {
	ID   int64 `path:"id"`
	Body Body[DecideRequest]
}

func (s *Server) actions(api huma.API) {
	call(api, post("collect", "/collect", "One pass now, over a target or all"), long,
		func(ctx context.Context, in *order[CollectRequest]) ([]PassResult, error) {
			return s.app.Collect(ctx, in.Body.Value.Target)
		})
	for _, verb := range []AlertVerb{Ack, Silence, Resolve} {
		call(api, post(string(verb)+"-alert", "/alerts/{id}/"+string(verb), "Change the state of an alert"), quick,
			func(ctx context.Context, in *actOrder) (pgvigil.Alert, error) {
				b := in.Body.Value
				return s.app.ActOnAlert(ctx, in.ID, AlertAction{Verb: verb, By: b.By, Reason: b.Reason, For: b.For})
			})
	}
	for _, verb := range []ProposalVerb{Accept, Reject} {
		call(api, post(string(verb)+"-proposal", "/proposals/{id}/"+string(verb), "Decide about a proposal"), quick,
			func(ctx context.Context, in *decideOrder) (pgvigil.Proposal, error) {
				b := in.Body.Value
				return s.app.DecideProposal(ctx, in.ID, ProposalAction{Verb: verb, By: b.By, Reason: b.Reason})
			})
	}
	call(api, post("advise", "/advise", "Draft and verify proposals"), long,
		func(ctx context.Context, in *order[AdviseRequest]) ([]pgvigil.Proposal, error) {
			return s.app.Advise(ctx, in.Body.Value)
		})
	call(api, post("mark", "/marks", "Record a deploy or another event"), quick,
		func(ctx context.Context, in *order[pgvigil.Event]) (MarkReply, error) {
			id, err := s.app.Mark(ctx, in.Body.Value)
			return MarkReply{id}, err
		})
}

// report streams. An error before the first byte is a problem; one after it
// breaks the connection, so that nobody takes half a report for a whole one.
func (s *Server) report(_ context.Context, q *reportQuery) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		ctx, cancel := context.WithTimeout(hctx.Context(), long)
		defer cancel()
		_, w := humago.Unwrap(hctx)
		out := &firstByte{w: w}
		err := s.app.Report(ctx, ReportRequest{Target: q.Target, Window: q.window()}, out)
		switch {
		case err == nil:
			out.begin()
		case !out.begun:
			problemOf(err).write(w)
		default:
			s.opts.Log.Error("report broken off", "error", err)
			panic(http.ErrAbortHandler) // net/http's way to break a response off
		}
	}}, nil
}

// firstByte sends the headers of a report with its first byte.
type firstByte struct {
	w     http.ResponseWriter
	begun bool
}

func (f *firstByte) begin() {
	if f.begun {
		return
	}
	f.begun = true
	f.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	f.w.WriteHeader(http.StatusOK)
}

func (f *firstByte) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	f.begin()
	return f.w.Write(b)
}

var _ io.Writer = (*firstByte)(nil)
