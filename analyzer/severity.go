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
	case added >= ticketShare:
		return pgvigil.Ticket
	}
	return pgvigil.ReportOnly
}

// confidence turns the evidence of a verdict into a probability: the prior and
// the score are logarithms of odds.
func confidence(v change.Verdict) float64 {
	score := v.Numbers.Score
	if v.Kind != pgvigil.KindRegression {
		score = change.Defaults().Alert
	}
	return 1 / (1 + math.Exp(-score))
}

// severityOf is severity with the cause named: what only traffic did goes to
// the report, unless a job stopped or a loop began.
func severityOf(v change.Verdict, r pgvigil.Regression) pgvigil.Severity {
	if v.Kind == pgvigil.KindTraffic && r.CauseDetail != "" {
		return pgvigil.Ticket
	}
	return severity(v)
}
