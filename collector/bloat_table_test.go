package collector_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

var bloatTable = flag.Bool("bloat-table", false, "write the table of errors into docs/bloat.md")

// versionTable is what was found out on one version.
type versionTable struct {
	version  string
	outcomes []outcome
}

// spread is how far figures are off: the median, and the worst, absolute.
type spread struct {
	typical, worst float64
	of             int
}

func (s spread) String() string {
	return fmt.Sprintf("%.1f, at worst %.1f points (%d figures)", 100*s.typical, 100*s.worst, s.of)
}

func spreadOf(errors []float64) spread {
	if len(errors) == 0 {
		return spread{math.NaN(), math.NaN(), 0}
	}
	slices.Sort(errors)
	return spread{errors[len(errors)/2], errors[len(errors)-1], len(errors)}
}

// spreads are those of the three methods over the same shapes.
type spreads struct{ estimate, measured, common spread }

func errorsOf(outcomes []outcome) spreads {
	var estimate, measured, common []float64
	for _, o := range outcomes {
		if o.estimate != nil {
			estimate = append(estimate, math.Abs(o.estimate.Share-o.truth))
		}
		if o.measured != nil && o.measured.Method != "estimate" {
			measured = append(measured, math.Abs(o.measured.Share-o.truth))
		}
		if !math.IsNaN(o.common) {
			common = append(common, math.Abs(o.common-o.truth))
		}
	}
	return spreads{spreadOf(estimate), spreadOf(measured), spreadOf(common)}
}

// check says what is wrong with the figures of one shape.
func (o outcome) check(t *testing.T) {
	t.Helper()
	if (o.estimate == nil) != o.unknown {
		t.Errorf("%s: estimate = %+v; want unknown: %v", o.name, o.estimate, o.unknown)
	}
	if b := o.estimate; b != nil && math.Abs(b.Share-o.truth) > 2*b.Error {
		t.Errorf("%s: estimate %.3f, truth %.3f; want them within twice the stated error of %.3f", o.name, b.Share, o.truth, b.Error)
	}
	if b := o.measured; (b == nil || b.Method == "estimate") != o.unmeasurable {
		t.Errorf("%s: measured %+v; want a measurement: %v", o.name, b, !o.unmeasurable)
	} else if b != nil && math.Abs(b.Share-o.truth) > 2*b.Error {
		t.Errorf("%s: measured %+v, truth %.3f; want a measurement within twice its stated error", o.name, b, o.truth)
	}
}

// row is the outcome in a line of the table.
func (o outcome) row() string {
	estimate, stated, common := "unknown", "", "none"
	if b := o.estimate; b != nil {
		estimate, stated = points(b.Share, o.truth), fmt.Sprintf("%.0f", 100*b.Error)
	}
	if !math.IsNaN(o.common) {
		common = points(o.common, o.truth)
	}
	measured, how := "unknown", ""
	if b := o.measured; b != nil && b.Method != "estimate" {
		measured, how = points(b.Share, o.truth), fmt.Sprintf("%.0f", 100*b.Error)
	}
	return fmt.Sprintf("| %s | %.1f %% | %s | %s | %s | %s | %s |", o.name, 100*o.truth, estimate, stated, measured, how, common)
}

func points(share, truth float64) string {
	return fmt.Sprintf("%.1f %% (%+.1f)", 100*share, 100*(share-truth))
}

// tableMark begins what writeBloatTable writes; the prose before it stays.
const tableMark = "<!-- made by make bloat-table -->\n"

func writeBloatTable(t *testing.T, tables []versionTable) {
	t.Helper()
	const path = "../docs/bloat.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	prose, _, ok := strings.Cut(string(text), tableMark)
	if !ok {
		t.Fatalf("%s has no line %q", path, tableMark)
	}
	var b strings.Builder
	b.WriteString(prose + tableMark)
	b.WriteString("\n| PostgreSQL | estimate, off by | measured, off by | widely used query, off by |\n|---|---|---|---|\n")
	for _, v := range tables {
		e := errorsOf(v.outcomes)
		fmt.Fprintf(&b, "| %s | %v | %v | %v |\n", v.version, e.estimate, e.measured, e.common)
	}
	for _, v := range tables {
		fmt.Fprintf(&b, "\n## PostgreSQL %s\n\n| shape | truth | estimate | ± | measured | ± | widely used query |\n|---|---|---|---|---|---|---|\n", v.version)
		slices.SortFunc(v.outcomes, func(x, y outcome) int { return cmp.Compare(x.name, y.name) })
		for _, o := range v.outcomes {
			b.WriteString(o.row() + "\n")
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Error(err)
	}
}
