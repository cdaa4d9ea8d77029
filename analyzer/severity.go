package analyzer

import (
	"math"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// What decides how an alert reaches people: the series' share of the server's
// time since the onset, and the part of that time which the shift added.
const (
	pageShare   = 0.10
	pageFactor  = 2
	ticketShare = 0.005
	// A call that does several times the work is worth a ticket from a smaller
	// share on: it will cost more when it is called more.
	workShare  = 0.001
	workFactor = 3
)

// severity ranks a verdict by what it costs the server, not by how sure it is.
func severity(v change.Verdict) pgvigil.Severity {
	added := v.LoadShare * (1 - 1/max(1, v.Factor))
	switch {
	case v.Kind == pgvigil.KindIncident:
		return pgvigil.Page
	case v.Kind == pgvigil.KindTraffic || v.Kind == pgvigil.KindImprovement:
		return pgvigil.ReportOnly
	case v.Kind == pgvigil.KindNew:
		return pgvigil.Ticket
	case added >= pageShare && v.Factor >= pageFactor:
		return pgvigil.Page
	case added >= ticketShare, added >= workShare && v.Work() >= workFactor:
		return pgvigil.Ticket
	}
	return pgvigil.ReportOnly
}

// confidence turns the evidence of a verdict into a probability.
func confidence(v change.Verdict) float64 { return probability(v.Score()) }

// probability of logarithms of odds.
func probability(odds float64) float64 { return 1 / (1 + math.Exp(-odds)) }

// confidence judges what a symptom of an incident rests on: how many kinds of
// evidence there are, how far beyond its limit each is, in how many passes it
// was seen, and what else speaks for it. It is a judgement in the form of a
// probability; nobody measured it.
func (y symptom) confidence(passes int) float64 {
	odds := 0.3*math.Min(6, float64(passes)) + 0.5*math.Min(3, float64(len(y.related)))
	for _, times := range y.beyond {
		odds += 0.7 + math.Min(2.5, 1.5*math.Log(math.Max(1, times)))
	}
	return probability(odds)
}

// severityOf is severity with the cause named: what only traffic did goes to
// the report, unless a job stopped or a loop began.
func severityOf(v change.Verdict, r pgvigil.Regression) pgvigil.Severity {
	if v.Kind == pgvigil.KindTraffic && r.CauseDetail != "" {
		return pgvigil.Ticket
	}
	if r.CauseDetail == pgvigil.DetailHOTLost { // it bloats the table from now on, whatever it costs yet
		return graver(severity(v), pgvigil.Ticket)
	}
	return severity(v)
}
