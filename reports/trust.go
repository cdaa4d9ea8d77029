package reports

import (
	"fmt"
	"math"

	"github.com/pgvigil/pgvigil"
)

// trustView is how far one server's numbers can be trusted.
type trustView struct {
	Heading  string
	Verdict  string
	Tone     tone
	Facts    []fact
	Warnings []warningView
	Settings []fact
}

// Shares of the time that the intervals account for: from fullCover up the
// numbers can be taken as they are, under halfCover only as a sample.
const (
	fullCover = 0.9
	halfCover = 0.6
)

func (l layout) trust(s *Server) trustView {
	c := s.Coverage
	v := trustView{Heading: plain(s.Info.Server.Target, maxName), Warnings: warningsOf(c.Warnings)}
	v.Verdict, v.Tone = coverWords(c)
	v.Facts = []fact{
		{Label: "Time", Value: percent(c.Time), Note: "execution and planning time of the intervals, of the active time that the databases report", Tone: coverTone(c.Time)},
		{Label: "Blocks", Value: percent(c.Blocks), Note: "shared blocks of the intervals, of those that the databases report", Tone: coverTone(c.Blocks)},
		passesFact(c),
		{Label: "Evicted", Value: number(float64(c.Evicted)), Note: "entries of pg_stat_statements were dropped for want of room; their last calls are lost", Tone: badIf(c.Evicted > 0)},
		{Label: "First sights", Value: number(float64(c.FirstSights)), Note: "entries whose earlier calls are unknown"},
		{Label: "Resets", Value: number(float64(c.Resets)), Note: "of the counters; no interval crosses one"},
	}
	v.Settings = settingsOf(s.Settings)
	return v
}

func passesFact(c pgvigil.Coverage) fact {
	f := fact{Label: "Passes", Value: thousands(float64(c.Passes)), Note: "as planned"}
	if c.Expected > 0 {
		f.Value += " of " + thousands(float64(c.Expected))
	}
	if missed := c.Expected - c.Passes; missed > 0 {
		f.Note, f.Tone = count(missed, "pass", "passes")+" missing: what happened then is spread over longer intervals", toneWarn
	}
	return f
}

func badIf(yes bool) tone {
	if yes {
		return toneWarn
	}
	return toneNone
}

func coverTone(share float64) tone {
	switch {
	case math.IsNaN(share):
		return toneMute
	case share >= fullCover:
		return toneGood
	case share >= halfCover:
		return toneWarn
	}
	return toneBad
}

func coverWords(c pgvigil.Coverage) (string, tone) {
	switch t := coverTone(c.Time); {
	case c.Passes == 0:
		return "No pass succeeded in this window.", toneBad
	case t == toneMute:
		return "How much of the server's work the numbers cover is not known.", toneMute
	case t == toneGood:
		return "The numbers cover nearly all of the server's work.", t
	case t == toneWarn:
		return "The numbers cover most of the server's work; take totals as lower bounds.", t
	default:
		return "The numbers cover a part of the server's work only; take them as a sample.", t
	}
}

// bounds are the settings that bound what the numbers can say.
var bounds = map[string]string{
	"pg_stat_statements.max":            "statements kept at a time",
	"pg_stat_statements.track":          "whether statements inside functions count",
	"pg_stat_statements.track_planning": "without it, planning time is missing",
	"pg_stat_statements.track_utility":  "without it, DDL and maintenance are missing",
	"track_io_timing":                   "without it, the time of reads is missing",
	"track_activity_query_size":         "bytes of a running statement that samples see",
	"compute_query_id":                  "ties samples to statements",
	"block_size":                        "bytes in a block",
}

func settingsOf(list []pgvigil.Setting) []fact {
	var facts []fact
	for _, s := range list {
		note, ok := bounds[s.Name]
		if !ok || s.Scope != "" {
			continue
		}
		facts = append(facts, fact{Label: s.Name, Value: plain(fmt.Sprint(s.Value, s.Unit), maxName), Note: note})
	}
	return facts
}
