package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil/internal/pgserver"
)

// stage is a server with a scene on it.
type stage struct {
	scene  scene
	server *pgserver.Server
	proxy  *proxy
	own    *pgx.Conn // fills and touches; it is left out of what is measured
	next   int       // the statement that is touched next
	probed int       // statements that the probe has run
}

// textLength is that of each statement, in bytes.
const textLength = 1000

func openStage(ctx context.Context, s scene) (_ *stage, err error) {
	install, err := pgserver.Find(ctx, 15)
	if err != nil {
		return nil, err
	}
	server, err := pgserver.Start(ctx, install, pgserver.Options{TCP: true, Settings: map[string]string{
		"pg_stat_statements.max":    strconv.Itoa(s.statements + s.statements/5 + 1000),
		"pg_stat_statements.track":  "top",
		"max_locks_per_transaction": "4096",
		"autovacuum":                "off",
		"shared_preload_libraries":  preload(install),
	}})
	if err != nil {
		return nil, err
	}
	st := &stage{scene: s, server: server}
	defer func() {
		if err != nil {
			st.close()
		}
	}()
	if st.proxy, err = newProxy(server.TCPDSN("ci")); err != nil {
		return nil, err
	}
	return st, st.fill(ctx)
}

// preload names what the server has to load; powa counts only where it is installed.
func preload(install pgserver.Install) string {
	if install.HasExtension("powa") {
		return "pg_stat_statements,powa"
	}
	return "pg_stat_statements"
}

func (s *stage) close() {
	if s.own != nil {
		_ = s.own.Close(context.Background()) // the server stops anyway
	}
	if s.proxy != nil {
		s.proxy.close()
	}
	_ = s.server.Stop() // it held nothing that is missed
}

// fill makes tables and indexes, then runs every statement once.
func (s *stage) fill(ctx context.Context) error {
	admin, err := pgx.Connect(ctx, s.server.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	_, err = admin.Exec(ctx, "CREATE DATABASE ci")
	if err = errors.Join(err, admin.Close(ctx)); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	if s.own, err = pgx.Connect(ctx, s.server.DSN("ci")); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := s.script(ctx, "CREATE EXTENSION pg_stat_statements;"+wideTable()); err != nil {
		return err
	}
	for from := 0; from < s.scene.tables; from += 100 {
		var b strings.Builder
		for t := from; t < min(from+100, s.scene.tables); t++ {
			fmt.Fprintf(&b, "CREATE TABLE t%d (id bigint, a int, b text, c timestamptz);", t)
			for i := range s.scene.indexes {
				fmt.Fprintf(&b, "CREATE INDEX ON t%d (a, c) WHERE id > %d;", t, i)
			}
		}
		if err := s.script(ctx, b.String()); err != nil {
			return err
		}
	}
	if err := s.script(ctx, "ANALYZE; SELECT pg_stat_statements_reset();"); err != nil {
		return err
	}
	return s.touch(ctx, s.scene.statements)
}

// columns is the number of columns of the wide table.
const columns = 60

func wideTable() string {
	var b strings.Builder
	for i := range columns {
		fmt.Fprintf(&b, ", c%d int", i)
	}
	return "CREATE TABLE wide (" + b.String()[2:] + ");"
}

// statement returns the text of one of columns^3 statements, each with a queryid
// of its own.
func statement(n int) string {
	text := fmt.Sprintf("SELECT c%d, c%d FROM wide WHERE c%d IS NULL", n%columns, n/columns%columns, n/columns/columns)
	return text + " /* " + strings.Repeat("x", max(0, textLength-len(text)-6)) + " */"
}

// touch runs the next n statements once each.
func (s *stage) touch(ctx context.Context, n int) error {
	for n > 0 {
		var b strings.Builder
		for range min(n, 200) {
			b.WriteString(statement(s.next%s.scene.statements) + ";")
			s.next++
		}
		if err := s.script(ctx, b.String()); err != nil {
			return err
		}
		n -= 200
	}
	return nil
}

func (s *stage) script(ctx context.Context, sql string) error {
	if _, err := s.own.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("fill the server: %w", err)
	}
	return nil
}
