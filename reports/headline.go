package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// headline says the report in two to four sentences, each from the facts.
func (l layout) headline() []string {
	if l.empty() {
		return l.nothing()
	}
	sentences := []string{l.countSentence()}
	if s := l.worstSentence(); s != "" {
		sentences = append(sentences, s)
	}
	if s := l.proposalSentence(); s != "" {
		sentences = append(sentences, s)
	}
	if s := l.aheadSentence(); s != "" {
		sentences = append(sentences, s)
	}
	return append(sentences, l.trustSentence())
}

// nothing says what to do when there are no numbers.
func (l layout) nothing() []string {
	if len(l.Servers) == 0 {
		return []string{"The history holds no server yet, so there is nothing to report. Take a first pass with pgvigil collect, or start pgvigil serve and come back after a few passes."}
	}
	return []string{"The history holds no pass in this window, so there is nothing to report. Choose another window, or see with pgvigil doctor why passes fail."}
}

// each calls f for every regression with its server.
func (l layout) each(f func(*Server, Slower)) {
	for i := range l.Servers {
		for _, a := range l.Servers[i].Slower {
			f(&l.Servers[i], a)
		}
	}
}

func (l layout) countSentence() string {
	bySeverity := make(map[pgvigil.Severity]int)
	live, all, incidents, seen := 0, 0, 0, 0
	l.each(func(_ *Server, a Slower) {
		all++
		bySeverity[a.Severity]++
		if a.State.Live() {
			live++
		}
	})
	for _, s := range l.Servers {
		incidents += len(s.Incidents)
		seen += s.SeriesSeen
	}
	tail := "."
	if incidents > 0 {
		tail = "; the server suffered " + count(incidents, "incident", "incidents") + "."
	}
	if all == 0 {
		return "Nothing left its baseline in " + count(seen, "series", "series") + " with calls in this window" + tail
	}
	return fmt.Sprintf("%s left %s baseline (%s), %s%s", capital(count(all, "query", "queries")),
		map[bool]string{true: "its", false: "their"}[all == 1], severities(bySeverity), stillWords(live, all), tail)
}

func stillWords(live, all int) string {
	switch {
	case live == 0:
		return "resolved since"
	case live == all && all == 1:
		return "still open"
	case live == all:
		return "all still open"
	}
	return fmt.Sprintf("%d still open", live)
}

// severities counts in words: "1 page, 2 tickets".
func severities(by map[pgvigil.Severity]int) string {
	var words []string
	for _, s := range []struct {
		severity  pgvigil.Severity
		one, many string
	}{{pgvigil.Page, "page", "pages"}, {pgvigil.Ticket, "ticket", "tickets"}, {pgvigil.ReportOnly, "for this report only", "for this report only"}} {
		if n := by[s.severity]; n > 0 {
			words = append(words, count(n, s.one, s.many))
		}
	}
	return strings.Join(words, ", ")
}

func (l layout) worstSentence() string {
	var worst *Slower
	var of *Server
	l.each(func(s *Server, a Slower) {
		if worst == nil || urgency(a.Alert, worst.Alert) < 0 {
			worst, of = &a, s
		}
	})
	if worst == nil {
		return ""
	}
	v := worst.Verdict
	s := fmt.Sprintf("The worst, %s, %s %s", queryOf(known(worst.Query, of), v.Series.Fingerprint).Name, slowerWords(worst.Alert), l.sinceWords(worst.Alert))
	if words := because(v); words != "" {
		s += ", most likely because " + words
		s += explained(v)
	}
	if finite(v.ExtraMSPerHour) && v.ExtraMSPerHour > 0 {
		s += fmt.Sprintf("; that %s %s of database time an hour", map[bool]string{true: "costs", false: "cost"}[worst.State.Live()], millis(v.ExtraMSPerHour))
	}
	return s + "."
}

// sinceWords says when an alert's change began and, if it did, ended.
func (l layout) sinceWords(a pgvigil.Alert) string {
	if a.State.Live() || a.Closed.IsZero() {
		return "since " + l.clock.at(a.Verdict.Onset).Text + " UTC"
	}
	return "from " + l.clock.at(a.Verdict.Onset).Text + " to " + l.clock.at(a.Closed).Text + " UTC"
}

func (l layout) proposalSentence() string {
	verified, all := 0, 0
	var applied *pgvigil.Proposal
	for _, s := range l.Servers {
		for i, p := range s.Proposals {
			all++
			if p.Evidence.Verdict == pgvigil.Verified {
				verified++
			}
			if applied == nil && p.Outcome != nil && len(p.Outcome.Queries) > 0 {
				applied = &s.Proposals[i]
			}
		}
	}
	if all == 0 {
		return ""
	}
	s := fmt.Sprintf("Of %s %d %s verified", count(all, "proposal", "proposals"), verified, map[bool]string{true: "is", false: "are"}[verified == 1])
	if all == 1 {
		s = "The one proposal is " + map[bool]string{true: "verified", false: "not verified"}[verified == 1]
	}
	if applied != nil {
		q := healed(applied.Outcome.Queries)
		s += fmt.Sprintf("; \u201c%s\u201d was applied at %s UTC, and since then its query is %s per call and %s",
			proposalTitle(*applied), l.clock.at(applied.Outcome.AppliedAt).Text,
			versusBaseline(q.After.Blocks, q.Baseline.Blocks, "blocks"), versusBaseline(q.After.MS, q.Baseline.MS, "time"))
	}
	return s + "."
}

// healed is the query that an outcome is about: the one that had suffered most.
func healed(list []pgvigil.QueryOutcome) pgvigil.QueryOutcome {
	suffered := func(q pgvigil.QueryOutcome) float64 {
		if f := q.Before.Blocks / q.Baseline.Blocks; finite(f) {
			return f
		}
		return 0
	}
	return slices.MaxFunc(list, func(a, b pgvigil.QueryOutcome) int { return cmp.Compare(suffered(a), suffered(b)) })
}

// trustSentence is about the server that is covered worst.
func (l layout) trustSentence() string {
	worst := l.leastCovered()
	words, _ := l.coverWords(worst)
	if n := len(worst.Coverage.Warnings); n > 0 {
		words += " " + capital(count(n, "warning says", "warnings say")) + " what is missing."
	}
	return words
}

// lessCovered says whether the coverage a is worse than b: unknown is worse than
// any number.
func lessCovered(a, b float64) bool {
	return !math.IsNaN(b) && (math.IsNaN(a) || a < b)
}

// capital writes small numbers at the head of a sentence as words.
func capital(s string) string {
	words := []string{"No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"}
	n, rest, _ := strings.Cut(s, " ")
	for i, w := range words {
		if n == fmt.Sprint(i) {
			return w + " " + rest
		}
	}
	return s
}

// tiles are the numbers at the top.
func (l layout) tiles() []tile {
	if l.empty() {
		return nil
	}
	bySeverity := make(map[pgvigil.Severity]int)
	n, extra := 0, 0.0
	l.each(func(_ *Server, a Slower) {
		n++
		bySeverity[a.Severity]++
		if e := a.Verdict.ExtraMSPerHour; a.State.Live() && finite(e) {
			extra += e
		}
	})
	slower := tile{Label: "Got slower", Value: thousands(float64(n)), Note: severities(bySeverity), Link: "#slower", Tone: badIf(n > 0)}
	if bySeverity[pgvigil.Page] > 0 {
		slower.Tone = toneBad
	}
	if n == 0 {
		slower.Note, slower.Tone = "nothing left its baseline", toneGood
	}
	cost := tile{Label: "Still costs", Value: millis(extra), Note: "of database time an hour, by what is open", Link: "#slower"}
	return []tile{slower, cost, l.proposalTile(), l.aheadTile(), l.growthTile(), l.trustTile()}
}

func (l layout) proposalTile() tile {
	by := make(map[pgvigil.ProofVerdict]int)
	for _, s := range l.Servers {
		for _, p := range s.Proposals {
			by[p.Evidence.Verdict]++
		}
	}
	t := tile{Label: "Verified fixes", Value: thousands(float64(by[pgvigil.Verified])), Link: "#proposals", Note: "no other proposal"}
	var others []string
	for _, v := range []pgvigil.ProofVerdict{pgvigil.Rejected, pgvigil.Unverified} {
		if by[v] > 0 {
			others = append(others, fmt.Sprintf("%d %s", by[v], v))
		}
	}
	if len(others) > 0 {
		t.Note = "besides " + list(others)
	}
	if by[pgvigil.Verified] > 0 {
		t.Tone = toneGood
	}
	return t
}

func (l layout) growthTile() tile {
	total, perDay := pgvigil.Bytes(0), 0.0
	for _, s := range l.Servers {
		for _, g := range s.Grown {
			total += g.End - g.Start
			perDay += g.PerDay
		}
	}
	t := tile{Label: "Grew", Value: signedSize(float64(total)), Note: signedSize(perDay) + " a day", Link: "#grown"}
	if math.IsNaN(perDay) || perDay == 0 {
		t.Note = "over the sizes read"
	}
	return t
}

// trustTile shows the worse of what the numbers account for: the time, or the
// passes that they are from.
func (l layout) trustTile() tile {
	worst, passes, expected := l.leastCovered(), 0, 0
	for _, s := range l.Servers {
		passes += s.Coverage.Passes
		expected += max(s.Coverage.Passes, s.Coverage.Expected)
	}
	made := count(passes, "pass", "passes")
	if passes < expected {
		made = fmt.Sprintf("%s of %s", thousands(float64(passes)), count(expected, "pass", "passes"))
	}
	share := covered(worst.Coverage)
	t := tile{Label: "Coverage", Value: percent(share), Note: "of the time, in " + made, Link: "#trust", Tone: coverTone(share)}
	if passShare(worst.Coverage) < worst.Coverage.Time {
		t.Note = "of the passes: " + made
	}
	if lasted, part := l.watched(worst); part < fullCover {
		t.Note += ", over " + length(lasted) + " only"
		if t.Tone == toneGood {
			t.Tone = toneWarn
		}
	}
	return t
}

// leastCovered is the server whose numbers say least of its work.
func (l layout) leastCovered() *Server {
	worst := &l.Servers[0]
	for i := range l.Servers {
		if lessCovered(covered(l.Servers[i].Coverage), covered(worst.Coverage)) {
			worst = &l.Servers[i]
		}
	}
	return worst
}

// commands are how to get the numbers of the page again.
func (l layout) commands() []command {
	target := ""
	if l.Target != "" {
		target = " --target " + shellWord(l.Target)
	}
	return []command{
		{"this report", "pgvigil report" + target + l.rangeFlags()},
		{"what got slower", "pgvigil regressions" + target + l.rangeFlags()},
		{"alerts, also those that are over", "pgvigil alerts list --all" + target},
		{"proposals with their evidence", "pgvigil proposals list"},
		{"what is missing on a target", "pgvigil doctor" + target},
		{"the history's own health", "pgvigil history check"},
	}
}
