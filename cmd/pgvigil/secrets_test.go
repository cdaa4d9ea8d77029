package main

import (
	"bytes"
	"compress/flate"
	"context"
	database "database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/internal/server"
)

// TestNoSecretLeavesTheServer plants secrets wherever a server keeps what it was
// sent, watches it through all commands, with both kinds of history, and looks
// for the secrets in all that pgvigil wrote.
func TestNoSecretLeavesTheServer(t *testing.T) {
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			s := pgtest.Own(t, major, pgserver.Options{Settings: map[string]string{
				"track_activity_query_size": "900", "shared_preload_libraries": "pg_stat_statements,auto_explain",
				"logging_collector": "on", "log_destination": "csvlog", "log_directory": "log", "log_statement": "none",
				"auto_explain.log_min_duration": "0", "auto_explain.log_verbose": "on", "log_temp_files": "0", "autovacuum": "off",
			}})
			pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE ci")
			pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE history")
			if major >= 17 {
				refuseLogins(t, s)
			}
			if major == 15 { // the only one with HypoPG, without which the advisor asks for no values
				pgtest.Exec(t, s.DSN("ci"), "CREATE EXTENSION hypopg")
			}
			w := witness{t: t, dir: t.TempDir(), log: filepath.Join(s.DataDir(), "log", "*.csv"), seen: map[string]*bytes.Buffer{}}
			w.p = plant(t, s.DSN("ci"), "ci")
			w.config(s, major)
			w.watch()
			w.watchInto(s.DSN("history"))
			w.testify(s)
			if w.p.n < 60 || len(w.seen) < 30 {
				t.Errorf("%d secrets were planted and %d outputs seen; want 60 and 30 at least", w.p.n, len(w.seen))
			}
		})
	}
}

// refuseLogins makes a database whose refusal quotes a secret.
func refuseLogins(t *testing.T, s *pgserver.Server) {
	pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE closed")
	pgtest.Exec(t, s.DSN("postgres"), "CREATE ROLE visitor LOGIN; GRANT pg_monitor TO visitor")
	pgtest.Exec(t, s.DSN("closed"), `CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
		$$ BEGIN IF session_user = 'visitor' THEN RAISE EXCEPTION 'token hushLogin of "hushLogin" is bad'; END IF; END $$;
		CREATE EVENT TRIGGER refuse ON login EXECUTE FUNCTION refuse(); ALTER EVENT TRIGGER refuse ENABLE ALWAYS`)
}

// witness keeps all that pgvigil put out.
type witness struct {
	t    *testing.T
	dir  string
	p    *planting
	file string // of the configuration
	log  string // of the server
	mu   sync.Mutex
	seen map[string]*bytes.Buffer // by what it is
}

func (w *witness) saw(what, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[what] == nil {
		w.seen[what] = &bytes.Buffer{}
	}
	w.seen[what].WriteString(text)
}

func (w *witness) config(s *pgserver.Server, major int) {
	text := fmt.Sprintf("version: 1\nhistory: {path: %s}\nlog: {level: debug}\ntargets:\n", filepath.Join(w.dir, "history.duckdb")) +
		fmt.Sprintf("  ci: {dsn: %q, databases: {include: [ci]}, schedule: {every: 1h, jitter: 0s}}\n", s.DSN("ci"))
	if major >= 17 {
		closed := strings.Replace(s.DSN("closed"), "user=postgres", "user=visitor", 1)
		text += fmt.Sprintf("  closed: {dsn: %q, schedule: {every: 1h, jitter: 0s}}\n", closed)
	}
	w.file = filepath.Join(w.dir, "pgvigil.yaml")
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// run runs a command and keeps both its outputs.
func (w *witness) run(args ...string) string {
	w.t.Helper()
	var out, err bytes.Buffer
	u := &ui{out: &out, err: &err}
	root := newRoot(u)
	root.SetArgs(append(args, "--config", w.file))
	code := u.exit(root.ExecuteContext(w.t.Context()))
	what := "pgvigil " + strings.Join(args, " ")
	w.saw(what, out.String())
	w.saw(what+", standard error", err.String())
	if code == 2 && args[0] != "collect" {
		w.t.Errorf("%s exits with 2: %s", what, err.String())
	}
	return out.String()
}

// watch runs the commands on a file, alone and through a service.
func (w *witness) watch() {
	w.run("collect", "--passes", "2", "--every", "10ms", "--format", "json")
	w.p.change()
	w.run("collect")
	w.incident(60)
	list := w.run("alerts", "list", "--format", "json")
	found := regexp.MustCompile(`"id": ([0-9]+),(?s:.*)"kind": "regression"`).FindStringSubmatch(list)
	if found == nil {
		w.t.Fatalf("no regression: %s", list)
	}
	w.commands(found[1])
	w.service(found[1])
	w.run("report", "-o", filepath.Join(w.dir, "alone.html"))
}

func (w *witness) commands(alert string) {
	for _, args := range [][]string{
		{"alerts", "show", alert},
		{"alerts", "show", alert, "--format", "json"},
		{"advise", "--target", "ci", "--format", "json"},
		{"advise", "--alert", alert},
		{"proposals", "list", "--format", "json"},
		{"proposals", "list"},
		{"regressions", "--format", "json"},
		{"doctor", "--target", "ci"},
		{"history", "check", "--format", "json"},
		{"mark", "deploy", "v1"},
	} {
		w.run(args...)
	}
}

// open returns the app on the history that the configuration names.
func (w *witness) open() (*app, func() error) {
	w.t.Helper()
	cfg, err := (&access{config: w.file}).load(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := openHistory(w.t.Context(), cfg, created)
	if err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) { w.saw("log", string(b)) }), &slog.HandlerOptions{Level: slog.LevelDebug}))
	return newApp(cfg, newWatcher(h, log, watchOptions{}), log), h.Close
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

// incident records a real pass again and again, with counters that grow evenly
// and, from the 45th on, those of one query twenty times as fast: that is an
// alert.
func (w *witness) incident(passes int) {
	w.t.Helper()
	a, done := w.open()
	ctx := w.t.Context()
	target, err := a.cfg.Resolve(ctx, "ci")
	if err != nil {
		w.t.Fatal(err)
	}
	target.Log = w.log
	c := collector.New(collector.Options{})
	first, err := c.Pass(ctx, target)
	if err != nil {
		w.t.Fatal(err)
	}
	w.p.quarrel()
	snap, err := c.Pass(ctx, target)
	if err != nil || !snap.Log.OK || len(snap.Log.Failed) == 0 || len(snap.Plans) == 0 {
		w.t.Fatalf("pass: %v; log %+v, %d plans", err, snap.Log, len(snap.Plans))
	}
	snap.Queries = first.Queries // texts are read every ten minutes
	w.saw("snapshot", fmt.Sprintf("%+v", *snap))
	victims := map[pgvigil.StatementKey]bool{}
	for k, q := range snap.Queries {
		victims[k] = strings.Contains(q.Text, "FROM jobs WHERE token = $1") && q.Verb == "select"
	}
	const onset = 45
	for i := range passes {
		step := *snap
		step.At, step.Clock = snap.At.Add(time.Duration(i)*10*time.Second), snap.Clock.Add(time.Duration(i)*10*time.Second)
		step.Statements.List = slices.Clone(snap.Statements.List)
		for j := range step.Statements.List {
			grow(&step.Statements.List[j].Counters, i, victims[step.Statements.List[j].Key], onset)
		}
		if _, err := a.watcher.take(ctx, "ci", &step, nil); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := done(); err != nil {
		w.t.Error(err)
	}
}

// grow adds the work of i passes to counters; a victim costs twenty times as
// much from pass onset on.
func grow(c *pgvigil.Counters, i int, victim bool, onset int) {
	n, slow := float64(200*i), 0.0
	if victim && i > onset {
		slow = float64(200 * (i - onset) * 19)
	}
	ms := 1 + 0.02*float64(i%3)
	c[pgvigil.Calls] += n
	c[pgvigil.Rows] += n
	c[pgvigil.ExecMS] += (n + slow) * ms
	c[pgvigil.ExecSqMS] += (n + 20*slow) * ms * ms * 1.1
	c[pgvigil.SharedHit] += 10 * (n + slow)
}

// service runs the commands again, through a service, and asks all of its API.
func (w *witness) service(alert string) {
	w.t.Helper()
	a, done := w.open()
	socket := filepath.Join(w.dir, "history.duckdb.sock")
	listener, err := server.ListenUnix(socket)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.serve(ctx, []net.Listener{listener}) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	w.post(client, "/collect", `{}`)
	for _, path := range []string{"/health", "/targets", "/alerts", "/alerts/" + alert, "/regressions", "/proposals", "/history/check", "/report", "/openapi.json"} {
		w.get(client, path)
	}
	w.post(client, "/alerts/"+alert+"/ack", `{"by":"me","reason":"seen"}`)
	w.post(client, "/advise", `{"target":"ci"}`)
	w.run("collect", "--format", "json")
	w.run("report", "-o", filepath.Join(w.dir, "served.html"))
	client.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		w.t.Errorf("serve: %v", err)
	}
	if err := done(); err != nil {
		w.t.Error(err)
	}
}

func (w *witness) get(client *http.Client, path string) {
	w.t.Helper()
	resp, err := client.Get("http://localhost" + server.Prefix + path)
	w.answer("GET "+path, resp, err)
}

func (w *witness) post(client *http.Client, path, body string) {
	w.t.Helper()
	resp, err := client.Post("http://localhost"+server.Prefix+path, "application/json", strings.NewReader(body))
	w.answer("POST "+path, resp, err)
}

func (w *witness) answer(what string, resp *http.Response, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		w.t.Errorf("%s = %s, %v: %.300s", what, resp.Status, err, body)
	}
	w.saw(what, string(body))
}

// watchInto watches into a history on a server, and reads all of its tables.
func (w *witness) watchInto(dsn string) {
	w.t.Helper()
	w.t.Setenv("PGVIGIL_HISTORY_DSN", dsn)
	w.incident(5)
	w.run("collect", "--target", "ci", "--format", "json")
	w.run("advise", "--target", "ci")
	conn := pgtest.Connect(w.t, dsn)
	rows, _ := conn.Query(w.t.Context(), "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'pgvigil'")
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		w.t.Fatalf("tables of the history = %v, %v", tables, err)
	}
	for _, table := range tables {
		rows, err := conn.Query(w.t.Context(), "SELECT * FROM pgvigil."+table)
		if err != nil {
			w.t.Fatal(err)
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				w.t.Fatal(err)
			}
			w.saw("table "+table+" on the server", row(values))
		}
	}
	w.t.Setenv("PGVIGIL_HISTORY_DSN", "")
}

// row writes the values of a row, packed ones unpacked.
func row(values []any) string {
	var b strings.Builder
	for _, v := range values {
		if packed, ok := v.([]byte); ok {
			b.Write(packed)
			plain, _ := io.ReadAll(flate.NewReader(bytes.NewReader(packed))) // states may be packed otherwise
			b.Write(plain)
		}
		fmt.Fprintf(&b, "|%v", v)
	}
	return b.String() + "\n"
}

// testify reads the files that were written, and looks for secrets in all.
func (w *witness) testify(s *pgserver.Server) {
	w.t.Helper()
	w.dump()
	files, err := os.ReadDir(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range files {
		if content, err := os.ReadFile(filepath.Join(w.dir, f.Name())); err == nil {
			w.saw("file "+f.Name(), string(content))
		}
	}
	// Had the server not shown its secrets, nothing would have been tested.
	var shown int
	err = w.p.main.QueryRow(w.t.Context(), `SELECT (SELECT count(*) FROM pg_stat_statements WHERE query ~ 'hush')
		+ (SELECT count(*) FROM pg_stat_activity WHERE query ~ 'hush') + (SELECT count(*) FROM pg_stats WHERE most_common_vals::text ~ 'hush')
		+ (SELECT count(*) FROM pg_constraint WHERE pg_get_constraintdef(oid) ~ 'hush')`).Scan(&shown)
	if err != nil || shown < 20 {
		w.t.Errorf("PostgreSQL %d shows %d secrets, %v; want 20 at least", s.Install.Major, shown, err)
	}
	for _, what := range slices.Sorted(maps.Keys(w.seen)) {
		w.search(what, w.seen[what].Bytes())
	}
}

// search complains about the first of each kind of secret in a text.
func (w *witness) search(what string, text []byte) {
	w.t.Helper()
	lower := slices.Clone(text) // byte by byte: packed bytes are no characters
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] += 'a' - 'A'
		}
	}
	for _, secret := range append([]string{marker}, digits...) {
		if at := bytes.Index(lower, []byte(secret)); at >= 0 {
			w.t.Errorf("%s holds a secret: %q", what, text[max(0, at-80):min(len(text), at+60)])
		}
	}
}

// dump reads all tables of the file.
func (w *witness) dump() {
	w.t.Helper()
	db, err := database.Open("duckdb", filepath.Join(w.dir, "history.duckdb")+"?access_mode=READ_ONLY")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was read only
	tables, err := column(w.t.Context(), db, "SELECT table_name FROM duckdb_tables()")
	if err != nil || len(tables) < 10 {
		w.t.Fatalf("tables of the history = %v, %v", tables, err)
	}
	for _, table := range tables {
		rows, err := column(w.t.Context(), db, "SELECT * FROM "+table)
		if err != nil {
			w.t.Fatal(err)
		}
		w.saw("table "+table+" of the file", strings.Join(rows, ""))
	}
}

// column returns the rows of a query, each as text.
func column(ctx context.Context, db *database.DB, query string) (out []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		if len(values) == 1 {
			out = append(out, fmt.Sprint(values[0]))
			continue
		}
		out = append(out, row(values))
	}
	return out, rows.Err()
}
