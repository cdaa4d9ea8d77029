package outlook

import (
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// A sequence is told of when it ends within sequenceSoon at the measured rate,
// or has used up sequenceFull of its range whatever the rate; those that end
// within sequenceNow, or are nearly used up, page.
const (
	sequenceSoon = 90 * day
	sequenceNow  = 7 * day
	sequenceFull = 0.75
	sequenceGone = 0.97
)

// sequences tells of sequences, and of the columns that they number, that end.
func (j *judge) sequences() {
	for _, s := range j.last.State.Sequences {
		rate := j.sequenceRate(s)
		left := endless(float64(s.Limit)-float64(s.Last), rate)
		if s.Used() < sequenceFull && !(left < sequenceSoon) {
			continue
		}
		r := pgvigil.Risk{
			Kind: pgvigil.RiskSequence, Severity: pgvigil.ReportOnly, Database: j.database(s.Key.DBID), Object: s.Schema + "." + s.Name,
			Used: s.Used(), LeftSeconds: left, Text: sequenceText(s, rate, left), Remedy: sequenceRemedy(s),
		}
		switch {
		case left < sequenceNow, s.Used() >= sequenceGone:
			r.Severity = pgvigil.Page
		case left < sequenceSoon, s.Used() >= 0.9:
			r.Severity = pgvigil.Ticket
		}
		j.add(r)
	}
}

// sequenceRate is how many numbers a second moved on in the window, NaN if unknown.
func (j *judge) sequenceRate(s pgvigil.Sequence) float64 {
	for i := range j.Points {
		p := &j.Points[i]
		k := slices.IndexFunc(p.State.Sequences, func(o pgvigil.Sequence) bool { return o.Key == s.Key })
		if k < 0 {
			continue
		}
		was := p.State.Sequences[k]
		seconds := j.last.End.Sub(p.End).Seconds()
		moved := float64(s.Last) - float64(was.Last)
		if seconds < 60 || moved*float64(s.Step) < 0 { // restarted meanwhile
			return math.NaN()
		}
		return moved / seconds
	}
	return math.NaN()
}

// endless is how long rest lasts at a rate; NaN if that is unknown, infinite
// if nothing moves.
func endless(rest, rate float64) float64 {
	switch {
	case math.IsNaN(rate):
		return math.NaN()
	case rate == 0:
		return math.Inf(1)
	}
	return max(0, rest/rate)
}

func sequenceText(s pgvigil.Sequence, rate, left float64) string {
	text := fmt.Sprintf("Sequence %s.%s has come to %s of %s (%s)", s.Schema, s.Name, count(s.Last), count(s.Limit), percent(s.Used()))
	if s.Outgrows {
		text += fmt.Sprintf(", where column %s.%s, %s, ends before the sequence does", s.Table, s.Column, s.Type)
	} else if s.Column != "" {
		text += fmt.Sprintf("; it numbers column %s.%s, %s", s.Table, s.Column, s.Type)
	}
	return text + lasts(left, fmt.Sprintf("%.3g numbers a second", math.Abs(rate)))
}

// lasts ends a sentence with the time that is left.
func lasts(left float64, rate string) string {
	switch {
	case math.IsNaN(left):
		return ". How fast it moves is not known yet."
	case math.IsInf(left, 1):
		return ". It did not move in this window."
	case left < 1:
		return ". It is used up."
	}
	return ". At " + rate + " it ends in " + span(left) + "."
}

func sequenceRemedy(s pgvigil.Sequence) string {
	if s.Column != "" && s.Type != "bigint" {
		return fmt.Sprintf("give %s a new bigint column, fill it in batches, then swap the two in one short transaction; ALTER COLUMN %s TYPE bigint would rewrite the table under an exclusive lock",
			s.Table, ident(s.Column))
	}
	if s.Type != "bigint" {
		return "ALTER SEQUENCE " + quoted(s.Schema, s.Name) + " AS bigint"
	}
	return "ALTER SEQUENCE " + quoted(s.Schema, s.Name) + " NO MAXVALUE, or CYCLE if its numbers may come again"
}

// Servers refuse new transactions this many ids before the counter wraps around.
// Source: PostgreSQL, varsup.c SetTransactionIdLimit (3 million; the same for
// multixact ids, multixact.c SetMultiXactIdLimit).
const (
	wrapAround = 1 << 31
	stopBefore = 3_000_000
)

// Ages from which ids are told of, in multiples of the age at which autovacuum
// is forced to freeze: up to it all is well.
const (
	agedReport = 1.5
	agedTicket = 2.5
	agedPage   = 0.7 // of all ids
	idsNow     = 7 * day
	idsSoon    = 60 * day
)

// idAge is one of the two kinds of ids that run out.
type idAge struct {
	kind    pgvigil.RiskKind
	word    string
	setting string
	forced  float64 // default of the setting
	of      func(*pgvigil.DatabaseStats) int64
	ofTable func(*pgvigil.Table) int64
}

func (j *judge) xids() {
	j.ids(idAge{
		pgvigil.RiskXID, "transaction", "autovacuum_freeze_max_age", 200e6,
		func(s *pgvigil.DatabaseStats) int64 { return s.XIDAge }, func(t *pgvigil.Table) int64 { return t.FrozenXID },
	})
}

func (j *judge) multixacts() {
	j.ids(idAge{
		pgvigil.RiskMultiXact, "multixact", "autovacuum_multixact_freeze_max_age", 400e6,
		func(s *pgvigil.DatabaseStats) int64 { return s.MultiXactAge }, func(t *pgvigil.Table) int64 { return t.MultiXID },
	})
}

// ids tells of the database whose oldest rows are furthest behind.
func (j *judge) ids(k idAge) {
	var worst *pgvigil.DatabaseRead
	for i := range j.Catalog {
		d := &j.Catalog[i]
		if worst == nil || k.of(&d.Stats) > k.of(&worst.Stats) {
			worst = d
		}
	}
	if worst == nil {
		return
	}
	age := float64(k.of(&worst.Stats))
	rest := wrapAround - stopBefore - age
	rate := j.idRate(worst.OID, k)
	left := endless(rest, rate)
	forced := Number(j.Settings, nil, k.setting, k.forced)
	if age < agedReport*forced && !(left < idsNow) {
		return
	}
	r := pgvigil.Risk{
		Kind: k.kind, Severity: pgvigil.ReportOnly, Database: worst.Name, Object: worst.Name,
		Used: age / (wrapAround - stopBefore), LeftSeconds: left, Text: idText(worst, k, age, rate, left) + j.oldestTables(worst, k), Remedy: j.idRemedy(worst, k, age),
	}
	switch {
	case age >= agedPage*wrapAround, left < idsNow:
		r.Severity = pgvigil.Page
	case age >= agedTicket*forced, left < idsSoon:
		r.Severity = pgvigil.Ticket
	}
	j.add(r)
}

// idRate is how many ids a second the server gave out: the growth of a
// database's age wherever it grew. NaN if nothing was measured.
func (j *judge) idRate(oid pgvigil.OID, k idAge) float64 {
	grown, seconds := 0.0, 0.0
	var last *pgvigil.DatabasePoint
	for i := range j.Databases {
		p := &j.Databases[i]
		if p.DBID != oid {
			continue
		}
		if last != nil && k.of(&p.Stats) >= k.of(&last.Stats) {
			grown += float64(k.of(&p.Stats) - k.of(&last.Stats))
			seconds += p.End.Sub(last.End).Seconds()
		}
		last = p
	}
	if seconds < 60 {
		return math.NaN()
	}
	return grown / seconds
}

func idText(d *pgvigil.DatabaseRead, k idAge, age, rate, left float64) string {
	text := fmt.Sprintf("The oldest unfrozen row of database %s is %s %s ids old; the server stops at %s", d.Name, count(age), k.word, count(float64(wrapAround-stopBefore)))
	switch {
	case math.IsNaN(left):
		return text + "."
	case math.IsInf(left, 1):
		return text + "; none was used in this window."
	}
	return text + fmt.Sprintf(", in %s at %.3g a second.", span(left), rate)
}

// oldestTables names the tables that are furthest behind.
func (j *judge) oldestTables(d *pgvigil.DatabaseRead, k idAge) string {
	if !d.Visited {
		return ""
	}
	list := make([]*pgvigil.Table, 0, len(d.Tables))
	for i := range d.Tables {
		list = append(list, &d.Tables[i])
	}
	slices.SortFunc(list, func(a, b *pgvigil.Table) int { return int(min(1, max(-1, k.ofTable(b)-k.ofTable(a)))) })
	text := ""
	for i, t := range list[:min(3, len(list))] {
		if k.ofTable(t) == 0 {
			break
		}
		text += map[bool]string{true: " Furthest behind: ", false: ", "}[i == 0] + fmt.Sprintf("%s.%s (%s)", t.Schema, t.Name, count(k.ofTable(t)))
	}
	if text != "" {
		text += "."
	}
	return text
}

func (j *judge) idRemedy(d *pgvigil.DatabaseRead, k idAge, age float64) string {
	if h, ok := j.oldestHolder(d.Name); ok && k.kind == pgvigil.RiskXID && float64(h.Age) > 0.8*age {
		return "first end what holds it back: " + holderWords(h)
	}
	if k.kind == pgvigil.RiskXID && !Switched(j.Settings, "autovacuum") {
		return "ALTER SYSTEM SET autovacuum = on, then reload"
	}
	return "VACUUM (FREEZE) of the tables that are furthest behind, one after the other"
}
