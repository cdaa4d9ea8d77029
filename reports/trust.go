package reports

import (
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// trustView is how far one server's numbers can be trusted.
type trustView struct {
	Heading  string
	Verdict  string
	Tone     tone
	Facts    []fact
	Resets   []string // with their proofs
	Warnings []warningView
	Settings []fact
	// Unplanned are the queries without plan.
	Unplanned []unplannedRow
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
	v.Verdict, v.Tone = l.coverWords(s)
	v.Facts = []fact{
		l.watchedFact(s),
		{Label: "Time", Value: percent(c.Time), Note: "execution and planning time of the intervals, of the active time that the databases report", Tone: coverTone(c.Time)},
		{Label: "Blocks", Value: percent(c.Blocks), Note: "shared blocks of the intervals, of those that the databases report", Tone: coverTone(c.Blocks)},
		callsFact(c),
		passesFact(c),
		{Label: "In no interval", Value: percent(c.Gap), Note: "of the window: before the first pass and after the last, around resets and switches to another server", Tone: badIf(c.Gap > 1-fullCover)},
		{Label: "Evicted", Value: number(float64(c.Evicted)), Note: "entries of pg_stat_statements were dropped for want of room; their last calls are lost", Tone: badIf(c.Evicted > 0)},
		{Label: "First sights", Value: number(float64(c.FirstSights)), Note: "entries whose earlier calls are unknown"},
		{Label: "Rolled back", Value: number(float64(c.Rollbacks)), Note: "transactions; a statement that failed or timed out in one is counted nowhere"},
		{Label: "pgvigil\u2019s own", Value: percent(c.Own), Note: "of the time of the intervals"},
		{Label: "Resets", Value: number(float64(c.Resets)), Note: "of the counters; no interval crosses one"},
	}
	v.Resets = l.resets(s.Resets)
	v.Settings = settingsOf(s.Settings)
	v.Unplanned = l.unplanned(s)
	return v
}

// callsFact says what share of the calls the statements seen made, and how sure
// that is.
func callsFact(c pgvigil.Coverage) fact {
	f := fact{Label: "Calls", Value: percent(c.Calls), Note: "of statements that came to their end; none was evicted", Tone: coverTone(c.Calls)}
	if c.Evicted > 0 {
		f.Note = "of statements that came to their end, estimated by blocks; by the evictions " + percent(c.CallsMin) + " at least and " + percent(c.CallsMax) + " at most"
	}
	return f
}

func passesFact(c pgvigil.Coverage) fact {
	f := fact{Label: "Passes", Value: thousands(float64(c.Passes)), Note: "as planned"}
	if c.Expected > 0 {
		f.Value += " of " + thousands(float64(c.Expected))
	}
	if missed := c.Expected - c.Passes; missed > 0 {
		f.Note = count(missed, "pass", "passes") + " missing: what happened then is spread over longer intervals"
		f.Tone = badIf(true)
		if coverTone(passShare(c)) == toneBad {
			f.Tone = toneBad
		}
	}
	return f
}

// passShare is the part of the passes that were made, in [0, 1]; 1 where it is
// not known how many there should have been.
func passShare(c pgvigil.Coverage) float64 {
	if c.Expected <= 0 {
		return 1
	}
	return min(1, float64(c.Passes)/float64(c.Expected))
}

// covered is the part of the server's work that the numbers can speak for: they
// are no better than their passes. NaN if it is not known.
func covered(c pgvigil.Coverage) float64 { return math.Min(c.Time, passShare(c)) }

// watched is the part of the window between the first and the last pass.
func (l layout) watched(s *Server) (lasted time.Duration, share float64) {
	seen := watchedSpan(s.Info, l.Window)
	lasted = max(0, seen.last.Sub(seen.first))
	return lasted, float64(lasted) / float64(max(1, l.Window.To.Sub(l.Window.From)))
}

func (l layout) watchedFact(s *Server) fact {
	lasted, share := l.watched(s)
	return fact{
		Label: "Watched", Value: length(lasted), Note: "from the first to the last pass, of the " + length(l.Window.To.Sub(l.Window.From)) + " of this report",
		Tone: badIf(share < fullCover),
	}
}

// resetRows is how many resets are listed.
const resetRows = 20

// resets say when counters began anew, and how that is known.
func (l layout) resets(list []pgvigil.Incarnation) []string {
	var lines []string
	for _, in := range list[:min(resetRows, len(list))] {
		lines = append(lines, fmt.Sprintf("Counters of %s: anew since %s UTC, seen at %s UTC (%s).", plain(string(in.Kind), 40),
			l.clock.at(in.Since).Text, l.clock.at(in.Seen).Text, plain(in.Proof, maxSentence)))
	}
	if rest := len(list) - len(lines); rest > 0 {
		lines = append(lines, "And "+count(rest, "more reset", "more resets")+".")
	}
	return lines
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

// coverWords say how far one server's numbers can be trusted, by the time that
// they account for and by the passes that were made.
func (l layout) coverWords(s *Server) (string, tone) {
	c := s.Coverage
	if c.Passes == 0 {
		return "No pass succeeded in this window.", toneBad
	}
	words := timeWords(c) + passWords(c)
	if lasted, share := l.watched(s); share < fullCover {
		words += fmt.Sprintf(" The server was watched for %s of the %s.", length(lasted), length(l.Window.To.Sub(l.Window.From)))
	}
	return words, coverTone(covered(c))
}

// timeWords say what part of the work of its passes a server's numbers cover.
func timeWords(c pgvigil.Coverage) string {
	share := percent(c.Time) + " of the time that the databases report"
	switch coverTone(c.Time) {
	case toneMute:
		return "How much of the server's work the numbers cover is not known."
	case toneGood:
		return "The numbers cover nearly all of the server's work: " + share + "."
	case toneWarn:
		return "The numbers cover most of the server's work, " + share + "; take totals as lower bounds."
	}
	return "The numbers cover a part of the server's work only, " + share + "; take them as a sample."
}

// passWords say what the passes that are missing cost; "" where none is.
func passWords(c pgvigil.Coverage) string {
	missed := c.Expected - c.Passes
	switch part := fmt.Sprintf("%s of %s", thousands(float64(c.Passes)), count(c.Expected, "pass", "passes")); {
	case missed <= 0:
		return ""
	case coverTone(passShare(c)) == toneGood:
		return " Of the passes, " + percent(passShare(c)) + " were made."
	case coverTone(passShare(c)) == toneWarn:
		return fmt.Sprintf(" But only %s were made (%s): what happened in between is spread over longer intervals, and short troubles may not show.", percent(passShare(c)), part)
	default:
		return fmt.Sprintf(" But only %s were made (%s): most of the window is known by a few long intervals, so that neither times nor peaks can be trusted.", percent(passShare(c)), part)
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
