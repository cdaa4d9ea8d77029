package reports

import (
	"fmt"
	"math"
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
	Y      string // of the text: numbers stand over the plot, the onset in it
	DX     string
	Anchor string
	Text   string
	Onset  bool
}

// Draw lays the chart out for SVG.
func (c chart) Draw() drawing {
	top := c.top()
	d := drawing{Ticks: []tick{{percentOf(0), c.write(top)}, {percentOf(0.5), c.write(top / 2)}}}
	d.Line, d.Dots = path(c.Samples, c.From, c.To, top)
	if c.Band != nil {
		low, high := math.Max(0, c.Band.Low), math.Min(top, c.Band.High)
		d.Band = &stripe{percentOf(1 - high/top), percentOf(math.Max(0, high-low) / top)}
	}
	if finite(c.Level) && c.Level > 0 && c.Level <= top {
		d.Level = percentOf(1 - c.Level/top)
	}
	for i := range 5 {
		at := c.From.Add(c.To.Sub(c.From) * time.Duration(i) / 4)
		anchor := []string{"start", "middle", "middle", "middle", "end"}[i]
		d.Labels = append(d.Labels, xLabel{percentOf(float64(i) / 4), anchor, c.axisTime(at)})
	}
	d.Marks = c.marks()
	return d
}

func (c chart) marks() []markLine {
	var list []markLine
	add := func(at time.Time, text string, onset bool) {
		if !within(at, c.From, c.To) {
			return
		}
		share := float64(at.Sub(c.From)) / float64(c.To.Sub(c.From))
		m := markLine{X: percentOf(share), Y: "-4", DX: "0", Anchor: "middle", Text: text, Onset: onset}
		if onset {
			m.Y, m.DX, m.Anchor = "12", "4", "start"
		}
		if onset && share > 0.85 {
			m.DX, m.Anchor = "-4", "end"
		}
		list = append(list, m)
	}
	for i, at := range c.Events {
		add(at, fmt.Sprint(i+1), false)
	}
	add(c.Onset, "onset", true)
	return list
}

// axisTime writes a time for the axis: what changes over its span.
func (c chart) axisTime(t time.Time) string {
	switch span := c.To.Sub(c.From); {
	case span < 2*time.Hour:
		return t.UTC().Format("15:04:05")
	case span < 36*time.Hour:
		return t.UTC().Format("15:04")
	case span < 10*24*time.Hour:
		return t.UTC().Format("Mon 15:04")
	}
	return t.UTC().Format("2 Jan")
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
func percentOf(share float64) string { return fmt.Sprintf("%.2f%%", share*100) }

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
