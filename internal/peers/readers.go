package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
)

// reader is something that reads a server's counters.
type reader struct {
	name  string
	read  func(context.Context) error
	reads func() string // how many statements it got
	close func()
}

func closeAll(readers []*reader) {
	for _, r := range readers {
		if r.close != nil {
			r.close()
		}
	}
}

// readers returns those that work here, and a sentence on each that does not.
func (s *stage) readers(ctx context.Context) (working []*reader, missing []string) {
	add := func(r *reader, err error) {
		if err == nil {
			err = r.read(ctx) // once unmeasured: caches fill
		}
		if err != nil {
			missing = append(missing, fmt.Sprintf("Not measured: %s (%v).", r.name, err))
			return
		}
		working = append(working, r)
	}
	add(s.pgvigil(), nil)
	add(s.firstPass(), nil)
	if s.scene.statements > 100 {
		add(s.query(ctx, "`SELECT * FROM pg_stat_statements`", "SELECT * FROM pg_stat_statements"))
		add(s.query(ctx, "`SELECT * FROM pg_stat_statements(false)`", "SELECT * FROM pg_stat_statements(false)"))
	} else {
		add(s.query(ctx, "`SELECT *` of the four views of user tables and indexes", relationViews))
	}
	add(s.exporter(ctx))
	add(s.powa(ctx))
	return working, missing
}

// pgvigil is a pass of a collector that has seen the server before.
func (s *stage) pgvigil() *reader {
	return s.collect("pgvigil", collector.New(collector.Options{}), nil)
}

// firstPass is that of a collector that has not.
func (s *stage) firstPass() *reader {
	return s.collect("pgvigil, first pass", nil, func() *collector.Collector { return collector.New(collector.Options{}) })
}

func (s *stage) collect(name string, c *collector.Collector, fresh func() *collector.Collector) *reader {
	target := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(s.proxy.dsn()), Databases: []string{"ci"}}
	got := 0
	return &reader{
		name: name,
		read: func(ctx context.Context) error {
			if fresh != nil {
				c = fresh()
			}
			snap, err := c.Pass(ctx, target)
			if err != nil {
				return err
			}
			if !snap.Statements.OK {
				return fmt.Errorf("the pass read no statements: %v", snap.Warnings)
			}
			got = len(snap.Statements.List)
			return nil
		},
		reads: func() string { return "all " + thousands(int64(got)) },
	}
}

const relationViews = "SELECT * FROM pg_stat_user_tables; SELECT * FROM pg_statio_user_tables; SELECT * FROM pg_stat_user_indexes; SELECT * FROM pg_statio_user_indexes"

// query is a plain query over a connection that stays.
func (s *stage) query(ctx context.Context, name, sql string) (*reader, error) {
	r := &reader{name: name}
	conn, err := pgx.Connect(ctx, s.proxy.dsn())
	if err != nil {
		return r, err
	}
	rows := 0
	r.close = func() { _ = conn.Close(context.Background()) } // the server stops anyway
	r.read = func(ctx context.Context) error {
		results := conn.PgConn().Exec(ctx, sql)
		rows = 0
		for results.NextResult() {
			for results.ResultReader().NextRow() {
				rows++
			}
		}
		return results.Close()
	}
	r.reads = func() string {
		if s.scene.statements <= 100 {
			return "none"
		}
		return "all " + thousands(int64(rows))
	}
	return r, nil
}

// Where Debian's package puts the exporter and the queries that it ships.
const (
	exporterBinary   = "prometheus-postgres-exporter"
	exporterExamples = "/usr/share/doc/prometheus-postgres-exporter/examples/queries.yaml"
)

// exporterQueries returns a file of the exporter's example queries, with the
// columns of pg_stat_statements called as they are since PostgreSQL 13: as they
// are shipped, that query fails.
func exporterQueries() (path string, err error) {
	text, err := os.ReadFile(exporterExamples)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "queries*.yaml")
	if err != nil {
		return "", err
	}
	now := string(text)
	for _, column := range []string{"total", "min", "max", "mean", "stddev"} {
		now = strings.ReplaceAll(now, " "+column+"_time / 1000", " "+column+"_exec_time / 1000")
	}
	_, err = f.WriteString(now)
	return f.Name(), errors.Join(err, f.Close())
}

// exporter is Debian's postgres_exporter with the queries that it ships, which
// read statements and tables.
func (s *stage) exporter(ctx context.Context) (*reader, error) {
	r := &reader{name: "postgres_exporter with its example queries"}
	if _, err := exec.LookPath(exporterBinary); err != nil {
		return r, fmt.Errorf("apt-get install %s", exporterBinary)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return r, err
	}
	address := listener.Addr().String()
	_ = listener.Close() // it was only to find a free port
	queries, err := exporterQueries()
	if err != nil {
		return r, err
	}
	cmd := exec.Command(exporterBinary, "--web.listen-address="+address, "--extend.query-path="+queries, "--log.level=error")
	cmd.Env = append(os.Environ(), "DATA_SOURCE_NAME="+s.proxy.dsn())
	if err := cmd.Start(); err != nil {
		return r, err
	}
	r.close = func() { _, _, _ = cmd.Process.Kill(), cmd.Wait(), os.Remove(queries) } // it ends by the signal
	got := 0
	r.read = func(ctx context.Context) error {
		n, err := scrape(ctx, "http://"+address+"/metrics")
		got = n
		return err
	}
	r.reads = func() string { return thousands(int64(got)) }
	return r, awaitAnswer(ctx, address)
}

// awaitAnswer waits until somebody listens.
func awaitAnswer(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// scrape reads metrics and counts the statements among them.
func scrape(ctx context.Context, url string) (statements int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }() // all of it was read
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(string(body[:min(len(body), 200)])))
	}
	return strings.Count(string(body), "\npg_stat_statements_calls"), nil
}

// powa is a snapshot of PoWA, which reads in the server itself.
func (s *stage) powa(ctx context.Context) (*reader, error) {
	r := &reader{name: "PoWA, a snapshot"}
	if !s.server.Install.HasExtension("powa") {
		return r, fmt.Errorf("apt-get install postgresql-15-powa")
	}
	if _, err := s.own.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE EXTENSION IF NOT EXISTS powa", pgx.QueryExecModeSimpleProtocol); err != nil {
		return r, err
	}
	conn, err := pgx.Connect(ctx, s.proxy.dsn())
	if err != nil {
		return r, err
	}
	r.close = func() { _ = conn.Close(context.Background()) } // the server stops anyway
	r.read = func(ctx context.Context) error {
		var problems int
		err := conn.QueryRow(ctx, "SELECT powa_take_snapshot()", pgx.QueryExecModeSimpleProtocol).Scan(&problems)
		if err == nil && problems > 0 {
			err = fmt.Errorf("%d of its parts failed", problems)
		}
		return err
	}
	r.reads = func() string { return "all" }
	return r, nil
}
