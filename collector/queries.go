package collector

import (
	"embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// mark ends every statement of ours, so that it is known again in
// pg_stat_statements, in pg_stat_activity and in logs.
const mark = " /*application='" + applicationName + "'*/"

// load returns a query without its first line, marked as ours. The files are
// part of the binary: a name that is missing is a bug that the tests find.
func load(name string) string {
	text, err := queryFiles.ReadFile("queries/" + name + ".sql")
	if err != nil {
		return fmt.Sprintf("SELECT missing query %q", name)
	}
	_, body, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(body) + mark
}

// extension is pg_stat_statements as a database has it installed.
type extension struct {
	Schema  string
	Version string // "1.10"
}

// atLeast says whether the extension's version is v or newer.
func (e extension) atLeast(v string) bool { return !versionLess(e.Version, v) }

// qualify puts the extension's schema into a query.
func (e extension) qualify(sql string) string {
	return strings.ReplaceAll(sql, ":schema", pgx.Identifier{e.Schema}.Sanitize())
}

// infoSQL returns the query of clock, resets and evictions.
func (e extension) infoSQL() string {
	if !e.atLeast("1.9") {
		return load("statements_info.v1.8")
	}
	return e.qualify(load("statements_info"))
}

// textsSQL returns the query of texts for a list of keys.
func (e extension) textsSQL() string {
	if !e.atLeast("1.9") {
		return e.qualify(load("texts.v1.8"))
	}
	return e.qualify(load("texts"))
}

// statementsSQL returns the query of the entries and the metrics that its last
// columns hold, in their order. pgvigil.Metrics is the only list of them. Most
// counters of most entries are zero: they travel as NULL, which costs the server
// a third less than sending them. In the text, OFFSET 0 has each state computed
// once, and a subquery around the parameter hides how long it is, so that the
// join hashes the states we send rather than the wide rows of the view.
func (e extension) statementsSQL() (string, []pgvigil.Metric) {
	var metrics []pgvigil.Metric
	var columns []string
	for i, info := range pgvigil.Metrics {
		if column := e.spelling(info); column != "" {
			metrics = append(metrics, pgvigil.Metric(i))
			columns = append(columns, "nullif(s."+column+", 0)")
		}
	}
	topLevel := e.since("1.9", "s.toplevel", "true")
	entered := "date_part('epoch', s.stats_since)"
	fill := strings.NewReplacer(
		":toplevel", topLevel,
		":since", e.since("1.11", entered, "NULL::float8"),
		":state", fmt.Sprintf(stateExpr, e.since("1.11", "hashfloat8extended("+entered+", "+topLevel+"::int)", topLevel+"::int")),
		":metrics", strings.Join(columns, ", "),
	)
	return e.qualify(fill.Replace(load("statements"))), metrics
}

// stateExpr makes one number of an entry's key and of all that no use of it
// leaves as it was: an entry that was called or planned, or that was evicted and
// came back, has another. Two states of 5,000 entries are the same by chance
// once in 10^12 reads.
const stateExpr = "hashint8extended(s.queryid, hashint8extended(s.calls, hashfloat8extended(s.total_exec_time, " +
	"hashint8extended(s.plans, hashfloat8extended(s.total_plan_time, hashint8extended(s.rows, " +
	"hashoidextended(s.userid, hashoidextended(s.dbid, %s))))))))"

// spelling returns the column of a metric in this version, "" if it has none.
func (e extension) spelling(info pgvigil.MetricInfo) string {
	sql := ""
	for _, expr := range info.Expr {
		if e.atLeast(expr.Since) {
			sql = expr.SQL
		}
	}
	return sql
}

func (e extension) since(v, then, otherwise string) string {
	if e.atLeast(v) {
		return then
	}
	return otherwise
}

// versionLess compares dotted version numbers part by part: 1.9 < 1.10.
func versionLess(a, b string) bool {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if n, m := leadingInt(x), leadingInt(y); n != m {
			return n < m
		}
	}
	return false
}

func leadingInt(s string) int {
	n := 0
	for _, r := range s {
		if r < '0' || r > '9' {
			break
		}
		n = n*10 + int(r-'0')
	}
	return n
}
