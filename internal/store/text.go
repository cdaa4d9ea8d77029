package store

import (
	"embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/interval"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// texts are the queries by name, with the lists of metrics put in.
var texts = readTexts()

func readTexts() map[string]string {
	lists := strings.NewReplacer(
		":intervals", "("+intervalsOf("intervals_recent")+" UNION ALL "+intervalsOf("intervals_closed")+")",
		":bad_metrics", strings.ReplaceAll(join(metricColumns, "i.%s < 0 OR i.%[1]s >= 'Infinity'"), ",", " OR"),
		":i.metrics", join(metricColumns, "i.%s"),
		":sums", strings.Replace(join(metricColumns, "sum(i.%s)"), squaresColumn, squaresSum, 1),
		":relation_metrics", join(tableColumns, "%s"),
		":database_metrics", join(databaseColumns, "%s"),
		":server_metrics", join(serverColumns, "%s"),
	)
	all := map[string]string{}
	files, _ := queryFiles.ReadDir("queries") // embedded: cannot fail
	for _, f := range files {
		body, _ := queryFiles.ReadFile("queries/" + f.Name())
		all[strings.TrimSuffix(f.Name(), ".sql")] = lists.Replace(string(body))
	}
	return all
}

// Squares of some of the calls are none of all, so their sum is unknown if one is.
var (
	squaresColumn = "sum(i." + strconv.Quote(pgvigil.ExecSqMS.String()) + ")"
	squaresSum    = "CASE WHEN count(*) = count(i." + strconv.Quote(pgvigil.ExecSqMS.String()) + ") THEN " + squaresColumn + " END"
)

// intervalColumns are the columns of an interval before its metrics.
var intervalColumns = []string{"server_id", "statement_id", "pass_id", "start_at", "end_at", "flags"}

func intervalsOf(table string) string {
	return "SELECT " + strings.Join(intervalColumns, ", ") + ", " + join(metricColumns, "%s") + " FROM " + table
}

// metricColumns are the columns of pgvigil.Metrics, in their order; quoted,
// as one of them is called rows.
var metricColumns = func() []string {
	names := make([]string, pgvigil.MetricCount)
	for i, m := range pgvigil.Metrics {
		names[i] = strconv.Quote(m.Name)
	}
	return names
}()

var tableColumns = func() []string {
	names := make([]string, len(interval.TableMetrics))
	for i, m := range interval.TableMetrics {
		names[i] = m.Name
	}
	return names
}()

var databaseColumns = func() []string {
	names := make([]string, len(interval.DatabaseMetrics))
	for i, m := range interval.DatabaseMetrics {
		names[i] = m.Name
	}
	return names
}()

// serverColumns are the columns of pgvigil.ServerMetrics, in their order.
var serverColumns = func() []string {
	names := make([]string, len(pgvigil.ServerMetrics))
	for i, m := range pgvigil.ServerMetrics {
		names[i] = string(m.Metric)
	}
	return names
}()

func join(names []string, format string) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = fmt.Sprintf(format, n)
	}
	return strings.Join(parts, ", ")
}

// text returns a query by name.
func text(name string) string { return texts[name] }

// textOf returns a query with a list or a name of our own put in.
func textOf(name, token, value string) string {
	return strings.ReplaceAll(texts[name], token, value)
}

// idList writes numbers for an IN list; there must be one at least.
func idList[T ~int64 | ~uint64 | ~uint32](ids []T) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(int64(id), 10))
	}
	return b.String()
}

// purpose returns what a query returns, from its first line.
func purpose(query string) string {
	line, _, _ := strings.Cut(query, "\n")
	return "read " + strings.TrimPrefix(line, "-- ")
}

// clean returns s as any database takes it: bytes that are no UTF-8, and NUL,
// become U+FFFD.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// real is a float of the database, NaN for NULL.
type real float64

// Scan implements sql.Scanner.
func (r *real) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*r = real(math.NaN())
	case float64:
		*r = real(v)
	default:
		return fmt.Errorf("read a number: got %T", src)
	}
	return nil
}

// orNull returns v for a column, NULL for NaN.
func orNull(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}

// moment is a time of the database, zero for NULL, always UTC.
type moment time.Time

// Scan implements sql.Scanner.
func (m *moment) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m = moment{}
	case time.Time:
		*m = moment(v.UTC())
	default:
		return fmt.Errorf("read a time: got %T", src)
	}
	return nil
}

// inMS is a duration as the history keeps it, in milliseconds.
func inMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// fromMS is the inverse of inMS.
func fromMS(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

// timeOrNull returns t for a column, NULL for the zero time.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}

// The bounds of time, as both databases know it.
var (
	beginning = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	end       = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// bounds returns a window with its open ends closed.
func bounds(w pgvigil.Window) (from, to time.Time) {
	from, to = w.From.UTC(), w.To.UTC()
	if w.From.IsZero() {
		from = beginning
	}
	if w.To.IsZero() {
		to = end
	}
	return from, to
}
