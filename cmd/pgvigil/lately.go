package main

import (
	"context"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server"
)

// Lately implements server.App.
func (a *app) Lately(ctx context.Context, r server.LatelyRequest) (server.Lately, error) {
	servers, err := a.serversOf(ctx, r.Target)
	if err != nil {
		return server.Lately{}, err
	}
	if len(servers) == 0 {
		return server.Lately{}, noTarget(r.Target)
	}
	l := server.Lately{Server: latest(servers)}
	w := pgvigil.Window{From: r.Since}
	if l.Events, err = a.watcher.history.Events(ctx, l.Server.ID, w); err != nil {
		return l, err
	}
	samples, err := a.watcher.history.Sessions(ctx, l.Server.ID, w)
	if n := len(samples); n > 0 {
		l.Sample = samples[n-1]
	}
	return l, err
}
