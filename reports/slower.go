package reports

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// fullAlerts is how many regressions are shown with charts; the rest are rows.
const fullAlerts = 25

// slowerSection is "what got slower".
type slowerSection struct {
	Alerts  []alertView
	Rest    []alertRow // regressions over the limit
	Noticed []alertRow // improvements, traffic, new queries
	Calm    string     // what to say when nothing got slower
}

// alertView is one regression in full.
type alertView struct {
	Anchor   string
	Tone     tone
	Title    string
	Badges   []badge
	Place    string
	Facts    []fact
	Cause    string
	Causes   []causeView
	Charts   []chart
	Profile  []profileRow
	Events   []eventRow
	Plans    []seenPlan
	Rule     string
	Query    queryView
	Warnings []warningView
	Source   string
	Fixes    []link
	Commands []command
}

// alertRow is one verdict on one line.
type alertRow struct {
	Kind   badge
	Title  string
	Place  string
	Onset  moment
	Change string
	Why    string
}

type link struct{ Href, Text string }

// causeView is one cause that was weighed.
type causeView struct {
	Name    string
	Score   string
	Leading bool
	For     []string
	Against []string
}

// profileRow is one measure per call before and after.
type profileRow struct {
	Name   string
	Before string
	After  string
	Change string
	Tone   tone
}

func (l layout) slower() slowerSection {
	var section slowerSection
	seen := 0
	for i := range l.Servers {
		s := &l.Servers[i]
		seen += s.SeriesSeen
		for _, a := range s.Slower {
			if len(section.Alerts) < fullAlerts {
				section.Alerts = append(section.Alerts, l.alert(s, a, len(section.Alerts)+1))
			} else {
				section.Rest = append(section.Rest, l.alertRow(s, a.Alert))
			}
		}
		for _, a := range s.Noticed {
			section.Noticed = append(section.Noticed, l.alertRow(s, a))
		}
	}
	if len(section.Alerts) == 0 {
		section.Calm = "Nothing left its baseline in " + count(seen, "series", "series") + " with calls in this window."
	}
	return section
}

func (l layout) alert(s *Server, a Slower, n int) alertView {
	v := a.Verdict
	view := alertView{
		Anchor:   fmt.Sprintf("alert-%d", n),
		Badges:   alertBadges(a.Alert),
		Tone:     severityTones[a.Severity],
		Place:    l.place(a.Target, a.Database),
		Facts:    l.alertFacts(a.Alert),
		Cause:    causeSentence(v),
		Causes:   causesOf(v.Causes),
		Charts:   l.charts(a),
		Profile:  profileRows(v.Before, v.After),
		Events:   l.eventRows(v.Events),
		Plans:    l.plans(a),
		Rule:     plain(v.Rule, maxSentence),
		Query:    queryOf(known(a.Query, s), v.Series.Fingerprint),
		Warnings: warningsOf(slices.Concat(v.Warnings, v.Coverage.Warnings)),
		Source:   l.alertSource(a),
		Fixes:    l.fixes(a.ID),
		Commands: l.alertCommands(a.Alert),
	}
	view.Title = view.Query.Name + " " + slowerWords(a.Alert)
	return view
}

// factor is time per call after over before, of the very profiles that the
// page shows; the verdict's own where they are not known.
func factor(v pgvigil.Regression) float64 {
	if f := v.After.MS / v.Before.MS; finite(f) && f > 0 && v.Kind == pgvigil.KindRegression && v.Cause != pgvigil.CauseTraffic {
		return f
	}
	return v.Factor
}

// known is the query of an alert, from the alert or the history.
func known(q pgvigil.Query, s *Server) pgvigil.Query {
	if found, ok := s.Queries[q.Fingerprint]; ok && q.Text == "" {
		return found
	}
	return q
}

// slowerWords says by how much: "takes 41× as long", "was called 5× as often".
func slowerWords(a pgvigil.Alert) string {
	is, takes := "is", "takes"
	if !a.State.Live() {
		is, takes = "was", "took"
	}
	switch v := a.Verdict; {
	case v.Cause == pgvigil.CauseTraffic:
		return is + " called " + times(v.Factor) + " as often"
	case factor(v) > 1:
		return takes + " " + times(factor(v)) + " as long"
	}
	return "left its baseline"
}

// severityTones colour alerts.
var severityTones = map[pgvigil.Severity]tone{pgvigil.Page: toneBad, pgvigil.Ticket: toneWarn}

func alertBadges(a pgvigil.Alert) []badge {
	list := []badge{word(a.Severity, severityTones[a.Severity]), word(a.State, toneMute)}
	if !a.State.Live() {
		list[1].Tone = toneGood
	}
	if a.ID != 0 {
		list = append(list, badge{fmt.Sprintf("alert %d", a.ID), toneMute})
	}
	return list
}

func (l layout) alertFacts(a pgvigil.Alert) []fact {
	v := a.Verdict
	facts := []fact{{Label: "Began", Value: l.clock.at(v.Onset).Text}}
	if after := v.Detected.Sub(v.Onset); !v.Onset.IsZero() && after >= 0 {
		facts[0].Note = "noticed after " + length(after)
	}
	if !a.Closed.IsZero() {
		facts = append(facts, fact{Label: "Ended", Value: l.clock.at(a.Closed).Text, Note: "after " + length(a.Closed.Sub(v.Onset)), Tone: toneGood})
	}
	facts = append(facts, fact{Label: "Time per call", Value: millis(v.Before.MS) + " \u2192 " + millis(v.After.MS), Note: times(factor(v)), Tone: toneBad})
	if finite(v.ExtraMSPerHour) && v.ExtraMSPerHour > 0 {
		facts = append(facts, fact{Label: "Costs", Value: millis(v.ExtraMSPerHour), Note: "of database time an hour"})
	}
	return append(facts,
		fact{Label: "Share of load", Value: percent(v.LoadShare), Note: "of the server's execution time"},
		fact{Label: "Confidence", Value: percent(v.Confidence), Note: "that the change is real"})
}

// charts are time per call over blocks per call.
func (l layout) charts(a Slower) []chart {
	v := a.Verdict
	to := a.Trend.From.Add(time.Duration(len(a.Trend.Points)) * a.Trend.Step)
	if len(a.Trend.Points) == 0 {
		return nil
	}
	if to.After(l.Window.To) {
		to = l.Window.To
	}
	base := chart{From: a.Trend.From, To: to, Onset: v.Onset, Level: math.NaN(), clock: l.clock}
	for _, e := range v.Events {
		base.Events = append(base.Events, e.At)
	}
	ms, blocks := base, base
	ms.Title, ms.Unit, ms.Samples = "Time per call", "ms", a.Trend.values(msPerCall)
	if v.Band.High > 0 && finite(v.Band.High) && finite(v.Band.Low) {
		ms.Band, ms.Level = &v.Band, v.Band.Level
	}
	blocks.Title, blocks.Unit, blocks.Samples = "Blocks per call", "blocks", a.Trend.values(blocksPerCall)
	blocks.Level = v.Before.Blocks
	return []chart{ms, blocks}
}

func (l layout) alertSource(a Slower) string {
	calls := 0.0
	for _, p := range a.Trend.Points {
		calls += p.Counters[pgvigil.Calls]
	}
	source := fmt.Sprintf("%s calls in %s (history: intervals_recent and intervals_closed, by fingerprint %s of statements)",
		number(calls), count(a.Trend.Intervals, "interval", "intervals"), a.Verdict.Series.Fingerprint)
	if len(a.Trend.Points) > 0 {
		source += fmt.Sprintf(", from %s UTC; each point of a chart adds up %s", l.clock.at(a.Trend.From).Text, length(a.Trend.Step))
	}
	return source + ". Of the time " + percent(a.Verdict.Coverage.Time) + " is accounted for, of the blocks " + percent(a.Verdict.Coverage.Blocks) + "."
}

// alertLink leads to an alert's card; it has no Href where there is none.
func (l layout) alertLink(alert int64) link {
	if alert == 0 {
		return link{}
	}
	found, n := link{Text: fmt.Sprintf("alert %d", alert)}, 0
	l.each(func(_ *Server, a Slower) {
		n++
		if a.ID == alert && n <= fullAlerts {
			found.Href = fmt.Sprintf("#alert-%d", n)
		}
	})
	return found
}

// fixes link to the proposals that answer an alert.
func (l layout) fixes(alert int64) []link {
	var links []link
	n := 0
	for i := range l.Servers {
		for _, p := range l.Servers[i].Proposals {
			n++
			if alert != 0 && p.Alert == alert {
				links = append(links, link{fmt.Sprintf("#proposal-%d", n), proposalTitle(p) + " (" + plain(string(p.Evidence.Verdict), 40) + ")"})
			}
		}
	}
	return links
}

func (l layout) alertCommands(a pgvigil.Alert) []command {
	var list []command
	if a.ID != 0 {
		list = append(list, command{"this alert with its history", fmt.Sprintf("pgvigil alerts show %d", a.ID)})
	}
	return append(list,
		command{"judge the window again", "pgvigil regressions --target " + shellWord(a.Target) + l.rangeFlags()},
		command{"proposals for this query", "pgvigil advise --target " + shellWord(a.Target) + " --query " + a.Verdict.Series.Fingerprint.String()})
}

// rangeFlags select the report's window on a command line.
func (l layout) rangeFlags() string {
	return " --from " + l.Window.From.UTC().Format(time.RFC3339) + " --to " + l.Window.To.UTC().Format(time.RFC3339)
}

func causesOf(list []pgvigil.CauseEvidence) []causeView {
	var views []causeView
	for i, c := range list {
		view := causeView{Name: plain(string(c.Cause), maxName), Leading: i == 0, Score: significant(c.Score)}
		if c.Detail != "" && c.Detail != string(c.Cause) {
			view.Name += ": " + plain(c.Detail, maxName)
		}
		for _, s := range c.For {
			view.For = append(view.For, plain(s, maxSentence))
		}
		for _, s := range c.Against {
			view.Against = append(view.Against, plain(s, maxSentence))
		}
		views = append(views, view)
	}
	return views
}

func (l layout) alertRow(s *Server, a pgvigil.Alert) alertRow {
	v := a.Verdict
	row := alertRow{
		Kind:  word(v.Kind, toneMute),
		Title: queryOf(known(a.Query, s), v.Series.Fingerprint).Name,
		Place: l.place(a.Target, a.Database),
		Onset: l.clock.at(v.Onset),
		Why:   plain(v.Rule, maxSentence),
	}
	if a.State == pgvigil.Suspected {
		row.Kind = badge{"suspected " + row.Kind.Text, toneWarn}
	}
	switch v.Kind {
	case pgvigil.KindImprovement:
		row.Kind.Tone = toneGood
		row.Change = millis(v.Before.MS) + " \u2192 " + millis(v.After.MS) + " a call"
	case pgvigil.KindTraffic:
		row.Change = number(v.Before.CallsPerHour) + " \u2192 " + number(v.After.CallsPerHour) + " calls/h"
	case pgvigil.KindNew:
		row.Change = millis(v.After.MS) + " a call, " + percent(v.LoadShare) + " of the load"
	default:
		row.Change = millis(v.Before.MS) + " \u2192 " + millis(v.After.MS) + " a call"
	}
	return row
}
