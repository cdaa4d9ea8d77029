package reports

import (
	"fmt"
	"math"
	"time"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/pgvigil/pgvigil"
)

// chart is one line over time with what is normal for it, the onset of a
// change and the events near by. It is drawn twice from the same numbers: as
// inline SVG, and by ECharts where there are script and bundle.
type chart struct {
	Title   string
	Unit    string // "ms" or "blocks"
	From    time.Time
	To      time.Time
	Samples []sample
	Band    *pgvigil.Band // nil without
	Level   float64       // typical value; NaN without
	Onset   time.Time     // zero without
	Events  []time.Time   // numbered from 1
	clock   clock
}

// top is the upper end of the value axis: the highest sample with some air.
func (c chart) top() float64 {
	high := 0.0
	for _, s := range c.Samples {
		if finite(s.V) && s.V > high {
			high = s.V
		}
	}
	if c.Band != nil && c.Band.High > high {
		high = c.Band.High
	}
	return niceTop(high)
}

// niceTop is the next number of 1, 1.2, 1.6, 2, 3, 4, 6, 8 times a power of
// ten that leaves a tenth of air above v; all halve to a readable number.
func niceTop(v float64) float64 {
	if !(v > 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.2, 1.6, 2, 3, 4, 6, 8, 10, 12} {
		if m*power >= v*1.02 {
			return m * power
		}
	}
	return 20 * power
}

// axis says a value of the value axis; the title has the unit of counts.
func (c chart) axis(v float64) string {
	if c.Unit == "ms" {
		return millis(v)
	}
	return number(v)
}

// write says a value of the chart with its unit.
func (c chart) write(v float64) string {
	if c.Unit == "ms" {
		return millis(v)
	}
	return number(v) + " " + c.Unit
}

// Alt describes the chart in words for those who do not see it.
func (c chart) Alt() string {
	first, last, high := math.NaN(), math.NaN(), math.Inf(-1)
	for _, s := range c.Samples {
		if math.IsNaN(s.V) {
			continue
		}
		if math.IsNaN(first) {
			first = s.V
		}
		last, high = s.V, math.Max(high, s.V)
	}
	if math.IsNaN(first) {
		return c.Title + ": no intervals in this window."
	}
	alt := fmt.Sprintf("%s from %s to %s UTC: %s at first, %s at last, %s at most.", c.Title,
		c.clock.at(c.From).Text, c.clock.at(c.To).Text, c.write(first), c.write(last), c.write(high))
	if c.Band != nil {
		alt += fmt.Sprintf(" Normal is %s to %s.", c.write(c.Band.Low), c.write(c.Band.High))
	}
	if !c.Onset.IsZero() {
		alt += fmt.Sprintf(" The change began about %s.", c.clock.at(c.Onset).Text)
	}
	return alt
}

// Option is the chart as ECharts takes it. Colours are names of the page's
// CSS variables, which the page's script puts in, so that one option serves
// light and dark. Every value can be marshalled: gaps are nil, not NaN.
func (c chart) Option() map[string]any {
	line := charts.NewLine()
	line.SetGlobalOptions(
		charts.WithAnimation(false),
		charts.WithGridOpts(opts.Grid{Left: "58", Right: "16", Top: "22", Bottom: "22"}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "time", Min: c.From.UnixMilli(), Max: c.To.UnixMilli()}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Min: 0, Max: c.top(), SplitNumber: 2}),
	)
	line.AddSeries(c.Title, c.lineData(), c.seriesOptions()...)
	line.Validate()
	option := line.JSON()
	option["useUTC"] = true
	return option
}

func (c chart) lineData() []opts.LineData {
	data := make([]opts.LineData, len(c.Samples))
	for i, s := range c.Samples {
		pair := []any{s.At.UnixMilli(), nil}
		if finite(s.V) {
			pair[1] = s.V
		}
		data[i].Value = pair
	}
	return data
}

func (c chart) seriesOptions() []charts.SeriesOpts {
	list := []charts.SeriesOpts{
		charts.WithLineChartOpts(opts.LineChart{ShowSymbol: opts.Bool(false)}),
		charts.WithLineStyleOpts(opts.LineStyle{Color: "var(--line)", Width: 1.6}),
	}
	if c.Band != nil {
		list = append(list,
			charts.WithMarkAreaNameCoordItemOpts(opts.MarkAreaNameCoordItem{
				Coordinate0: []any{c.From.UnixMilli(), c.Band.Low},
				Coordinate1: []any{c.To.UnixMilli(), c.Band.High},
				ItemStyle:   &opts.ItemStyle{Color: "var(--band)"},
			}))
	}
	var marks []opts.MarkLineNameXAxisItem
	for _, m := range c.marks() {
		marks = append(marks, opts.MarkLineNameXAxisItem{Name: m.Text, XAxis: m.At.UnixMilli()})
	}
	return append(list,
		charts.WithMarkLineNameXAxisItemOpts(marks...),
		charts.WithMarkLineStyleOpts(opts.MarkLineStyle{
			Symbol:    []string{"none", "none"},
			Label:     &opts.Label{Formatter: "{b}", Color: "var(--bad)"},
			LineStyle: &opts.LineStyle{Color: "var(--bad)", Type: "dashed"},
		}))
}

// within says whether t is in [from, to].
func within(t, from, to time.Time) bool { return !t.Before(from) && !t.After(to) && !t.IsZero() }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
