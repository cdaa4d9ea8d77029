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

// statementsSQL returns the query of all entries and the metrics that its
// columns hold, in their order. pgvigil.Metrics is the only list of them.
func (e extension) statementsSQL() (string, []pgvigil.Metric) {
	var metrics []pgvigil.Metric
	var columns []string
	for i, info := range pgvigil.Metrics {
		if expr := e.spelling(info); expr != "" {
			metrics = append(metrics, pgvigil.Metric(i))
			columns = append(columns, expr)
		}
	}
	fill := strings.NewReplacer(
		":toplevel", e.since("1.9", "toplevel", "true"),
		":since", e.since("1.11", "extract(epoch FROM stats_since)", "0"),
		":metrics", strings.Join(columns, ", "),
	)
	return e.qualify(fill.Replace(load("statements"))), metrics
}

// spelling returns the expression of a metric in this version, "" if it has none.
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
