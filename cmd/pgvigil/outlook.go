package main

import (
	"context"
	"fmt"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/outlook"
	"github.com/pgvigil/pgvigil/internal/server"
)

// outlookSpan is the window whose rates an outlook takes where none is named.
const outlookSpan = 24 * time.Hour

// Outlook implements server.App.
func (a *app) Outlook(ctx context.Context, r server.OutlookRequest) ([]pgvigil.Outlook, error) {
	servers, err := a.serversOf(ctx, r.Target)
	if err != nil {
		return nil, err
	}
	w := r.Window
	if w.To.IsZero() {
		w.To = a.now().UTC()
	}
	if w.From.IsZero() {
		w.From = w.To.Add(-outlookSpan)
	}
	var list []pgvigil.Outlook
	for _, s := range servers {
		facts, err := outlook.Read(ctx, a.watcher.history, s.ID, w)
		if err != nil {
			return nil, fmt.Errorf("look ahead of %s: %w", s.Server.Target, err)
		}
		o := outlook.Of(facts)
		o.Server, o.Target, o.Window = s.ID, s.Server.Target, w
		list = append(list, o)
	}
	return list, nil
}
