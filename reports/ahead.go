package reports

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/outlook"
)

// readOutlook judges what lies ahead by what the window shows.
func (g *gatherer) readOutlook(ctx context.Context) (err error) {
	f := outlook.Facts{Catalog: g.catalog, Settings: g.server.Settings}
	if f.Points, err = g.history.ServerPoints(ctx, g.id(), g.window); err != nil {
		return err
	}
	if f.Databases, err = g.history.DatabasePoints(ctx, g.id(), g.window); err != nil {
		return err
	}
	g.server.Ahead = outlook.Of(f)
	g.server.Course = courseOf(f)
	return nil
}

// aheadRows is how many risks of one server are shown.
const aheadRows = 25

// aheadTable is what will break on one server.
type aheadTable struct {
	Heading string
	Caption string
	Rows    []aheadRow
	Rest    string
}

type aheadRow struct {
	Severity badge
	Kind     string
	Place    string
	Text     string
	Used     string
	Width    string // of the bar; "" without
	Left     string
	Tone     tone // of the time left
	Remedy   string
}

func (l layout) ahead(s *Server) *aheadTable {
	if len(s.Ahead.Risks) == 0 {
		return nil
	}
	t := &aheadTable{
		Heading: l.heading(s),
		Caption: fmt.Sprintf("As of %s UTC, most urgent first. The time that is left is at the rate of this window.", l.clock.at(s.Ahead.At).Text),
	}
	for _, r := range s.Ahead.Risks[:min(aheadRows, len(s.Ahead.Risks))] {
		t.Rows = append(t.Rows, l.aheadRow(s, r))
	}
	if rest := len(s.Ahead.Risks) - len(t.Rows); rest > 0 {
		t.Rest = count(rest, "more thing of this kind is", "more things of this kind are") + " not shown."
	}
	return t
}

func (l layout) aheadRow(s *Server, r pgvigil.Risk) aheadRow {
	row := aheadRow{
		Severity: word(r.Severity, severityTone(r.Severity)), Kind: plain(string(r.Kind), 60), Place: l.place(s.Info.Server.Target, r.Database),
		Text: plain(r.Text, maxSentence), Used: "\u2013", Left: "\u2013", Remedy: quote(r.Remedy, maxSentence).Text,
	}
	if finite(r.Used) {
		row.Used, row.Width = percent(r.Used), percentOf(r.Used)
	}
	left, known := r.Left()
	switch {
	case known:
		row.Left = length(left)
		row.Tone = severityTone(r.Severity)
	case math.IsInf(r.LeftSeconds, 1):
		row.Left = "does not move"
	case slices.Contains(runsOut, r.Kind):
		row.Left = unknown
	}
	return row
}

// runsOut are the risks that have a time left, known or not.
var runsOut = []pgvigil.RiskKind{pgvigil.RiskSequence, pgvigil.RiskXID, pgvigil.RiskMultiXact}

func severityTone(s pgvigil.Severity) tone {
	return map[pgvigil.Severity]tone{pgvigil.Page: toneBad, pgvigil.Ticket: toneWarn}[s]
}

// aheadSentence tells of what pages; "" if nothing does.
func (l layout) aheadSentence() string {
	n := 0
	var first pgvigil.Risk
	for _, s := range l.Servers {
		for _, r := range s.Ahead.Risks {
			if r.Severity != pgvigil.Page {
				continue
			}
			if n == 0 {
				first = r
			}
			n++
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return "One thing will break unless somebody sees to it: " + plain(first.Text, maxSentence)
	}
	return fmt.Sprintf("%s will break unless somebody sees to them, the first of them: %s", capital(count(n, "thing", "things")), plain(first.Text, maxSentence))
}

// aheadTile counts what will break.
func (l layout) aheadTile() tile {
	by := make(map[pgvigil.Severity]int)
	for _, s := range l.Servers {
		for _, r := range s.Ahead.Risks {
			by[r.Severity]++
		}
	}
	t := tile{Label: "Lies ahead", Value: thousands(float64(by[pgvigil.Page] + by[pgvigil.Ticket] + by[pgvigil.ReportOnly])), Note: severities(by), Link: "#ahead"}
	switch {
	case t.Note == "":
		t.Note, t.Tone = "nothing runs out", toneGood
	case by[pgvigil.Page] > 0:
		t.Tone = toneBad
	case by[pgvigil.Ticket] > 0:
		t.Tone = toneWarn
	}
	return t
}
