package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// The plot's own coordinates. It is stretched to whatever width the page has;
// texts stand outside it, by percent, and keep their size.
const (
	plotWidth  = 1000
	plotHeight = 100
)

// drawing is a chart as the SVG template takes it: paths in plot coordinates,
// everything else in percent of the width.
type drawing struct {
	Line   string
	Dots   []dot // single samples between gaps, which a line would not show
	Band   *stripe
	Level  string // y of the typical value, "" without
	Ticks  []tick
	Labels []xLabel
	Marks  []markLine
}

type dot struct{ X, Y string }

type stripe struct{ Y, Height string }

type tick struct{ Y, Text string }

type xLabel struct{ X, Anchor, Text string }

// markLine is a vertical line: the onset, or a numbered event.
type markLine struct {
	X      string
	Anchor string
	Text   string
	Onset  bool
}

// Draw lays the chart out for SVG.
func (c chart) Draw() drawing {
	top := c.top()
	d := drawing{Ticks: []tick{{percentOf(0), c.axis(top)}, {percentOf(0.5), c.axis(top / 2)}}}
	d.Line, d.Dots = path(c.Samples, c.From, c.To, top)
	if c.Band != nil {
		low, high := math.Max(0, c.Band.Low), math.Min(top, c.Band.High)
		d.Band = &stripe{percentOf(1 - high/top), percentOf(math.Max(0, high-low) / top)}
	}
	if finite(c.Level) && c.Level > 0 && c.Level <= top {
		d.Level = percentOf(1 - c.Level/top)
	}
	d.Labels = c.labels()
	for _, m := range c.marks() {
		d.Marks = append(d.Marks, c.markLine(m))
	}
	return d
}

// share is where t stands on the time axis, in [0, 1].
func (c chart) share(t time.Time) float64 {
	return float64(t.Sub(c.From)) / float64(c.To.Sub(c.From))
}

// labels are round times, three to six of them.
func (c chart) labels() []xLabel {
	const most = 5
	step := niceStep(c.To.Sub(c.From) / most)
	var list []xLabel
	for at := c.From.UTC().Truncate(step).Add(step); at.Before(c.To); at = at.Add(step) {
		anchor := "middle"
		switch share := c.share(at); {
		case share < 0.04:
			anchor = "start"
		case share > 0.96:
			anchor = "end"
		}
		list = append(list, xLabel{percentOf(c.share(at)), anchor, axisTime(at, step)})
	}
	return list
}

// near is the part of the width under which two labels would meet.
const near = 0.02

// mark is a moment on a chart: the onset, events by their numbers, or both
// where they stand together.
type mark struct {
	At    time.Time
	Text  string
	Onset bool
}

// marks are the moments of the chart's span. Events that stand near each
// other or near the onset share a mark.
func (c chart) marks() []mark {
	var list []mark
	if within(c.Onset, c.From, c.To) {
		list = append(list, mark{c.Onset, "onset", true})
	}
	for i, at := range c.Events {
		if !within(at, c.From, c.To) {
			continue
		}
		together := slices.IndexFunc(list, func(m mark) bool { return math.Abs(c.share(m.At)-c.share(at)) < near })
		if together < 0 {
			list = append(list, mark{At: at, Text: fmt.Sprint(i + 1)})
		} else {
			list[together].Text += fmt.Sprintf(", %d", i+1)
		}
	}
	return list
}

// markLine places a mark; its label keeps off the edges.
func (c chart) markLine(m mark) markLine {
	anchor := "middle"
	switch share := c.share(m.At); {
	case share < 0.05:
		anchor = "start"
	case share > 0.95:
		anchor = "end"
	}
	return markLine{percentOf(c.share(m.At)), anchor, m.Text, m.Onset}
}

// axisTime writes a time of the axis as precisely as its labels are apart.
func axisTime(t time.Time, step time.Duration) string {
	switch {
	case step < time.Minute:
		return t.Format("15:04:05")
	case step >= day:
		return t.Format("Mon 2 Jan")
	case step >= 6*time.Hour && t.Hour() == 0:
		return t.Format("Mon 2 Jan")
	}
	return t.Format("15:04")
}

// path draws samples as lines broken at gaps, in plot coordinates.
func path(samples []sample, from, to time.Time, top float64) (string, []dot) {
	var b strings.Builder
	var dots []dot
	run := 0
	flush := func(last string) {
		if run == 1 {
			x, y, _ := strings.Cut(last, " ")
			dots = append(dots, dot{x, y})
		}
		run = 0
	}
	last := ""
	for _, s := range samples {
		if !finite(s.V) {
			flush(last)
			continue
		}
		x := float64(s.At.Sub(from)) / float64(to.Sub(from)) * plotWidth
		y := plotHeight - math.Min(s.V/top, 1)*plotHeight
		last = fmt.Sprintf("%.1f %.2f", x, y)
		command := " L"
		if run == 0 {
			command = " M"
		}
		b.WriteString(command + last)
		run++
	}
	flush(last)
	return strings.TrimSpace(b.String()), dots
}

// PlotHeight is the height of the plot in pixels: the figure's, less the line
// of labels under it and the numbers of events over it.
func (c chart) PlotHeight() int {
	if c.Unit == "ms" {
		return 150
	}
	return 90
}

// BandWords say what the band is.
func (c chart) BandWords() string {
	return fmt.Sprintf("normal: %s to %s", c.write(c.Band.Low), c.write(c.Band.High))
}

// percentOf writes a share as an SVG length.
func percentOf(share float64) string {
	if !finite(share) {
		return "0%"
	}
	return fmt.Sprintf("%.2f%%", share*100)
}

// spark is a sparkline: no axis, its story in words.
type spark struct {
	Line string
	Area string
	Dots []dot
	Alt  string
}

// sparkOf draws values in equal steps; NaN is a gap. The scale starts at zero
// unless the values say otherwise (sizes hardly ever start at zero).
func sparkOf(values []float64, fromZero bool, write func(float64) string) spark {
	low, high := math.Inf(1), math.Inf(-1)
	first, last := math.NaN(), math.NaN()
	for _, v := range values {
		if !finite(v) {
			continue
		}
		if math.IsNaN(first) {
			first = v
		}
		last, low, high = v, math.Min(low, v), math.Max(high, v)
	}
	if math.IsNaN(first) {
		return spark{Alt: "no data"}
	}
	if fromZero {
		low = 0
	}
	s := spark{Alt: fmt.Sprintf("from %s to %s, at most %s", write(first), write(last), write(high))}
	base := time.Unix(0, 0)
	samples := make([]sample, len(values))
	for i, v := range values {
		samples[i] = sample{base.Add(time.Duration(i) * time.Second), v - low}
	}
	to := base.Add(time.Duration(max(len(values)-1, 1)) * time.Second)
	s.Line, s.Dots = path(samples, base, to, math.Max(high-low, math.SmallestNonzeroFloat64)*1.08)
	if len(s.Dots) == 0 && strings.Count(s.Line, "M") == 1 {
		s.Area = fmt.Sprintf("%s V%d H0 Z", s.Line, plotHeight)
	}
	return s
}
