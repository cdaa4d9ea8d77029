package client

import (
	"context"
	"fmt"
	"io"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server"
)

// Targets implements server.App.
func (c *Client) Targets(ctx context.Context) (list []pgvigil.ServerInfo, err error) {
	err = c.get(ctx, "/targets", nil, &list)
	return list, err
}

// Collect implements server.App.
func (c *Client) Collect(ctx context.Context, target string) (list []server.PassResult, err error) {
	err = c.post(ctx, "/collect", server.CollectRequest{Target: target}, &list)
	return list, err
}

// Alerts implements server.App.
func (c *Client) Alerts(ctx context.Context, f pgvigil.AlertFilter) (list []pgvigil.Alert, err error) {
	q := query("id", f.ID, "server", int64(f.Server), "target", f.Target, "live", f.Live, "from", f.Window.From, "to", f.Window.To)
	err = c.get(ctx, "/alerts", q, &list)
	return list, err
}

// Suspects implements server.App.
func (c *Client) Suspects(ctx context.Context, target string) (list []pgvigil.Alert, err error) {
	err = c.get(ctx, "/suspects", query("target", target), &list)
	return list, err
}

// ActOnAlert implements server.App.
func (c *Client) ActOnAlert(ctx context.Context, id int64, a server.AlertAction) (alert pgvigil.Alert, err error) {
	switch a.Verb {
	case server.Ack, server.Silence, server.Resolve:
	default:
		return alert, fmt.Errorf("%.20q an alert: %w", a.Verb, server.ErrInvalid)
	}
	in := server.ActRequest{By: a.By, Reason: a.Reason, For: a.For}
	err = c.post(ctx, fmt.Sprintf("/alerts/%d/%s", id, a.Verb), in, &alert)
	return alert, err
}

// Regressions implements server.App.
func (c *Client) Regressions(ctx context.Context, f server.RegressionFilter) (list []pgvigil.Regression, err error) {
	q := query("server", int64(f.Server), "target", f.Target, "from", f.Window.From, "to", f.Window.To)
	err = c.get(ctx, "/regressions", q, &list)
	return list, err
}

// Lately implements server.App.
func (c *Client) Lately(ctx context.Context, r server.LatelyRequest) (l server.Lately, err error) {
	err = c.get(ctx, "/lately", query("target", r.Target, "since", r.Since), &l)
	return l, err
}

// Advise implements server.App.
func (c *Client) Advise(ctx context.Context, r server.AdviseRequest) (list []pgvigil.Proposal, err error) {
	err = c.post(ctx, "/advise", r, &list)
	return list, err
}

// Proposals implements server.App.
func (c *Client) Proposals(ctx context.Context, f pgvigil.ProposalFilter) (list []pgvigil.Proposal, err error) {
	q := query("id", f.ID, "server", int64(f.Server), "alert", f.Alert, "from", f.Window.From, "to", f.Window.To)
	err = c.get(ctx, "/proposals", q, &list)
	return list, err
}

// DecideProposal implements server.App.
func (c *Client) DecideProposal(ctx context.Context, id int64, a server.ProposalAction) (p pgvigil.Proposal, err error) {
	if a.Verb != server.Accept && a.Verb != server.Reject {
		return p, fmt.Errorf("%.20q a proposal: %w", a.Verb, server.ErrInvalid)
	}
	in := server.DecideRequest{By: a.By, Reason: a.Reason}
	err = c.post(ctx, fmt.Sprintf("/proposals/%d/%s", id, a.Verb), in, &p)
	return p, err
}

// Report implements server.App. What it has written before an error is part of
// a report, not one.
func (c *Client) Report(ctx context.Context, r server.ReportRequest, w io.Writer) error {
	path := "/report"
	if q := query("target", r.Target, "from", r.Window.From, "to", r.Window.To); len(q) > 0 {
		path += "?" + q.Encode()
	}
	resp, err := c.send(ctx, "GET", path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return c.unreachable(err)
	}
	return nil
}

// Mark implements server.App.
func (c *Client) Mark(ctx context.Context, e pgvigil.Event) (int64, error) {
	var r server.MarkReply
	err := c.post(ctx, "/marks", e, &r)
	return r.ID, err
}

// Outlook implements server.App.
func (c *Client) Outlook(ctx context.Context, r server.OutlookRequest) (list []pgvigil.Outlook, err error) {
	q := query("target", r.Target, "from", r.Window.From, "to", r.Window.To)
	err = c.get(ctx, "/outlook", q, &list)
	return list, err
}

// CheckHistory implements server.App.
func (c *Client) CheckHistory(ctx context.Context) (check pgvigil.HistoryCheck, err error) {
	err = c.get(ctx, "/history/check", nil, &check)
	return check, err
}
