package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/interval"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// compared is a server that passes are made over, each compared with the last.
type compared struct {
	t         *testing.T
	collector *collector.Collector
	target    pgvigil.Target
	state     *interval.State
}

func compare(t *testing.T, dsn string) *compared {
	t.Helper()
	return &compared{
		t: t, target: pgvigil.Target{Name: "ci", DSN: pgvigil.Secret(dsn), Databases: []string{"ci"}},
		collector: collector.New(collector.Options{TextEvery: time.Nanosecond, CatalogEvery: time.Nanosecond, Log: slog.New(slog.DiscardHandler)}),
	}
}

// pass makes a pass and returns what happened since the last one.
func (w *compared) pass() interval.Step {
	w.t.Helper()
	snap, err := w.collector.Pass(context.Background(), w.target)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, warning := range snap.Warnings {
		w.t.Errorf("warning %+v", warning)
	}
	var step interval.Step
	step, w.state = interval.Next(w.state, snap, 0)
	return step
}

// said writes events as "kind object [before] [after]", sorted.
func said(events []pgvigil.Event) []string {
	var list []string
	for _, e := range events {
		if e.Kind == pgvigil.EventAnalyzed { // an autovacuum may come at any time
			continue
		}
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.Object, changeOf(e))))
	}
	slices.Sort(list)
	return list
}

func changeOf(e pgvigil.Event) string {
	if e.Before == "" && e.After == "" {
		return ""
	}
	return "[" + e.Before + "] [" + e.After + "]"
}

const ddlBefore = `
	CREATE EXTENSION pg_stat_statements;
	CREATE EXTENSION pgstattuple VERSION '1.4';
	CREATE TABLE project (id int PRIMARY KEY, name text);
	CREATE TABLE job (id int PRIMARY KEY, project int, status text, old int, CHECK (old > 0));
	CREATE INDEX job_status ON job (status);
	ALTER TABLE job ADD CONSTRAINT job_project FOREIGN KEY (project) REFERENCES project NOT VALID;
	CREATE TABLE log (part int, line text) PARTITION BY LIST (part);
	CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1);
	CREATE TABLE log_2 (part int, line text);
	CREATE TABLE gone (id int);
	CREATE TABLE twice (id int); INSERT INTO twice VALUES (1), (1);
	CREATE ROLE old_batch; CREATE ROLE batch;
	ALTER ROLE batch SET work_mem = '8MB';`

const ddlAfter = `
	CREATE TABLE runner (id int PRIMARY KEY);
	DROP TABLE gone;
	ALTER TABLE project RENAME TO projects;
	ALTER TABLE job SET (autovacuum_enabled = off);
	ALTER TABLE job ADD COLUMN stage text;
	ALTER TABLE job DROP COLUMN old;
	ALTER TABLE job ALTER COLUMN id TYPE bigint;
	ALTER TABLE job ADD CONSTRAINT job_status_known CHECK (status <> 'lost');
	ALTER TABLE job VALIDATE CONSTRAINT job_project;
	CREATE INDEX job_stage ON job (stage);
	DROP INDEX job_status;
	ALTER TABLE log ATTACH PARTITION log_2 FOR VALUES IN (2);
	ALTER TABLE log DETACH PARTITION log_1;
	ALTER EXTENSION pgstattuple UPDATE TO '1.5';
	CREATE ROLE fresh LOGIN; DROP ROLE old_batch; ALTER ROLE batch CREATEDB;
	ALTER ROLE batch SET work_mem = '16MB';
	ALTER DATABASE ci SET random_page_cost = 2;`

// ddlSeen says that the server shows all that was done to it: settings are
// reloaded and statistics reset some time after they are asked for.
const ddlSeen = `SELECT current_setting('autovacuum_naptime') = '33s'
	AND (SELECT stats_reset FROM pg_stat_bgwriter) > (SELECT stats_reset FROM pg_stat_wal)
	AND (SELECT stats_reset IS NOT NULL FROM pg_stat_database WHERE datname = 'ci')`

var ddlEvents = []string{
	"column changed public.job.id [integer not null] [bigint not null]",
	"column created public.job.stage [] [text]",
	"column dropped public.job.old [integer] []",
	"constraint created public.job.job_status_known [] [CHECK ((status <> 'lost'::text))]",
	"constraint dropped public.job.job_old_check [CHECK ((old > 0))] []",
	"constraint validated public.job.job_project [] [FOREIGN KEY (project) REFERENCES public.projects(id)]",
	"extension updated pgstattuple [1.4] [1.5]",
	"index created public.job_stage [] [CREATE INDEX job_stage ON public.job USING btree (stage)]",
	"index dropped public.job_status [CREATE INDEX job_status ON public.job USING btree (status)] []",
	"index invalid public.twice_id [] [CREATE UNIQUE INDEX twice_id ON public.twice USING btree (id)]",
	"partition attached public.log_2 [] [partition of public.log FOR VALUES IN (2)]",
	"partition detached public.log_1 [partition of public.log FOR VALUES IN (1)] []",
	"setting changed autovacuum_naptime [60s] [33s]",
	"setting changed random_page_cost (database=ci) [] [2]",
	"setting changed work_mem (role=batch) [8MB] [16MB]",
	"statistics reset pg_stat_bgwriter",
	"statistics reset statements",
	"statistics reset tables of ci",
	"table created public.runner",
	"table dropped public.gone",
	"table options changed public.job [] [autovacuum_enabled=off]",
	"table renamed public.projects [public.project] [public.projects]",
	"user changed batch [] [createdb]",
	"user created fresh [] [login]",
	"user dropped old_batch",
}

// TestEventsOnARealServer changes everything that an event tells of between
// two passes, and then starts the server again as a standby.
func TestEventsOnARealServer(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{})
		pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE ci")
		dsn := s.DSN("ci")
		pgtest.Exec(t, dsn, ddlBefore)
		// Up to 14 the first use of a database sets stats_reset, when it comes to
		// the collector of statistics: not between the passes.
		pgtest.Exec(t, s.DSN("postgres"), "SELECT pg_stat_reset()")
		await(t, dsn, "SELECT stats_reset IS NOT NULL FROM pg_stat_database WHERE datname = 'postgres'")
		w := compare(t, dsn)
		if first := w.pass(); len(first.Events) != 0 {
			t.Errorf("events of the first pass: %q", said(first.Events))
		}
		pgtest.Exec(t, dsn, ddlAfter)
		pgtest.Exec(t, dsn, "ALTER SYSTEM SET autovacuum_naptime = '33s'")
		invalid(t, dsn)
		pgtest.Exec(t, dsn, "SELECT pg_stat_statements_reset(); SELECT pg_stat_reset(); SELECT pg_stat_reset_shared('bgwriter'); SELECT pg_reload_conf()")
		await(t, dsn, ddlSeen)
		if diff := cmp.Diff(ddlEvents, said(w.pass().Events)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if err := s.Halt(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.DataDir(), "standby.signal"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		version := w.state.Server.Version.String()
		want := []string{"restart " + version + " [" + version + "] [" + version + "]", "role changed ci [primary] [standby]"}
		if diff := cmp.Diff(want, said(w.pass().Events)); diff != "" {
			t.Errorf("events of a restart as a standby (-want +got):\n%s", diff)
		}
	})
}

// await polls a query until it gives true.
func await(t *testing.T, dsn, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := pgtest.Connect(t, dsn)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ok := false; !ok; <-tick.C {
		if err := conn.QueryRow(ctx, sql).Scan(&ok); err != nil {
			t.Fatalf("wait for %s: %v", sql, err)
		}
	}
}

// invalid leaves an index behind whose build failed.
func invalid(t *testing.T, dsn string) {
	t.Helper()
	conn := pgtest.Connect(t, dsn)
	if _, err := conn.Exec(context.Background(), "CREATE UNIQUE INDEX CONCURRENTLY twice_id ON twice (id)"); err == nil {
		t.Fatal("the index was built; want its build to fail")
	}
}
