package reports

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestNumbersHaveUnitsAndUnknownIsNeverZero(t *testing.T) {
	nan := math.NaN()
	tests := map[string]struct{ got, want string }{
		"unknown time":          {millis(nan), "unknown"},
		"unknown bytes":         {byteSize(nan), "unknown"},
		"unknown share":         {percent(nan), "unknown"},
		"unknown factor":        {times(nan), "unknown"},
		"infinite factor":       {times(math.Inf(1)), "unknown"},
		"unknown count":         {number(nan), "unknown"},
		"unknown cost":          {planCost(0), "0"},
		"no time":               {millis(0), "0 ms"},
		"microseconds":          {millis(0.0123), "0.012 ms"},
		"less than that":        {millis(0.0001), "<0.001 ms"},
		"milliseconds":          {millis(41.234), "41.2 ms"},
		"whole milliseconds":    {millis(12), "12 ms"},
		"seconds":               {millis(4560), "4.56 s"},
		"minutes":               {millis(8.4 * 60e3), "8.40 min"},
		"hours":                 {millis(14.8 * 3600e3), "14.8 h"},
		"days":                  {millis(72 * 3600e3), "3 d"},
		"thousands":             {number(1234567), "1,234,567"},
		"millions":              {number(12.3e6), "12.3 M"},
		"negative thousands":    {thousands(-1234), "-1,234"},
		"bytes":                 {byteSize(512), "512 B"},
		"mebibytes":             {byteSize(412 << 20), "412 MiB"},
		"a shrinking size":      {signedSize(-43 << 20), "\u221243 MiB"},
		"a growing size":        {signedSize(1.5 * (1 << 30)), "+1.50 GiB"},
		"a share":               {percent(0.1234), "12.3 %"},
		"all of it":             {percent(0.9999), "100 %"},
		"nearly none":           {percent(0.0001), "<0.1 %"},
		"a factor":              {times(41.2), "41\u00d7"},
		"a small factor":        {times(1.71), "1.7\u00d7"},
		"a little more":         {versus(1.032), "3.2 % more"},
		"a little less":         {versus(0.98), "2.0 % less"},
		"the same":              {versus(1.0001), "the same"},
		"much more":             {versus(4), "4.0\u00d7 as much"},
		"seconds of a span":     {length(42 * time.Second), "42 s"},
		"minutes of a span":     {length(35*time.Minute + 4*time.Second), "35 min 4 s"},
		"hours of a span":       {length(3*time.Hour + 20*time.Minute), "3 h 20 min"},
		"days of a span":        {length(7 * day), "7 d"},
		"a list of one":         {list([]string{"a"}), "a"},
		"a list of three":       {list([]string{"a", "b", "c"}), "a, b and c"},
		"a word of a shell":     {shellWord("ci-main"), "ci-main"},
		"words of a shell":      {shellWord("a b"), "'a b'"},
		"a quote for a shell":   {shellWord("x'; rm -rf /"), `'x'\''; rm -rf /'`},
		"a flag in disguise":    {shellWord("--all"), "'--all'"},
		"a number as a word":    {capital("3 queries"), "Three queries"},
		"a long number as such": {capital("30 queries"), "30 queries"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := strings.ReplaceAll(test.got, nb, " "); got != test.want {
				t.Errorf("got %q; want %q", got, test.want)
			}
		})
	}
}
