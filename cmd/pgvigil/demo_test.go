package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer"
)

// TestDemoSetsNoDetectorOption guards the promise that the demo judges as serve
// does: the analyzer is made in one place of this program beside judgeAgain,
// and has no option but its clock and its log.
func TestDemoSetsNoDetectorOption(t *testing.T) {
	for field := range reflect.TypeFor[analyzer.Options]().Fields() {
		if name := field.Name; name != "Now" && name != "Log" {
			t.Errorf("analyzer.Options has a field %s; if it changes what is said, demo and serve can differ", name)
		}
	}
	made := map[string]int{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "New" {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "analyzer" {
					made[file]++
				}
			}
			if lit, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(file, "demo") {
				if pkg, ok := lit.X.(*ast.Ident); ok && (pkg.Name == "change" || pkg.Name == "analyzer") {
					t.Errorf("%s names %s.%s: the demo must not reach into the detector", file, pkg.Name, lit.Sel.Name)
				}
			}
			return true
		})
	}
	if want := map[string]int{"watch.go": 1, "judge_again.go": 1}; !reflect.DeepEqual(made, want) {
		t.Errorf("analyzers are made in %v; want %v", made, want)
	}
}

func TestRestored(t *testing.T) {
	query := func(before, after float64) pgvigil.QueryOutcome {
		return pgvigil.QueryOutcome{Baseline: pgvigil.Profile{Blocks: before}, After: pgvigil.Profile{Blocks: after}}
	}
	tests := map[string]struct {
		queries []pgvigil.QueryOutcome
		want    bool
	}{
		"as before":                   {[]pgvigil.QueryOutcome{query(8, 8)}, true},
		"a quarter more":              {[]pgvigil.QueryOutcome{query(8, 10)}, true},
		"fewer than before":           {[]pgvigil.QueryOutcome{query(19, 5)}, true},
		"more than a quarter":         {[]pgvigil.QueryOutcome{query(8, 10.1)}, false},
		"one of two is not":           {[]pgvigil.QueryOutcome{query(8, 8), query(8, 800)}, false},
		"nothing measured":            {nil, false},
		"no calls after it":           {[]pgvigil.QueryOutcome{query(8, math.NaN())}, false},
		"no calls before the trouble": {[]pgvigil.QueryOutcome{query(math.NaN(), 8)}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := restored(&pgvigil.Outcome{Queries: tt.queries}); got != tt.want {
				t.Errorf("restored = %v; want %v", got, tt.want)
			}
		})
	}
}
