package collector_test

// shape is a table or index with a name that says what is special about it.
// Its SQL makes a relation r.
type shape struct {
	sql    string
	before string // to run before ANALYZE, as a statement of its own
	after  string // to run after it
	index  bool
	raw    bool // no ANALYZE
	// unknown says that an honest estimate has no answer.
	unknown bool
	// unmeasurable says that pgstattuple has none either.
	unmeasurable bool
}

const noVacuum = " WITH (autovacuum_enabled = off)"

// shapes are tables and indexes on which figures go wrong.
var shapes = map[string]shape{
	"table, fixed width, no bloat": {sql: "CREATE TABLE r (a int, b bigint, c timestamptz)" + noVacuum +
		"; INSERT INTO r SELECT i, i, now() FROM generate_series(1, 40000) i"},
	"table, alignment padding": {sql: "CREATE TABLE r (a bool, b bigint, c smallint, d bigint, e bool)" + noVacuum +
		"; INSERT INTO r SELECT true, i, 1, i, false FROM generate_series(1, 40000) i"},
	"table, half deleted": {sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 40000) i; DELETE FROM r WHERE a % 2 = 0"},
	"table, each row updated twice": {sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 20000) i; UPDATE r SET a = a + 1; UPDATE r SET a = a + 1"},
	"table, texts of many lengths": {sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, repeat('x', 1 + (i * 7919) % 400) FROM generate_series(1, 30000) i; DELETE FROM r WHERE a > 20000"},
	"table, many nulls": {sql: "CREATE TABLE r (a int, b bigint, c text, d bigint)" + noVacuum +
		"; INSERT INTO r SELECT i, CASE WHEN i % 3 = 0 THEN i END, CASE WHEN i % 5 = 0 THEN 'abcdef' END, CASE WHEN i % 2 = 0 THEN i END FROM generate_series(1, 40000) i"},
	"table, fillfactor 70": {sql: "CREATE TABLE r (a int, t text) WITH (autovacuum_enabled = off, fillfactor = 70)" +
		"; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 30000) i"},
	"table, wide rows": {sql: "CREATE TABLE r (a int, t text)" + noVacuum + "; ALTER TABLE r ALTER t SET STORAGE PLAIN" +
		"; INSERT INTO r SELECT i, repeat('x', 1500) FROM generate_series(1, 3000) i; DELETE FROM r WHERE a % 4 = 0"},
	"table, texts out of line": {sql: "CREATE TABLE r (a int, t text)" + noVacuum + "; ALTER TABLE r ALTER t SET STORAGE EXTERNAL" +
		"; INSERT INTO r SELECT i, repeat('x', 4000) FROM generate_series(1, 5000) i; DELETE FROM r WHERE a > 3000"},
	"table, dropped int column": {sql: "CREATE TABLE r (a int, b int, c bigint, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, i, i, 'abc' FROM generate_series(1, 40000) i; ALTER TABLE r DROP COLUMN c"},
	"table, dropped text column": {unknown: true, unmeasurable: true, sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, repeat('x', 100) FROM generate_series(1, 10000) i; ALTER TABLE r DROP COLUMN t"},
	"table, column added with a default": {sql: "CREATE TABLE r (a int, b int)" + noVacuum +
		"; INSERT INTO r SELECT i, i FROM generate_series(1, 40000) i; ALTER TABLE r ADD c bigint NOT NULL DEFAULT 7"},
	"index, unique, in order": {index: true, sql: "CREATE TABLE r (a bigint PRIMARY KEY)" + noVacuum +
		"; INSERT INTO r SELECT i FROM generate_series(1, 60000) i"},
	"index, unique, at random": {index: true, sql: "CREATE TABLE r (a uuid PRIMARY KEY)" + noVacuum +
		"; INSERT INTO r SELECT md5(i::text)::uuid FROM generate_series(1, 60000) i"},
	"index, nine tenths deleted": {index: true, sql: "CREATE TABLE r (a bigint PRIMARY KEY)" + noVacuum +
		"; INSERT INTO r SELECT i FROM generate_series(1, 60000) i; DELETE FROM r WHERE a % 10 <> 0"},
	"index, few values (deduplicated)": {index: true, sql: "CREATE TABLE r (a int, s text)" + noVacuum +
		"; CREATE INDEX ON r (s); INSERT INTO r SELECT i, (ARRAY['success','failed','running'])[1 + i % 3] FROM generate_series(1, 60000) i"},
	"index, five rows a value": {index: true, sql: "CREATE TABLE r (a int, s int)" + noVacuum +
		"; CREATE INDEX ON r (s); INSERT INTO r SELECT i, i / 5 FROM generate_series(1, 60000) i"},
	"index, values of skewed counts": {index: true, sql: "CREATE TABLE r (a int, s int)" + noVacuum +
		"; CREATE INDEX ON r (s); INSERT INTO r SELECT i, (20000 * power((i * 7919 % 60000) / 60000.0, 4))::int FROM generate_series(1, 60000) i"},
	"index, numeric (never deduplicated)": {index: true, sql: "CREATE TABLE r (a int, n numeric)" + noVacuum +
		"; CREATE INDEX ON r (n); INSERT INTO r SELECT i, i % 7 FROM generate_series(1, 60000) i"},
	"index, texts of many lengths": {index: true, sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; CREATE INDEX ON r (t); INSERT INTO r SELECT i, md5(i::text) || repeat('y', i % 90) FROM generate_series(1, 30000) i"},
	"index, two related columns": {index: true, sql: "CREATE TABLE r (a int, p int, s text)" + noVacuum +
		"; CREATE INDEX ON r (p, s); INSERT INTO r SELECT i, i % 500, 'state' || i % 5 FROM generate_series(1, 60000) i"},
	"index, partial, of an expression": {index: true, sql: "CREATE TABLE r (a int, s text)" + noVacuum +
		"; CREATE INDEX ON r (upper(s)) WHERE a % 2 = 0; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 40000) i"},
	"index, mostly null": {index: true, sql: "CREATE TABLE r (a int, b bigint)" + noVacuum +
		"; CREATE INDEX ON r (b); INSERT INTO r SELECT i, CASE WHEN i % 10 = 0 THEN i END FROM generate_series(1, 60000) i"},
	"index, fillfactor 60": {index: true, sql: "CREATE TABLE r (a bigint)" + noVacuum +
		"; CREATE INDEX ON r (a) WITH (fillfactor = 60); INSERT INTO r SELECT i FROM generate_series(1, 60000) i"},
	"table, append-only, jsonb": {sql: "CREATE TABLE r (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now(), doc jsonb)" + noVacuum +
		"; INSERT INTO r (doc) SELECT jsonb_build_object('job', i, 'state', 'done', 'log', repeat('l', i % 120)) FROM generate_series(1, 20000) i"},
	"table, uuids, a third deleted and filled again": {sql: "CREATE TABLE r (id uuid NOT NULL, n numeric)" + noVacuum +
		"; INSERT INTO r SELECT md5(i::text)::uuid, i * 1.37 FROM generate_series(1, 40000) i; DELETE FROM r WHERE ctid::text LIKE '%3)'" +
		"; INSERT INTO r SELECT md5(i::text)::uuid, i FROM generate_series(1, 4000) i"},
	"table, after VACUUM FULL": {sql: "CREATE TABLE r (a int, b bigint, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, i, md5(i::text) FROM generate_series(1, 40000) i; DELETE FROM r WHERE a % 2 = 0", before: "VACUUM FULL r"},
	"table, int4 and int8 alternating, vacuumed": {sql: "CREATE TABLE r (a int, b bigint, c int, d bigint, e int, f bigint)" + noVacuum +
		"; INSERT INTO r SELECT i, i, i, i, i, i FROM generate_series(1, 30000) i; DELETE FROM r WHERE a % 3 = 0", before: "VACUUM r"},
	"table, a tenth changed since ANALYZE": {sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, repeat('x', 20 + i % 60) FROM generate_series(1, 30000) i", after: "UPDATE r SET t = t || repeat('y', 60) WHERE a % 10 = 0"},
	"table, rewritten since ANALYZE": {unknown: true, sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, repeat('x', 20) FROM generate_series(1, 10000) i", after: "UPDATE r SET t = repeat('y', 200)"},
	"table, never analyzed": {unknown: true, raw: true, sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; INSERT INTO r SELECT i, md5(i::text) FROM generate_series(1, 20000) i; DELETE FROM r WHERE a % 2 = 0"},
	"index, with payload": {index: true, sql: "CREATE TABLE r (a bigint, t text, c int)" + noVacuum +
		"; CREATE UNIQUE INDEX ON r (a) INCLUDE (t, c); INSERT INTO r SELECT i, md5(i::text), i FROM generate_series(1, 30000) i; DELETE FROM r WHERE a > 20000"},
	"index, partial, WHERE column IS NOT NULL": {index: true, sql: "CREATE TABLE r (a int, b bigint)" + noVacuum +
		"; CREATE INDEX ON r (b) WHERE b IS NOT NULL; INSERT INTO r SELECT i, CASE WHEN i % 4 = 0 THEN i END FROM generate_series(1, 80000) i"},
	"index, of a text too wide to know": {index: true, unknown: true, sql: "CREATE TABLE r (a int, t text)" + noVacuum +
		"; CREATE INDEX ON r (t); INSERT INTO r SELECT i, i || repeat('x', 900) FROM generate_series(1, 3000) i"},
	"index, churned by updates": {index: true, sql: "CREATE TABLE r (a int, state text, at bigint)" + noVacuum +
		"; CREATE INDEX ON r (state, at); INSERT INTO r SELECT i, 'created', i FROM generate_series(1, 20000) i" +
		"; UPDATE r SET state = 'running'; UPDATE r SET state = 'done', at = at + 100000", before: "VACUUM r"},
}
