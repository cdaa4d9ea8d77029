package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
)

// nb is the space between a number and its unit, where no line breaks.
const nb = "\u00a0"

// unknown is what a page says where a number is not known. It is never a zero.
const unknown = "unknown"

// significant writes v with three significant digits and thousands apart.
func significant(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return unknown
	case a == 0:
		return "0"
	case a >= 99.95 || v == math.Trunc(v):
		return thousands(v)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a >= 0.0005:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case v < 0:
		return ">-0.001"
	}
	return "<0.001"
}

// thousands writes a whole number with its thousands apart: 1,234,567.
func thousands(v float64) string {
	s := strconv.FormatFloat(math.Abs(math.Round(v)), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if v < 0 && s != "0" {
		return "-" + s
	}
	return s
}

// number writes a count, in millions and billions where it is long.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return unknown
	case a >= 1e10:
		return significant(v/1e9) + nb + "G"
	case a >= 1e7:
		return significant(v/1e6) + nb + "M"
	case v == math.Trunc(v):
		return thousands(v)
	}
	return significant(v)
}

// millis writes a time given in milliseconds in the unit that suits it.
func millis(ms float64) string {
	switch a := math.Abs(ms); {
	case math.IsNaN(ms) || math.IsInf(ms, 0):
		return unknown
	case a < 1000:
		return significant(ms) + nb + "ms"
	case a < 120e3:
		return significant(ms/1e3) + nb + "s"
	case a < 120*60e3:
		return significant(ms/60e3) + nb + "min"
	case a < 48*3600e3:
		return significant(ms/3600e3) + nb + "h"
	}
	return significant(ms/86400e3) + nb + "d"
}

// length writes a duration in two units at most: 3 h 20 min.
func length(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d%ss", d/time.Second, nb)
	case d < time.Hour:
		return twoUnits(d, time.Minute, "min", time.Second, "s")
	case d < 48*time.Hour:
		return twoUnits(d.Round(time.Minute), time.Hour, "h", time.Minute, "min")
	}
	return twoUnits(d.Round(time.Hour), 24*time.Hour, "d", time.Hour, "h")
}

func twoUnits(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	s := fmt.Sprintf("%d%s%s", d/big, nb, bigName)
	if rest := d % big / small; rest > 0 {
		s += fmt.Sprintf(" %d%s%s", rest, nb, smallName)
	}
	return s
}

// size writes bytes in binary units, as pg_size_pretty counts them.
func size(b pgvigil.Bytes) string { return byteSize(float64(b)) }

func byteSize(v float64) string {
	if math.IsNaN(v) {
		return unknown
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; math.Abs(v) >= 999.5 && i < len(units)-1; i++ {
		v /= 1024
	}
	if i == 0 {
		return thousands(v) + nb + "B"
	}
	return significant(v) + nb + units[i]
}

// signedSize writes a change of size with its sign.
func signedSize(v float64) string {
	if v > 0 {
		return "+" + byteSize(v)
	}
	return strings.Replace(byteSize(v), "-", "\u2212", 1)
}

// percent writes a share in [0, 1].
func percent(share float64) string {
	switch p := share * 100; {
	case math.IsNaN(p):
		return unknown
	case p >= 99.95 || p == 0:
		return strconv.FormatFloat(p, 'f', 0, 64) + nb + "%"
	case p < 0.05 && p > 0:
		return "<0.1" + nb + "%"
	default:
		return strconv.FormatFloat(p, 'f', 1, 64) + nb + "%"
	}
}

// times writes a factor: 41×.
func times(f float64) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return unknown
	case f >= 9.95:
		return thousands(f) + "\u00d7"
	case f >= 0.0995:
		return strconv.FormatFloat(f, 'f', 1, 64) + "\u00d7"
	}
	return significant(f) + "\u00d7"
}

// versus writes a ratio near one as its distance: 3.2 % more.
func versus(f float64) string {
	switch d := f - 1; {
	case !finite(f):
		return unknown
	case f > 2:
		return times(f) + " as much"
	case math.Abs(d) < 0.0005:
		return "the same"
	case d > 0:
		return percent(d) + " more"
	default:
		return percent(-d) + " less"
	}
}

// versusBaseline says how much of a measure one call now takes: "3.2 % over
// its baseline in blocks".
func versusBaseline(now, baseline float64, measure string) string {
	switch f := now / baseline; {
	case !finite(f):
		return "unknown in " + measure
	case f > 2:
		return times(f) + " its baseline in " + measure
	case f >= 1:
		return percent(f-1) + " over its baseline in " + measure
	default:
		return percent(1-f) + " under its baseline in " + measure
	}
}

// planCost writes a planner cost, which has no unit.
func planCost(c pgvigil.Cost) string { return number(math.Round(float64(c)*100) / 100) }

// moment is a time as the page shows it.
type moment struct {
	Text string
	ISO  string
}

// clock writes times: with seconds where the window is short, and without the
// date on the one day of a short window.
type clock struct {
	seconds bool
	day     string // of the window; "" where dates are always written
}

func clockOf(w pgvigil.Window) clock {
	c := clock{seconds: w.To.Sub(w.From) < 2*time.Hour}
	if from := w.From.UTC().Format(time.DateOnly); c.seconds && from == w.To.UTC().Format(time.DateOnly) {
		c.day = from
	}
	return c
}

func (c clock) layout() string {
	if c.seconds {
		return "Mon 2 Jan 15:04:05"
	}
	return "Mon 2 Jan 15:04"
}

// at writes a time in UTC; a zero one is unknown.
func (c clock) at(t time.Time) moment {
	if t.IsZero() {
		return moment{Text: unknown}
	}
	t = t.UTC()
	m := moment{Text: t.Format(c.layout()), ISO: t.Format(time.RFC3339)}
	if t.Format(time.DateOnly) == c.day {
		m.Text = t.Format(time.TimeOnly)
	}
	return m
}

// window writes a span with its years.
func (c clock) window(w pgvigil.Window) string {
	layout := c.layout()
	from, to := w.From.UTC(), w.To.UTC()
	if from.Year() != to.Year() {
		return from.Format(layout+" 2006") + " to " + to.Format(layout+" 2006") + " UTC"
	}
	return from.Format(layout) + " to " + to.Format(layout) + " " + to.Format("2006") + " UTC"
}

// count writes n of a noun: "1 query", "3 queries".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(float64(n)) + " " + many
}

// list joins words: "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
