package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

var update = flag.Bool("update", false, "write the golden files anew")

func storyReport(t *testing.T) *Report {
	t.Helper()
	r, err := Gather(t.Context(), story(), storyRange())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReportReadsAsItDid(t *testing.T) {
	got := outline(render(t, storyReport(t), ""))
	golden := filepath.Join("testdata", "story.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the report reads differently (-update accepts it):\n%s", diff)
	}
}

func TestEverySectionIsThere(t *testing.T) {
	doc := render(t, storyReport(t), "")
	tests := map[string]struct {
		selector string
		want     int
	}{
		"a title":                                {"h1", 1},
		"a skip link":                            {"a.skip", 1},
		"eleven sections":                        {"main section", 11},
		"a row for each thing that lies ahead":   {"section#ahead tbody tr", 6},
		"a row for each database":                {"section#server tbody tr", 2},
		"the partitions of a table":              {"section#grown details li", 3},
		"a card for each regression":             {"section#slower article.card", 2},
		"two charts for each":                    {"section#slower figure.chart", 4},
		"each chart as SVG":                      {"figure.chart path.plot", 4},
		"each chart's option":                    {"figure.chart script", 4},
		"the band in the charts of time":         {"figure.chart rect.band", 4}, // and their keys
		"the onset in each chart":                {"figure.chart line.onset", 4},
		"a row for each load":                    {"section#loads tbody tr", 5},
		"a sparkline in each":                    {"section#loads svg.spark", 5},
		"a row for each table that grew":         {"section#grown tbody tr", 4},
		"bloat, known and unknown":               {"section#bloat tbody tr", 9},
		"three proposals":                        {"section#proposals article.card", 3},
		"DDL to copy of those not rejected":      {"section#proposals pre.ddl", 5},
		"an outcome":                             {"section#proposals table.outcome", 1},
		"an incident":                            {"section#timeline article.incident", 1},
		"events":                                 {"section#timeline table.events tbody tr", 6},
		"the warnings of the coverage":           {"section#trust ul.warnings li", 2},
		"each query once":                        {"section#queries article.query", 5},
		"no more than the page's own script run": {"body script", 5}, // four are data
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := len(find(doc, test.selector)); got != test.want {
				t.Errorf("%s matches %d elements; want %d", test.selector, got, test.want)
			}
		})
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	doc := render(t, storyReport(t), "")
	ids := make(map[string]int)
	for d := range doc.Descendants() {
		if id := attribute(d, "id"); id != "" {
			ids[id]++
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements have the id %q", n, id)
		}
	}
	for _, a := range find(doc, "a") {
		id, inside := strings.CutPrefix(attribute(a, "href"), "#")
		if !inside || ids[id] == 0 {
			t.Errorf("link %q leads to %q, which is not in the file", text(a), attribute(a, "href"))
		}
	}
}

func TestEmptyReports(t *testing.T) {
	calm := story()
	calm.alerts, calm.proposals, calm.events, calm.relations, calm.catalog = nil, nil, nil, nil, nil
	idle := &memory{servers: story().servers}
	tests := map[string]struct {
		history *memory
		target  string
		want    []string
	}{
		"no server at all":        {&memory{}, "", []string{"The history holds no server yet", "pgvigil collect"}},
		"no pass in the window":   {idle, "ci-main", []string{"no pass in this window", "pgvigil doctor", "No pass succeeded in this window."}},
		"nothing left its course": {calm, "ci-main", []string{"Nothing left its baseline in 5 series", "Nothing is proposed.", "No incident in this window.", "No event was seen", "No table changed its size"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rng := storyRange()
			rng.Target = test.target
			r, err := Gather(t.Context(), test.history, rng)
			if err != nil {
				t.Fatal(err)
			}
			got := text(render(t, r, ""))
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("the report does not say %q:\n%s", want, got)
				}
			}
		})
	}
}

func TestPolicyAdmitsWhatThePageCarriesAndNothingElse(t *testing.T) {
	for name, echarts := range map[string]string{"with ECharts": "var echarts={};", "without": ""} {
		t.Run(name, func(t *testing.T) {
			doc := render(t, storyReport(t), echarts)
			got := attribute(find(doc, "meta")[1], "content")
			style, script := find(doc, "style")[0].FirstChild.Data, ""
			for _, s := range find(doc, "script") {
				if attribute(s, "type") == "" {
					script += " " + hash(s.FirstChild.Data)
				}
			}
			want := "default-src 'none'; script-src" + reversed(script) + "; style-src " + hash(style) + "; img-src data:; base-uri 'none'; form-action 'none'"
			if got != want {
				t.Errorf("policy = %s; want %s", got, want)
			}
		})
	}
}

// reversed turns the order of words: the policy names the page's script first.
func reversed(s string) string {
	out := ""
	for w := range strings.FieldsSeq(s) {
		out = " " + w + out
	}
	return out
}

func TestOwnFilesMustNotEndTheirElements(t *testing.T) {
	for _, bad := range []string{"a</script>", "a</STYLE>", "<!--", "a\r\nb", "\x00"} {
		if err := write(&bytes.Buffer{}, &Report{}, bad); err == nil {
			t.Errorf("a bundle with %q was embedded", bad)
		}
	}
}

// TestChartDataCannotEndItsScript feeds a hostile title to the chart, though
// none can come there today.
func TestChartDataCannotEndItsScript(t *testing.T) {
	c := chart{Title: hostile(), Unit: "ms", From: monday, To: sunday, Level: math.NaN()}
	var b bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&b, "chart", c); err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)<script type="application/json">(.*?)</script>`).FindStringSubmatch(b.String())
	if block == nil || strings.ContainsAny(block[1], "<>\u2028") {
		t.Fatalf("the data of a chart is not escaped: %s", block)
	}
	var option struct{ Series []struct{ Name string } }
	if err := json.Unmarshal([]byte(block[1]), &option); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(option.Series[0].Name, "</script><script>") {
		t.Errorf("the title came out as %q", option.Series[0].Name)
	}
}

func TestChartsMarshalWhateverTheNumbers(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	var samples []sample
	for i, v := range []float64{1, nan, inf, 3, nan} {
		samples = append(samples, sample{monday.Add(time.Duration(i) * day), v})
	}
	c := chart{Title: "t", Unit: "blocks", From: monday, To: sunday, Samples: samples, Onset: dropped, Level: inf, Events: []time.Time{dropped, sunday.Add(day)}}
	b, err := json.Marshal(c.Option())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `,null]`) {
		t.Errorf("no gap in %s", b)
	}
	if d := c.Draw(); len(d.Dots) != 2 || len(d.Marks) != 1 || d.Marks[0].Text != "onset, 1" {
		t.Errorf("drawn as %+v; want two lone dots and one mark for onset and event", d)
	}
}

// TestWordsCanBeReadInBothThemes demands 4.5 to 1 (WCAG 2 AA) of every colour
// of text on every ground that it may stand on.
func TestWordsCanBeReadInBothThemes(t *testing.T) {
	css, err := assets.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	variables := regexp.MustCompile(`--(\w+): (#[0-9a-f]{3,6});`)
	blocks := strings.Split(string(css), ":root {")[1:]
	if len(blocks) != 3 {
		t.Fatalf("%d themes; want light, dark and print", len(blocks))
	}
	for i, theme := range []string{"light", "dark", "print"} {
		colour := make(map[string]string)
		rule, _, _ := strings.Cut(blocks[i], "}")
		for _, m := range variables.FindAllStringSubmatch(rule, -1) {
			colour[m[1]] = m[2]
		}
		pairs := map[string][]string{
			"ink": {"page", "panel", "sunk", "warnbg", "goodbg"}, "mute": {"page", "panel", "sunk"}, "link": {"page", "panel", "sunk"},
			"bad": {"page", "panel", "badbg"}, "warn": {"page", "panel", "warnbg"}, "good": {"page", "panel", "goodbg"},
		}
		for front, grounds := range pairs {
			for _, ground := range grounds {
				if c := contrast(t, colour[front], colour[ground]); c < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f; want 4.5", theme, front, ground, c)
				}
			}
		}
	}
}

// contrast is WCAG's ratio of two colours, in [1, 21].
func contrast(t *testing.T, a, b string) float64 {
	light := func(s string) float64 {
		s = strings.TrimPrefix(s, "#")
		if len(s) == 3 {
			s = string([]byte{s[0], s[0], s[1], s[1], s[2], s[2]})
		}
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			v, err := strconv.ParseUint(s[2*i:2*i+2], 16, 8)
			if err != nil {
				t.Fatalf("colour %q: %v", s, err)
			}
			c := float64(v) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	x, y := light(a), light(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func TestRejectedAndDeceptiveDDLIsNotToBeCopied(t *testing.T) {
	long := strings.Repeat("x", maxDDL+1)
	steps := stepsOf([]pgvigil.Step{{SQL: "DROP INDEX a;"}, {SQL: "DROP\u202e INDEX a;"}, {SQL: long}})
	if steps[0].Withheld != "" || steps[1].Withheld == "" || steps[2].Withheld == "" || steps[2].SQL != "" {
		t.Errorf("steps = %+v", steps)
	}
	rejected := find(render(t, storyReport(t), ""), "section#proposals article.card")[2]
	if got := len(find(rejected, "pre.ddl")); got != 0 {
		t.Errorf("a rejected proposal shows %d statements to copy", got)
	}
}

func BenchmarkWrite(b *testing.B) {
	r, err := Gather(b.Context(), story(), storyRange())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var size int
	for b.Loop() {
		var out bytes.Buffer
		if err := Write(&out, r); err != nil {
			b.Fatal(err)
		}
		size = out.Len()
	}
	b.ReportMetric(float64(size), "file-bytes")
}
