package pgvigil_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pgvigil/pgvigil"

// mayImport says which packages of the house each package may import; a name
// ending in /... stands for a folder and all below it. Tests are free to use
// pgtest, pgserver and fixtures beside that. A package that is not named here
// fails the test: naming it is deciding where it stands.
var mayImport = map[string][]string{
	".":                  {},
	"query":              {".", "query/internal/..."},
	"query/ddl":          {".", "query", "query/internal/..."},
	"query/internal/...": {".", "query/internal/..."},
	"collector":          {".", "query", "analyzer/bloat", "collector/...", "internal/conninfo", "internal/foreign"},
	"collector/...":      {".", "query", "collector/..."},
	"analyzer/bloat":     {"."},
	"analyzer/outlook":   {"."},
	"analyzer/change":    {"."},
	"analyzer":           {".", "analyzer/change", "analyzer/bloat", "analyzer/outlook"},
	"advisor":            {".", "query", "advisor/..."},
	"advisor/...":        {".", "query", "advisor/...", "internal/conninfo", "internal/foreign"},
	"reports":            {".", "analyzer/outlook"},
	"fixtures":           {".", "fixtures/...", "internal/conninfo"},
	"fixtures/...":       {".", "fixtures/..."},

	"internal/conninfo":        {"."},
	"internal/pgserver":        {"."},
	"internal/peers":           {".", "collector", "internal/pgserver"},
	"internal/pgtest":          {".", "internal/pgserver"},
	"internal/foreign":         {".", "query"}, // a leaf: collector and advisor plan others' text by it
	"internal/interval":        {"."},
	"internal/store":           {".", "internal/interval"},
	"internal/store/...":       {".", "internal/interval", "internal/store", "internal/store/...", "internal/conninfo"},
	"internal/server":          {".", "internal/server/..."},
	"internal/server/...":      {".", "internal/server", "internal/server/..."},
	"deploy":                   {".", "cmd/pgvigil/config"},
	"cmd/pgvigil/config":       {".", "internal/conninfo"},
	"cmd/pgvigil":              {"./..."},
	"cmd/pgvigil/internal/...": {"./..."},
}

// onlyImporter names the one folder that may import each heavy dependency.
var onlyImporter = map[string]string{
	"github.com/pganalyze/pg_query_go": "query",
	"github.com/go-echarts":            "reports",
	"github.com/google/generative-ai":  "advisor/llm/gemini",
	"google.golang.org/api":            "advisor/llm/gemini",
	"github.com/duckdb":                "internal/store/duckdb",
	"github.com/danielgtaylor/huma":    "internal/server",
	"github.com/spf13":                 "cmd/pgvigil",
	"github.com/knadh/koanf":           "cmd/pgvigil/config",
	"github.com/chromedp":              "reports",
}

// testHelp may be imported by any test, which may also use what lies below it.
var testHelp = []string{"internal/pgtest", "internal/pgserver", "fixtures"}

func TestHouseRules(t *testing.T) {
	for _, broken := range brokenRules(t, ".") {
		t.Error(broken)
	}
}

// TestABrokenRuleIsSeen proves that the rules above can fail.
func TestABrokenRuleIsSeen(t *testing.T) {
	tests := map[string]struct{ file, source, want string }{
		"a stage imports a later one": {
			"collector/bad.go", `package collector; import _ "github.com/pgvigil/pgvigil/advisor"`,
			"collector/bad.go: collector may not import advisor",
		},
		"a stage imports the store": {
			"analyzer/bad.go", `package analyzer; import _ "github.com/pgvigil/pgvigil/internal/store/duckdb"`,
			"analyzer/bad.go: analyzer may not import internal/store/duckdb",
		},
		"a heavy dependency leaves its package": {
			"reports/bad.go", `package reports; import _ "github.com/pganalyze/pg_query_go/v5"`,
			"reports/bad.go: only query may import github.com/pganalyze/pg_query_go/v5",
		},
		"the words import more than the standard library": {
			"bad.go", `package pgvigil; import _ "github.com/jackc/pgx/v5"`,
			"bad.go: the root package may import the standard library only, not github.com/jackc/pgx/v5",
		},
		"a package has no place in the house": {
			"util/bad.go", `package util; import _ "fmt"`,
			"util/bad.go: package util has no place in the house: name it in arch_test.go",
		},
		"a program uses the servers of the tests": {
			"collector/bad.go", `package collector; import _ "github.com/pgvigil/pgvigil/internal/pgtest"`,
			"collector/bad.go: collector may not import internal/pgtest",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, tt.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.source), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := brokenRules(t, root); len(got) != 1 || got[0] != tt.want {
				t.Errorf("brokenRules = %q; want %q", got, tt.want)
			}
		})
	}
}

// mayConnect are the folders that may ask pgx for a connection: the place of the
// rule of TLS, and what only ever meets servers of its own.
var mayConnect = []string{"internal/conninfo", "internal/peers", "internal/pgserver", "internal/pgtest"}

var rawConnection = regexp.MustCompile(`\bpgx\.(Connect|ConnectConfig|ParseConfig)\(|\bpgconn\.(Connect|ConnectConfig|ParseConfig)\(`)

func TestOnePlaceConnects(t *testing.T) {
	seen := 0
	eachFile(t, ".", func(path, rel string) {
		if strings.HasSuffix(rel, "_test.go") {
			return
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		call := rawConnection.Find(source)
		switch {
		case call == nil:
		case slices.Contains(mayConnect, filepath.ToSlash(filepath.Dir(rel))):
			seen++
		default:
			t.Errorf("%s calls %s...): connect through internal/conninfo, which knows the rule of TLS", rel, call)
		}
	})
	if seen == 0 {
		t.Error("no file connects at all: the pattern is wrong")
	}
}

func brokenRules(t *testing.T, root string) []string {
	t.Helper()
	var broken []string
	eachFile(t, root, func(path, rel string) { broken = append(broken, judgeFile(t, path, rel)...) })
	return broken
}

// eachFile calls f for every Go file of the house with its path below root.
func eachFile(t *testing.T, root string, f func(path, rel string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if rel != "." && skipDir(rel, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") {
			f(path, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func skipDir(rel, name string) bool {
	return strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || rel == "tools" || rel == "bin"
}

func judgeFile(t *testing.T, path, rel string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	pkg := filepath.ToSlash(filepath.Dir(rel))
	allowed, known := rulesOf(pkg)
	if !known {
		return []string{rel + ": package " + pkg + " has no place in the house: name it in arch_test.go"}
	}
	isTest := strings.HasSuffix(rel, "_test.go")
	var broken []string
	for _, imp := range f.Imports {
		name, _ := strconv.Unquote(imp.Path.Value)
		if why := judgeImport(pkg, name, allowed, isTest); why != "" {
			broken = append(broken, rel+": "+why)
		}
	}
	return broken
}

func judgeImport(pkg, name string, allowed []string, isTest bool) string {
	own, ours := strings.CutPrefix(name, module)
	switch {
	case ours:
		own = strings.TrimPrefix(own, "/")
		if own == "" {
			own = "."
		}
		if own == pkg || matchesAny(own, allowed) || isTest && (matchesAny(own, testHelp) || matches(own, pkg+"/...")) {
			return ""
		}
		return pkg + " may not import " + own
	case pkg == "." && !isTest && strings.Contains(strings.Split(name, "/")[0], "."):
		return "the root package may import the standard library only, not " + name
	}
	for _, heavy := range slices.Sorted(maps.Keys(onlyImporter)) {
		if only := onlyImporter[heavy]; strings.HasPrefix(name, heavy) && !matches(pkg, only) && !matches(pkg, only+"/...") {
			return "only " + only + " may import " + name
		}
	}
	return ""
}

// rulesOf returns the most specific entry for a package.
func rulesOf(pkg string) ([]string, bool) {
	if allowed, ok := mayImport[pkg]; ok {
		return allowed, true
	}
	for dir := pkg; dir != "."; dir = filepath.ToSlash(filepath.Dir(dir)) {
		if allowed, ok := mayImport[dir+"/..."]; ok {
			return allowed, true
		}
	}
	return nil, false
}

func matchesAny(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(pkg, p) })
}

func matches(pkg, pattern string) bool {
	dir, all := strings.CutSuffix(pattern, "/...")
	if !all {
		return pkg == pattern
	}
	return dir == "." || pkg == dir || strings.HasPrefix(pkg, dir+"/")
}
