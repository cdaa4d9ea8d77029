package collector_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/query"
)

// logSettings make a server write down everything that is read, in all formats
// that it has.
func logSettings(major int, planFormat string) map[string]string {
	destination := "stderr,csvlog"
	if major >= 15 {
		destination += ",jsonlog"
	}
	return map[string]string{
		"logging_collector": "on", "log_destination": destination, "log_directory": "log", "log_filename": "postgresql-%H%M%S.log",
		"log_line_prefix": "%m [%p] %q%u@%d/%a ", "log_temp_files": "0", "log_autovacuum_min_duration": "0", "autovacuum": "off",
		"shared_preload_libraries": "pg_stat_statements,auto_explain", "auto_explain.log_min_duration": "0",
		"auto_explain.log_format": planFormat, "auto_explain.log_verbose": "on", "deadlock_timeout": "20ms", "timezone": "UTC",
		"log_timezone": "America/Sao_Paulo",
	}
}

// quarrel lets two sessions of a database get into each other's way.
func quarrel(t *testing.T, dsn string) {
	t.Helper()
	a, b := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	run := func(conn *pgx.Conn, state, sql string) {
		t.Helper()
		if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); stateOf(err) != state {
			t.Errorf("%s: %v; want SQLSTATE %q", sql, err, state)
		}
	}
	run(a, "", "SET statement_timeout = '20ms'")
	for range 3 {
		run(a, "57014", "SELECT pg_sleep(10), 'hunter2\nsecond line' FROM jobs WHERE id = 4")
	}
	run(a, "", "RESET statement_timeout")
	run(a, "22012", "SELECT 1 / (id - id) FROM jobs WHERE status <> 'hunter2'")
	run(a, "42601", "SELEC 'hunter2'")
	run(a, "", "SET work_mem = '64kB'")
	run(a, "", "SELECT count(*) FROM (SELECT status, id FROM jobs WHERE status <> 'hunter2' ORDER BY status, id DESC OFFSET 1) x")
	run(a, "", "BEGIN")
	run(b, "", "BEGIN")
	run(a, "", "UPDATE jobs SET status = 'hunter2' WHERE id = 1")
	run(b, "", "UPDATE jobs SET status = 'hunter2' WHERE id = 2")
	done := make(chan error)
	go func() {
		_, err := b.Exec(context.Background(), "UPDATE jobs SET status = 'hunter2', project_id = 5 WHERE id = 1", pgx.QueryExecModeSimpleProtocol)
		done <- err
	}()
	_, err := a.Exec(context.Background(), "UPDATE jobs SET status = 'hunter2' WHERE id = 2", pgx.QueryExecModeSimpleProtocol)
	if one, other := stateOf(err), stateOf(<-done); one+other != "40P01" {
		t.Errorf("no deadlock: %q, %q", one, other)
	}
	run(a, "", "ROLLBACK")
	run(b, "", "ROLLBACK")
	run(a, "", "SET lock_timeout = '10ms'")
	run(b, "", "BEGIN; LOCK jobs")
	run(a, "55P03", "SELECT * FROM jobs WHERE id = 7 AND status = 'hunter2'")
	run(b, "", "ROLLBACK")
}

func stateOf(err error) string {
	if err == nil {
		return ""
	}
	var bad interface{ SQLState() string }
	if bad, _ = err.(interface{ SQLState() string }); bad == nil {
		return err.Error()
	}
	return bad.SQLState()
}

func TestTheServersLogIsRead(t *testing.T) {
	for major, planFormat := range map[int]string{15: "json", 18: "text"} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			s := pgtest.Own(t, major, pgserver.Options{Settings: logSettings(major, planFormat)})
			dsn := pgtest.Database(t, s)
			exec(t, dsn, planned)
			watched := map[string]*wishing{}
			for _, ending := range []string{"log", "csv", "json"} {
				w := newWishing()
				w.log = filepath.Join(s.DataDir(), "log", "*."+ending)
				w.plans(t, dsn)
				watched[ending] = w
			}
			quarrel(t, dsn)
			for ending, w := range watched {
				t.Run(ending, func(t *testing.T) {
					w.plans(t, dsn)
					checkLog(t, w.snap)
				})
			}
		})
	}
}

// checkLog holds what was read of the log against what quarrel did.
func checkLog(t *testing.T, snap *pgvigil.Snapshot) {
	t.Helper()
	describe := func(text string) pgvigil.Fingerprint { return query.Describe(text, query.Options{}).Fingerprint }
	sleep := describe("SELECT pg_sleep(10), 'x' FROM jobs WHERE id = 4")
	failed := map[pgvigil.FailReason]int{}
	for _, f := range snap.Log.Failed {
		failed[f.Reason] += f.Calls
		if f.Reason == pgvigil.FailedTimeout && (f.Fingerprint != sleep || f.Calls != 3 || f.DBID == 0) {
			t.Errorf("timeouts = %+v; want 3 calls of %s", f, sleep)
		}
		if age := snap.Clock.Sub(f.First); age < 0 || time.Since(f.First) > time.Hour {
			t.Errorf("%s at %v; want it a moment ago", f.Reason, f.First)
		}
	}
	want := map[pgvigil.FailReason]int{pgvigil.FailedTimeout: 3, pgvigil.FailedDeadlock: 1, pgvigil.FailedLock: 1, pgvigil.FailedOtherwise: 2}
	if fmt.Sprint(failed) != fmt.Sprint(want) {
		t.Errorf("failed = %v; want %v", failed, want)
	}
	var kinds []string
	for _, e := range snap.Events {
		kinds = append(kinds, string(e.Kind)+": "+e.Object+" "+e.After)
	}
	slices.Sort(kinds)
	all := strings.Join(kinds, "\n")
	for _, part := range []string{
		"deadlock: update jobs with update jobs (", "statements cancelled: select jobs statement timeout",
		"statements cancelled: select jobs lock timeout", "temporary files: select jobs ",
	} {
		if !strings.Contains(all, part) {
			t.Errorf("events:\n%s\nwant %q among them", all, part)
		}
	}
	count := describe("SELECT count(*) FROM (SELECT status, id FROM jobs WHERE status <> 'x' ORDER BY status, id DESC OFFSET 1) x")
	i := slices.IndexFunc(snap.Plans, func(p pgvigil.Plan) bool { return p.Fingerprint == count })
	if i < 0 || !strings.Contains(snap.Plans[i].Text, "Seq Scan on public.jobs") || snap.Plans[i].Source != pgvigil.ByAutoExplain {
		t.Errorf("plans = %+v; want that of the sort by auto_explain", snap.Plans)
	}
	if text := fmt.Sprintf("%+v", *snap); strings.Contains(text, "hunter2") {
		t.Errorf("the snapshot holds the secret near %.300s", text[max(0, strings.Index(text, "hunter2")-200):])
	}
	if snap.Log.Queries[sleep].Text == "" || snap.Log.Broken > 0 || !snap.Log.OK {
		t.Errorf("log = %+v; want it read, with the text of what never succeeded", snap.Log)
	}
}

func TestALogThatCannotBeReadIsAWarning(t *testing.T) {
	s := pgtest.Server(t, pgtest.Majors[1])
	dsn := pgtest.Database(t, s)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "directory.log"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"no file": filepath.Join(dir, "nothing*.log"), "a directory": filepath.Join(dir, "directory.log"), "no pattern": dir + "/[",
	} {
		tg := target(t, dsn)
		tg.Log = path
		snap := pass(t, newWishing().Collector, tg)
		if i := slices.IndexFunc(snap.Warnings, func(w pgvigil.Warning) bool { return w.Code == "log-unread" }); i < 0 || snap.Log.OK {
			t.Errorf("%s: warnings = %v; want log-unread", name, snap.Warnings)
		}
	}
}
