package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// planting is a database into which secrets were planted. All of them hold the
// marker, but for those of digits.
type planting struct {
	t    *testing.T
	dsn  string
	main *pgx.Conn
	n    int // secrets so far
}

// marker is what no output may hold, in any case of letters.
const marker = "hush"

// digits are the planted secrets that are no words: a card number, a bit string,
// the marker as hexadecimal digits, a PIN within a phone number.
var digits = []string{"4012888888881881", "1011000111010011", "6875736871", "5550172893"}

// fill puts a secret of its own for each %s into a statement.
func (p *planting) fill(sql string) string {
	for strings.Contains(sql, "%s") {
		p.n++
		sql = strings.Replace(sql, "%s", fmt.Sprintf("%s%02dZq7Wx", marker, p.n), 1)
	}
	return sql
}

// statements are the places where a server keeps a constant as it was sent: in
// pg_stat_statements, in definitions, in statistics, in settings.
var statements = []string{
	`CREATE ROLE ci PASSWORD '%s'`,
	`ALTER ROLE ci LOGIN ENCRYPTED PASSWORD '%s' VALID UNTIL '2037-01-01'`,
	`ALTER ROLE ci PASSWORD E'x\'%s'`,
	`ALTER ROLE ci PASSWORD U&'%s!0061' UESCAPE '!'`,
	`ALTER ROLE ci PASSWORD $pw$%s$pw$`,
	`ALTER ROLE ci SET app.token = '%s'`,
	`ALTER DATABASE :db SET app.token = '%s'`,
	`ALTER ROLE ci SET application_name = '%s'`,
	`CREATE FOREIGN DATA WRAPPER w`,
	`CREATE SERVER far FOREIGN DATA WRAPPER w OPTIONS (host 'h', passfile '%s')`,
	`CREATE USER MAPPING FOR ci SERVER far OPTIONS (user 'a', password '%s')`,
	`ALTER USER MAPPING FOR ci SERVER far OPTIONS (SET password '%s')`,
	`CREATE SUBSCRIPTION feed CONNECTION 'host=a user=b password=%s' PUBLICATION p WITH (connect = false)`,
	`ALTER SYSTEM SET primary_conninfo = 'host=a password=%s'`,
	`CREATE TABLE jobs (id int PRIMARY KEY, state text DEFAULT 'pending', token text DEFAULT '%s', name text, card text, n bigint)`,
	`COMMENT ON TABLE jobs IS '%s'`,
	`COMMENT ON COLUMN jobs.token IS $$%s$$`,
	`ALTER TABLE jobs ADD CONSTRAINT odd CHECK (name <> '%s')`,
	`INSERT INTO jobs SELECT g, CASE WHEN g % 100 = 0 THEN 'pending' ELSE 'done' END,
		CASE WHEN g % 50 = 0 THEN '%s' ELSE '%s' END, CASE WHEN g % 40 = 0 THEN '%s' ELSE 'x' END FROM generate_series(1, 5000) g`,
	`UPDATE jobs SET card = '4012888888881881' WHERE id = 1`,
	`UPDATE jobs SET n = 5550172893 WHERE id = 2`,
	`CREATE INDEX jobs_odd ON jobs (id) WHERE token = '%s'`,
	`CREATE INDEX jobs_salted ON jobs (md5(name || '%s'))`,
	`CREATE INDEX jobs_pending ON jobs (id) WHERE state = 'pending'`,
	`CREATE INDEX jobs_phone ON jobs (id) WHERE n = 5550172893`,
	`CREATE TABLE parts (kind text, id int) PARTITION BY LIST (kind)`,
	`CREATE TABLE parts_web PARTITION OF parts FOR VALUES IN ('web', '%s')`,
	`CREATE TABLE keyed (kind text, id int) PARTITION BY LIST ((kind || '%s'))`,
	`CREATE TABLE gone (id int, token text, state text)`,
	`CREATE INDEX gone_odd ON gone (id) WHERE token = '%s'`,
	`CREATE INDEX gone_pending ON gone (id) WHERE state = 'pending'`,
	`CREATE VIEW odd AS SELECT * FROM jobs WHERE name = '%s'`,
	`CREATE FUNCTION odd() RETURNS text LANGUAGE sql AS $f$ SELECT '%s' $f$`,
	`CREATE PROCEDURE odd(a text) LANGUAGE sql AS 'SELECT 1'`,
	`CREATE POLICY odd ON jobs USING (name = '%s')`,
	`CREATE TRIGGER odd BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
	`CREATE STATISTICS odd ON (name || '%s'), id FROM jobs`,
	`CREATE TYPE mood AS ENUM ('%s')`,
	`CREATE DOMAIN strict AS text CHECK (VALUE <> '%s')`,
	`ANALYZE jobs`,
	`CREATE TABLE copied AS SELECT '%s'::text AS t`,
	`CREATE MATERIALIZED VIEW kept AS SELECT * FROM jobs WHERE name = '%s'`,
	`BEGIN; DECLARE c CURSOR FOR SELECT * FROM jobs WHERE token = '%s'; FETCH 1 FROM c; COMMIT`,
	`DO $$ BEGIN PERFORM '%s'; END $$`,
	`DO LANGUAGE plpgsql E'BEGIN PERFORM \'%s\'; END'`,
	`EXPLAIN SELECT * FROM jobs WHERE token = '%s'`,
	`EXPLAIN (ANALYZE) SELECT * FROM jobs WHERE name = '%s'`,
	`PREPARE p AS SELECT * FROM jobs WHERE token = '%s'`,
	`PREPARE q AS SELECT * FROM jobs WHERE token = $1`,
	`EXECUTE q('%s')`,
	`CALL odd('%s')`,
	`SET app.token = '%s'`,
	`SET app.token TO "%s"`,
	`SELECT set_config('app.token', '%s', false)`,
	`NOTIFY jobs, '%s'`,
	`SELECT B'1011000111010011', X'6875736871', N'%s'`,
	`/* %s */ SELECT count(*) FROM copied -- %s`,
	`SELECT max(t) FROM copied /*action='show',token='%s',traceparent='00-%s-01',route='%2Freset%2F%s'*/`,
	`/*application:web,note:%s,jid:%s*/ SELECT min(t) FROM copied`,
	`/*application:%s*/ SELECT length(t) FROM copied`,
	`PREPARE TRANSACTION '%s'`,
}

// plant runs the statements, some of which are expected to be refused; what
// they leave behind is what counts.
func plant(t *testing.T, dsn, database string) *planting {
	t.Helper()
	p := &planting{t: t, dsn: dsn, main: pgtest.Connect(t, dsn)}
	pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE SCHEMA IF NOT EXISTS public")
	refused := 0
	for _, sql := range statements {
		if _, err := p.main.Exec(t.Context(), p.fill(strings.ReplaceAll(sql, ":db", database)), pgx.QueryExecModeSimpleProtocol); err != nil {
			refused++
			t.Logf("%.60s: %v", sql, err)
		}
	}
	if refused > 1 { // PREPARE TRANSACTION outside of a transaction
		t.Fatalf("%d statements were refused; want one", refused)
	}
	for range 50 {
		p.exec(`SELECT count(*) FROM jobs WHERE name = '%s' AND state = 'pending'`)
		p.exec(`SELECT id FROM jobs WHERE token = '%s'`)
	}
	p.sessions()
	return p
}

func (p *planting) exec(sql string) {
	p.t.Helper()
	if _, err := p.main.Exec(p.t.Context(), p.fill(sql), pgx.QueryExecModeSimpleProtocol); err != nil {
		p.t.Fatalf("%.60s: %v", sql, err)
	}
}

// sessions opens what pg_stat_activity shows while passes are made: a blocking
// tree, texts that are cut, that do not parse, that failed, a telling name.
func (p *planting) sessions() {
	blocker := pgtest.Connect(p.t, p.dsn)
	p.on(blocker, `BEGIN; UPDATE copied SET t = '%s'`)
	p.start(p.dsn, `UPDATE copied SET t = E'it\'s %s' WHERE t <> '%s'`)
	p.start(p.dsn, `BEGIN; LOCK TABLE copied /* %s */`)
	p.start(p.dsn+" application_name='app "+p.fill("%s")+"'", `SELECT pg_sleep(600), '%s'`)
	p.start(p.dsn+" application_name='web token="+p.fill("%s")+"'", `SELECT pg_sleep(601) WHERE '%s' <> '%s`+strings.Repeat("x", 2000)+`'`)
	p.start(p.dsn, `SELECT pg_sleep(602), `+strings.Repeat(" ", 1000)+`$body$ %s $body$`)
	for _, sql := range []string{
		`SELECT 'it's %s, isn't it' FROM jobs`,
		`SELECT * FROM %s WHERE AND`,
		`BEGIN; ALTER ROLE ci PASSWORD '%s' VALID UNTIL 'nonsense'`,
	} {
		if _, err := pgtest.Connect(p.t, p.dsn).Exec(p.t.Context(), p.fill(sql), pgx.QueryExecModeSimpleProtocol); err == nil {
			p.t.Errorf("%.60s was not refused", sql)
		}
	}
	p.on(pgtest.Connect(p.t, p.dsn), `SELECT 'it's %s`)
}

// on runs a statement, whatever becomes of it.
func (p *planting) on(conn *pgx.Conn, sql string) {
	_, _ = conn.Exec(p.t.Context(), p.fill(sql), pgx.QueryExecModeSimpleProtocol)
}

// start runs a statement that goes on until the test ends, and waits until the
// server runs it.
func (p *planting) start(dsn, sql string) {
	conn, err := pgx.Connect(p.t.Context(), dsn)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	pid := conn.PgConn().PID()
	sql = p.fill(sql)
	go func() {
		defer close(ended)
		_, _ = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol) // it is cancelled
		_ = conn.Close(context.Background())
	}()
	p.t.Cleanup(func() { cancel(); <-ended })
	for active := 0; active == 0; {
		select {
		case <-ended:
			p.t.Fatalf("%.80s was refused", sql)
		default:
		}
		if err := p.main.QueryRow(p.t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'", pid).Scan(&active); err != nil {
			p.t.Fatal(err)
		}
	}
}

// quarrel does what the server's log tells of.
func (p *planting) quarrel() {
	p.exec(`SET statement_timeout = '20ms'`)
	for _, sql := range []string{
		`SELECT pg_sleep(10), '%s' FROM jobs WHERE token = '%s
			Filter: %s'`,
		`SELECT 'it's %s, isn't it' FROM jobs`,
		`SELECT '%s'::int`,
		`INSERT INTO jobs (id, token) VALUES (1, '%s')`,
		`ALTER ROLE ci PASSWORD '%s' VALID UNTIL '%s'`,
	} {
		p.on(p.main, sql)
	}
	p.exec(`RESET statement_timeout`)
	p.exec(`SELECT count(*) FROM jobs WHERE name = '%s' AND card LIKE '%s'`)
}

// change does to the schema what becomes events.
func (p *planting) change() {
	p.exec(`DROP INDEX gone_odd`)
	p.exec(`DROP INDEX gone_pending`)
	p.exec(`CREATE INDEX jobs_late ON parts (id) WHERE kind = '%s'`)
}
