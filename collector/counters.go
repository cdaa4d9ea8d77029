package collector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// counterView is one view of server counters with the metrics read from it.
type counterView struct {
	name    string
	metrics []pgvigil.ServerMetric
	sql     string
}

// counterViews returns the queries of a major version's server counters, one a
// view. pgvigil.ServerMetrics is the only list of them.
func counterViews(major int) []counterView {
	var views []counterView
	at := map[string]int{}
	columns := map[string][]string{}
	for _, info := range pgvigil.ServerMetrics {
		expr, ok := info.On(major)
		if !ok {
			continue
		}
		i, known := at[expr.View]
		if !known {
			i = len(views)
			at[expr.View] = i
			views = append(views, counterView{name: expr.View})
		}
		views[i].metrics = append(views[i].metrics, info.Metric)
		// Views of one row are read as they are, so that max() of one row is it.
		column := expr.SQL
		if !strings.HasPrefix(column, "sum(") {
			column = "max(" + column + ")"
		}
		columns[expr.View] = append(columns[expr.View], "("+column+")::float8")
	}
	for i := range views {
		v := &views[i]
		v.sql = strings.NewReplacer(":view", v.name, ":metrics", strings.Join(columns[v.name], ", ")).Replace(load("server_counters"))
	}
	return views
}

// readCounters reads the counters of the server as a whole, in one round trip.
func (p *pass) readCounters(ctx context.Context) (err error) {
	views := counterViews(p.snap.Server.Version.Major())
	batch := &pgx.Batch{}
	for _, v := range views {
		batch.Queue(v.sql)
	}
	results := p.conn.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	counters, resets := pgvigil.ServerCounters{}, pgvigil.ServerResets{}
	for _, v := range views {
		values := make([]*float64, len(v.metrics))
		var reset *moment
		dest := []any{&reset}
		for i := range values {
			dest = append(dest, &values[i])
		}
		if err := results.QueryRow().Scan(dest...); err != nil {
			return fmt.Errorf("read %s: %w", v.name, err)
		}
		resets[v.name] = utc(reset)
		for i, m := range v.metrics {
			if f := values[i]; f != nil && !math.IsNaN(*f) {
				counters[m] = *f
			}
		}
	}
	p.snap.Counters, p.snap.Resets = counters, resets
	return nil
}
