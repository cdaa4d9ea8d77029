package collector

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pgvigil/pgvigil"
)

// What asking for plans may cost a server.
const (
	// planOne bounds one plan: as long as it is made, an ALTER TABLE waits.
	planOne = 250 * time.Millisecond
	// planPass and planDay bound the time that servers spend on all of a pass
	// and of 24 hours, as seen from here: the network is in it.
	planPass = 500 * time.Millisecond
	planDay  = 30 * time.Second
	// planFailures bounds the requests of 24 hours that the server refuses: each
	// is an error in its log.
	planFailures = 10
	// planShare is the part of pg_stat_statements.max that requests may take in
	// 24 hours as new entries.
	planShare = 0.01
	// retryRefused is how soon to ask again for a plan that the server refused.
	retryRefused = 7 * day
	// forgetAsked is how long a request is remembered.
	forgetAsked = 30 * day
	day         = 24 * time.Hour
)

// planNote is the name of the ledger among the notes.
const planNote = "plans"

// ledger is what was spent on plans, and what was asked for when.
type ledger struct {
	Since    time.Time // of the sums
	Entries  int
	Spent    time.Duration
	Failures int
	Asked    map[string]asked // by database and fingerprint
}

// asked is the last request for a plan.
type asked struct {
	At time.Time
	// Sent says that the server was asked, which left an entry there.
	Sent bool
	Code string // of the refusal
}

func readLedger(note []byte) *ledger {
	l := &ledger{}
	if err := json.Unmarshal(note, l); err != nil || l.Asked == nil {
		l.Asked = map[string]asked{} // nothing noted yet, or unreadable: begin anew
	}
	return l
}

func (l *ledger) note() []byte {
	b, err := json.Marshal(l)
	if err != nil {
		return nil // numbers, times and strings: it cannot fail
	}
	return b
}

// open begins a new day where the last is over, and forgets what is old.
func (l *ledger) open(now time.Time) {
	if now.Sub(l.Since) >= day || now.Before(l.Since) {
		*l = ledger{Since: now, Asked: l.Asked}
	}
	for key, a := range l.Asked {
		if now.Sub(a.At) > forgetAsked || a.At.After(now) {
			delete(l.Asked, key)
		}
	}
}

func askedKey(dbid pgvigil.OID, f pgvigil.Fingerprint) string {
	return fmt.Sprintf("%d/%s", dbid, f)
}

// due says whether a plan is wanted that is newer than the last one.
func (l *ledger) due(w *PlanWish, now time.Time) bool {
	a, ok := l.Asked[askedKey(w.DBID, w.Query.Fingerprint)]
	switch {
	case !ok:
		return true
	case a.Code == pgvigil.RefusedServer || a.Code == pgvigil.RefusedTypes && a.Sent:
		return now.Sub(a.At) >= retryRefused
	case a.Code != "":
		return now.Sub(a.At) >= day
	}
	return a.At.Before(w.Since)
}

// exhausted says which budget of the day is spent, "" if none is. limit is how
// many new entries the day may bring, 0 for any number.
func (l *ledger) exhausted(w *PlanWish, entries, limit int) string {
	switch {
	case l.Spent >= planDay:
		return fmt.Sprintf("plans took %s of today's %s", l.Spent.Round(time.Millisecond), planDay)
	case l.Failures >= planFailures:
		return fmt.Sprintf("the server refused %d plans today", l.Failures)
	case limit > 0 && !l.Asked[askedKey(w.DBID, w.Query.Fingerprint)].Sent && l.Entries+entries > limit:
		return fmt.Sprintf("plans made %d of today's %d new entries of pg_stat_statements", l.Entries, limit)
	}
	return ""
}

// book notes a request and what it cost.
func (l *ledger) book(w *PlanWish, p *pgvigil.Plan, r request) {
	key := askedKey(w.DBID, w.Query.Fingerprint)
	if r.sent && !l.Asked[key].Sent {
		l.Entries += r.entries
	}
	l.Spent += r.took
	if r.failed {
		l.Failures++
	}
	l.Asked[key] = asked{At: r.at, Sent: r.sent || l.Asked[key].Sent, Code: p.Refused.Code}
}

// request is what asking for one plan came to.
type request struct {
	at      time.Time
	took    time.Duration
	sent    bool // EXPLAIN was sent
	failed  bool // and the server refused it
	entries int  // that it may have made
}
