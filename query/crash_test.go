package query_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil/query"
	"github.com/pgvigil/pgvigil/query/ddl"
)

// chainSizes are the lengths of hostile texts: one of which the fence lets
// most through, and 1 MB.
var chainSizes = []int{6000, 1 << 20}

// chains are texts that make the C parser recurse, to the left and to the right.
var chains = map[string]chain{
	"plus":            left("SELECT 1", "+1"),
	"minus":           left("SELECT 1", "-1"),
	"times":           left("SELECT 1", "*a"),
	"concat":          left("SELECT 'a'", "||'a'"),
	"own operator":    left("SELECT a", " @@@ a"),
	"OPERATOR()":      left("SELECT a", " OPERATOR(pg_catalog.+) a"),
	"union":           left("SELECT 1", " UNION SELECT 1"),
	"union all":       left("SELECT 1", " UNION ALL SELECT 1"),
	"intersect":       left("SELECT 1", " INTERSECT SELECT 1"),
	"except lists":    left("SELECT 1, 2", " EXCEPT SELECT 1, 2"),
	"values":          left("VALUES (1)", " UNION VALUES (1)"),
	"and":             left("SELECT 1 WHERE a", " AND a"),
	"or":              left("SELECT 1 WHERE a = 1", " OR a = 1"),
	"and or":          left("SELECT 1 WHERE a", " AND a OR a"),
	"cast":            left("SELECT 1", "::int"),
	"array cast":      left("SELECT 1::int", "[]"),
	"subscript":       left("SELECT a", "[1]"),
	"slice":           left("SELECT a", "[1:2]"),
	"field":           left("SELECT (a)", ".b"),
	"dotted name":     left("SELECT a", ".b"),
	"cross join":      left("SELECT 1 FROM a", " CROSS JOIN a"),
	"join on":         left("SELECT 1 FROM a", " JOIN a ON a.b = a.b"),
	"natural join":    left("SELECT 1 FROM a", " NATURAL LEFT JOIN a"),
	"join to right":   nested("SELECT 1 FROM ", "a JOIN ", "a", " ON b"),
	"json":            left("SELECT a", "->'b'"),
	"json text":       left("SELECT a", "->>'b'"),
	"collate":         left("SELECT a", ` COLLATE "C"`),
	"at time zone":    left("SELECT a", " AT TIME ZONE 'x'"),
	"is null":         left("SELECT a", " IS NULL"),
	"is true":         left("SELECT a", " IS NOT TRUE"),
	"isnull":          left("SELECT a", " ISNULL"),
	"is document":     left("SELECT a", " IS DOCUMENT"),
	"is json":         left("SELECT a", " IS JSON"),
	"like":            left("SELECT a", " LIKE a"),
	"in list":         left("SELECT a", " IN (1)"),
	"between":         left("SELECT a", " BETWEEN 1 AND 2"),
	"comma":           left("SELECT 1", ",1"),
	"in":              nested("SELECT a IN (", "1,", "1", ")"),
	"parentheses":     nested("SELECT ", "(", "1", ")"),
	"open only":       nested("SELECT ", "(", "1", ""),
	"close only":      nested("SELECT 1", ")", "", ""),
	"brackets":        nested("SELECT ARRAY", "[", "1", "]"),
	"arrays":          nested("SELECT ", "ARRAY[", "1", "]"),
	"not":             nested("SELECT ", "NOT ", "true", ""),
	"unary minus":     nested("SELECT ", "- ", "a", ""),
	"unary plus":      nested("SELECT ", "+ ", "1", ""),
	"unary operator":  nested("SELECT ", "~ ", "a", ""),
	"qualified sign":  nested("SELECT ", "OPERATOR(pg_catalog.-) ", "a", ""),
	"case then":       nested("SELECT ", "CASE WHEN a THEN ", "1", " END"),
	"case else":       nested("SELECT ", "CASE WHEN a THEN 1 ELSE ", "1", " END"),
	"case argument":   nested("SELECT ", "CASE ", "a", " WHEN 1 THEN 2 END"),
	"function":        nested("SELECT ", "f(", "1", ")"),
	"second argument": nested("SELECT ", "f(1, ", "1", ")"),
	"row":             nested("SELECT ", "ROW(", "1", ")"),
	"coalesce":        nested("SELECT ", "coalesce(", "1", ")"),
	"cast()":          nested("SELECT ", "CAST(", "1", " AS int)"),
	"scalar subquery": nested("SELECT ", "(SELECT ", "1", ")"),
	"exists":          nested("SELECT ", "EXISTS(SELECT ", "1", ")"),
	"in subquery":     nested("SELECT ", "a IN (SELECT ", "1", ")"),
	"any":             nested("SELECT ", "a = ANY(", "1", ")"),
	"from subquery":   nested("", "SELECT 1 FROM (", "SELECT 1", ") x"),
	"lateral":         nested("", "SELECT 1 FROM a, LATERAL (", "SELECT 1", ") x"),
	"with":            nested("", "WITH a AS (", "SELECT 1", ") SELECT 1"),
	"with chain":      left("WITH a AS (SELECT 1)", ", a AS (SELECT 1)"),
	"explain":         nested("", "EXPLAIN ", "SELECT 1", ""),
	"prepare":         nested("", "PREPARE a AS ", "SELECT 1", ""),
	"create table as": nested("", "CREATE TABLE a AS ", "SELECT 1", ""),
	"statements":      left("SELECT 1", ";SELECT '"+strings.Repeat("x", 100)+"'"),
	"defaults":        nested("CREATE TABLE a (b int DEFAULT ", "(", "1", "))"),
	"default chain":   left("CREATE TABLE a (b int DEFAULT 1", "+1"),
	"check chain":     left("ALTER TABLE a ADD CHECK (b", "+1"),
	"commands":        left("ALTER TABLE a ADD b int", ", ADD b int"),
	"index chain":     left("CREATE INDEX ON a ((b", "||b"),
	"policy":          left("CREATE POLICY p ON t USING (a", "||a"),
	"over":            left("SELECT f() OVER (ORDER BY 1", "+1"),
	"set":             left("UPDATE a SET b = 1", "+1"),
	"values rows":     left("INSERT INTO a VALUES (1)", ",(1)"),
	"values chain":    left("INSERT INTO a VALUES (1", "+1"),
	"comments":        nested("SELECT 1 ", "/*", "", "*/"),
	"literal":         nested("SELECT '", "x", "'", ""),
	"quotes":          left("SELECT ''", "''"),
	"dollar":          left("SELECT $a$", "$b$"),
	"names":           left("SELECT a", " a"),
	"nothing":         left("", "\x00"),
	"atomic":          nested("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT ", "CASE WHEN a THEN ", "1", " END"),
}

// chain makes a text of about the given length.
type chain func(bytes int) string

// left repeats what a left-recursive rule adds.
func left(start, more string) chain {
	return func(bytes int) string { return start + strings.Repeat(more, bytes/len(more)) }
}

// nested puts opening on opening around a core.
func nested(start, open, core, end string) chain {
	return func(bytes int) string {
		n := bytes / (len(open) + len(end))
		return start + strings.Repeat(open, n) + core + strings.Repeat(end, n)
	}
}

// entries are all functions of the packages that take SQL.
var entries = map[string]func(text string){
	"Describe":  func(s string) { query.Describe(s, query.Options{}) },
	"Analyze":   func(s string) { _, _ = query.Analyze(s, query.Options{}) },
	"Split":     func(s string) { _, _ = query.Split(s) },
	"Tags":      func(s string) { query.Tags(s) },
	"ddl.Parse": func(s string) { _, _ = ddl.Parse(s) },
}

const childVar = "PGVIGIL_CRASH_CHILD"

// TestMain makes this binary its own child: a parser that dies takes down a
// process of its own and is seen as a failure.
func TestMain(m *testing.M) {
	if job := os.Getenv(childVar); job != "" {
		for name, entry := range entries {
			for _, size := range chainSizes {
				fmt.Println(name, size)
				entry(chains[job](size))
			}
		}
		return
	}
	os.Exit(m.Run())
}

// TestNoTextKillsTheProcess feeds every chain to every entry, each chain in a
// child process, which says what it is about to do. The child's stack is 1 MB,
// an eighth of the usual: what the fence lets through must fit with that margin.
func TestNoTextKillsTheProcess(t *testing.T) {
	for name := range chains {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("sh", "-c", `ulimit -s 1024 && exec "$0" -test.run='^$'`, os.Args[0])
			cmd.Env = append(os.Environ(), childVar+"="+name)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("a child fed with %q died: %v\n%s", name, err, out[:min(len(out), 600)])
			}
		})
	}
}
