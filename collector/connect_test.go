package collector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestEveryConnectionStartsByTheRule(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `
			DROP ROLE IF EXISTS odd;
			CREATE ROLE odd LOGIN;
			ALTER ROLE odd SET search_path = public;
			ALTER ROLE odd SET datestyle = 'SQL, DMY';
			ALTER ROLE odd SET timezone = 'Asia/Tokyo';
			ALTER ROLE odd SET extra_float_digits = -3;
			ALTER ROLE odd SET default_transaction_read_only = off;
			ALTER ROLE odd SET statement_timeout = 0;
			ALTER ROLE odd SET client_encoding = 'LATIN1';
			ALTER ROLE odd SET jit = on`)
		tg := pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(strings.Replace(dsn, "user=postgres", "user=odd", 1) +
			" SEARCH_PATH=public application_name=other Default_Transaction_Read_Only=off")}
		tg.Timeouts.Lock = 70 * time.Millisecond
		ctx := context.Background()
		conn, err := Connect(ctx, tg, "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		for name, want := range map[string]string{
			"search_path": "pg_catalog", "default_transaction_read_only": "on", "jit": "off", "statement_timeout": "10s",
			"lock_timeout": "70ms", "idle_in_transaction_session_timeout": "10s", "idle_session_timeout": "5min",
			"application_name": "pgvigil", "datestyle": "ISO, MDY", "timezone": "UTC", "extra_float_digits": "1", "client_encoding": "UTF8",
		} {
			var got string
			if err := conn.QueryRow(ctx, "SELECT current_setting($1::text)", name).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %q, %v; want %q", name, got, err, want)
			}
		}
		_, err = conn.Exec(ctx, "CREATE TABLE pg_temp.x ()")
		if _, err2 := conn.Exec(ctx, "CREATE TABLE public.x ()"); err2 == nil {
			t.Errorf("a table could be made over a connection that only reads (temporary: %v)", err)
		}
	})
}

func TestNoPasswordInAnyError(t *testing.T) {
	const secret = "S3cr:t/p@ss w?rd&x"
	for _, dsn := range []string{
		"postgres://u:" + secret + "@host:port/db",
		"postgres://u:" + secret + "@host/db?sslmode=maybe",
		"postgres://u:" + secret + "@[::1/db",
		"host=x user=u password='" + secret + "' sslmode=maybe",
		"host=x user=u password='" + secret,
		"host=x port=" + secret,
		"user=u password=" + secret + " connect_timeout=x",
		secret,
		"host=127.0.0.1 port=1 user=u password='" + secret + "' dbname=x",
		"postgres://u:S3cr%3At%2Fp%40ss@127.0.0.1:1/x?sslmode=disable",
	} {
		_, err := Connect(context.Background(), pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(dsn)}, "")
		if err == nil {
			t.Errorf("no error for %q", dsn)
			continue
		}
		said := err.Error() + pgvigil.Advice(err) + fmt.Sprintf("%v %+v", err, err)
		for _, part := range []string{"S3cr", "p@ss", "w?rd"} {
			if strings.Contains(said, part) {
				t.Errorf("the error for %q says %q", dsn, said)
			}
		}
		if pgvigil.Advice(err) == "" || !strings.Contains(err.Error(), " ci") {
			t.Errorf("the error for %q is %q without the target or a remedy", dsn, err)
		}
	}
}

func TestOnePassAtATimeForDirectCallers(t *testing.T) {
	c := New(Options{})
	c.memory("ci").busy.Lock()
	_, err := c.Pass(context.Background(), pgvigil.Target{Name: "ci", DSN: "host=/nonexistent user=x"})
	if err == nil || !strings.Contains(err.Error(), "still running") {
		t.Errorf("a second pass gave %v; want that the first is still running", err)
	}
}

func TestACancelledPassSaysSo(t *testing.T) {
	s := pgtest.Server(t, 15)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := New(Options{}).Pass(ctx, pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(s.DSN("postgres"))})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled pass gave %v; want context.Canceled", err)
	}
}

// TestEveryQueryIsValid has every supported server prepare every query.
func TestEveryQueryIsValid(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		ctx := context.Background()
		admin := pgtest.Connect(t, dsn)
		rows, err := admin.Query(ctx, "SELECT version FROM pg_available_extension_versions WHERE name = 'pg_stat_statements' ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		versions, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		conn, err := Connect(ctx, pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(dsn)}, "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		prepare := func(name, sql string) {
			if _, err := conn.Prepare(ctx, "", sql); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, v := range versions {
			if versionLess(v, "1.8") {
				continue
			}
			pgtest.Exec(t, dsn, "DROP EXTENSION IF EXISTS pg_stat_statements; DROP SCHEMA IF EXISTS \"Odd \"\"one\"; CREATE SCHEMA \"Odd \"\"one\"; "+
				"CREATE EXTENSION pg_stat_statements SCHEMA \"Odd \"\"one\" VERSION '"+v+"'")
			e := extension{Schema: `Odd "one`, Version: v}
			statements, _ := e.statementsSQL()
			prepare("statements "+v, statements)
			prepare("info "+v, e.infoSQL())
			prepare("texts "+v, e.textsSQL())
		}
		for _, v := range counterViews(s.Install.Major) {
			prepare(v.name, v.sql)
		}
		entries, err := queryFiles.ReadDir("queries")
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			text, err := queryFiles.ReadFile("queries/" + entry.Name())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "-- one row") {
				t.Errorf("%s does not begin with what it returns", entry.Name())
			}
			if !strings.Contains(string(text), ":schema") && !strings.Contains(string(text), ":view") && availableOn(entry.Name(), s.Install.Major) {
				prepare(entry.Name(), load(strings.TrimSuffix(entry.Name(), ".sql")))
			}
		}
	})
}

// availableOn says whether a query is for a major version: NAME.pg17.sql is for
// 17 and later.
func availableOn(file string, major int) bool {
	_, version, ok := strings.Cut(strings.TrimSuffix(file, ".sql"), ".pg")
	return !ok || leadingInt(version) <= major
}
