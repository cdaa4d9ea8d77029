package outlook

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Slots that keep slotKeeps of WAL while nobody reads them are told of, as are
// those that will be lost within slotSoon.
const (
	slotKeeps = 1 << 30
	slotMuch  = 50 << 30
	slotSoon  = 7 * day
)

// walRate is how many bytes of WAL a second were written in the window, NaN if unknown.
func (j *judge) walRate() float64 {
	all, seconds := Sum(j.Points)
	if !all.Has(pgvigil.ServerWALBytes) || seconds < 60 {
		return math.NaN()
	}
	return all[pgvigil.ServerWALBytes] / seconds
}

// slots tells of replication slots that are lost, will be, or keep WAL for nobody.
func (j *judge) slots() {
	rate := j.walRate()
	for _, s := range j.last.State.Slots {
		r := pgvigil.Risk{Kind: pgvigil.RiskSlot, Object: s.Name, Database: s.Database, Severity: pgvigil.Ticket, Remedy: slotRemedy(s)}
		left := math.NaN()
		if s.Safe >= 0 {
			left = endless(float64(s.Safe), rate)
		}
		switch {
		case s.Status == "lost" || s.Reason != "":
			r.Severity, r.Used = pgvigil.Page, 1
			r.Text = fmt.Sprintf("Replication slot %s is lost%s: its reader has to be built anew.", s.Name, because(s.Reason))
			r.Remedy = "SELECT pg_drop_replication_slot(" + literal(s.Name) + ")"
		case s.Status == "unreserved":
			r.Severity, r.LeftSeconds = pgvigil.Page, 1
			r.Text = fmt.Sprintf("Replication slot %s keeps %s of WAL, more than max_slot_wal_keep_size: it is lost with the next checkpoint.", s.Name, size(s.Retained))
		case left < slotSoon && !s.Active:
			r.Severity, r.LeftSeconds = pgvigil.Page, left
			r.Text = fmt.Sprintf("Replication slot %s has no reader%s and keeps %s of WAL; at %s of WAL an hour it is lost in %s.", s.Name, since(s.InactiveSince), size(s.Retained), size(pgvigil.Bytes(rate*hour)), span(left))
		case !s.Active && s.Retained >= slotKeeps:
			r.Text = fmt.Sprintf("Replication slot %s has no reader%s and keeps %s of WAL%s.", s.Name, since(s.InactiveSince), size(s.Retained), grows(rate))
		case s.Active && s.Retained >= slotMuch:
			r.Text = fmt.Sprintf("The reader of replication slot %s is behind: %s of WAL are kept for it.", s.Name, size(s.Retained))
			r.Remedy = "see why the reader does not keep up; max_slot_wal_keep_size bounds what may be kept"
		default:
			continue
		}
		if s.Retained >= slotMuch {
			r.Severity = pgvigil.Page
		}
		j.add(r)
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.Format("2006-01-02 15:04 UTC")
}

func grows(rate float64) string {
	if !(rate > 0) {
		return ""
	}
	return ", " + size(pgvigil.Bytes(rate*hour)) + " more every hour, until the disk is full"
}

func slotRemedy(s pgvigil.Slot) string {
	return "if nobody will read it again: SELECT pg_drop_replication_slot(" + literal(s.Name) + ")"
}

// Holders are told of when they began heldFor ago, or hold back heldIDs.
const (
	heldFor = hour
	heldIDs = 10_000_000
)

// holders tells of the one that holds back vacuum longest.
func (j *judge) holders() {
	for _, h := range j.last.State.Holders {
		age := 0.0
		if !h.Since.IsZero() {
			age = j.last.End.Sub(h.Since).Seconds()
		}
		if h.Catalog || age < heldFor && h.Age < heldIDs {
			continue
		}
		text := capital(holderWords(h)) + " keeps vacuum from removing what was deleted "
		if age > 0 {
			text += "in the last " + span(age)
		} else {
			text += "since it began"
		}
		r := pgvigil.Risk{
			Kind: pgvigil.RiskHeldBack, Severity: pgvigil.Ticket, Database: h.Database, Object: h.Name,
			Text: fmt.Sprintf("%s; %s transactions began meanwhile.", text, count(h.Age)), Remedy: holderRemedy(h),
		}
		if h.Kind == pgvigil.HeldByPrepared && age > 24*hour || h.Age >= 10*heldIDs {
			r.Severity = pgvigil.Page
		}
		j.add(r)
		return // the others hold back less
	}
}

// oldestHolder returns what holds back vacuum in a database most; sessions and
// prepared transactions hold back their own only.
func (j *judge) oldestHolder(database string) (pgvigil.Holder, bool) {
	return OldestHolder(j.last.State, database)
}

// OldestHolder returns what keeps most dead rows of a database's tables from
// being removed; false if nothing does.
func OldestHolder(s pgvigil.ServerState, database string) (pgvigil.Holder, bool) {
	i := slices.IndexFunc(s.Holders, func(h pgvigil.Holder) bool {
		return !h.Catalog && (h.Database == "" || h.Database == database)
	})
	if i < 0 {
		return pgvigil.Holder{}, false
	}
	return s.Holders[i], true
}

func holderWords(h pgvigil.Holder) string {
	switch h.Kind {
	case pgvigil.HeldBySession:
		return "the transaction of process " + h.Name + " (" + h.State + ")"
	case pgvigil.HeldByStandby:
		return "a query on standby " + h.Name + ", by its feedback,"
	}
	return string(h.Kind) + " " + h.Name
}

func holderRemedy(h pgvigil.Holder) string {
	switch h.Kind {
	case pgvigil.HeldBySession:
		return "SELECT pg_terminate_backend(" + h.Name + "), and bound such transactions by idle_in_transaction_session_timeout"
	case pgvigil.HeldByPrepared:
		return "find its gid in pg_prepared_xacts and ask its owner, then ROLLBACK PREPARED"
	case pgvigil.HeldByStandby:
		return "end the old query on the standby, or bound it there by max_standby_streaming_delay with hot_standby_feedback off"
	}
	return "let its reader catch up; if nobody will read it again: SELECT pg_drop_replication_slot(" + literal(h.Name) + ")"
}

func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// Connections are told of from connectionsNear of those open to ordinary roles.
const (
	connectionsNear = 0.8
	connectionsFull = 0.95
)

// connections tells of the most that were used at a time.
func (j *judge) connections() {
	var most pgvigil.ServerPoint
	for _, p := range j.Points {
		if p.State.Connections.Used > most.State.Connections.Used {
			most = p
		}
	}
	c := most.State.Connections
	used := float64(c.Used) / float64(max(1, c.Open()))
	if c.Open() == 0 || used < connectionsNear {
		return
	}
	r := pgvigil.Risk{
		Kind: pgvigil.RiskConnections, Severity: pgvigil.Ticket, Object: "max_connections", Used: min(1, used),
		Text: fmt.Sprintf("%d of %d connections that are open to ordinary roles (max_connections %d less %d reserved) were used at %s: %d active, %d idle in a transaction.",
			c.Used, c.Open(), c.Limit, c.Reserved, most.End.Format("2006-01-02 15:04 UTC"), c.Active, c.IdleInTx),
		Remedy: "a pooler in transaction mode before the server, or fewer connections in the applications' pools; raising max_connections costs memory and a restart",
	}
	if used >= connectionsFull {
		r.Severity = pgvigil.Page
	}
	j.add(r)
}

// Standbys are told of when they are lagTime or lagBytes behind.
const (
	lagTime  = 5 * time.Minute
	lagBytes = 1 << 30
)

// lag tells of standbys that are behind.
func (j *judge) lag() {
	for _, s := range j.last.State.Replicas {
		if s.ReplayLag < lagTime && s.LagBytes < lagBytes {
			continue
		}
		j.add(pgvigil.Risk{
			Kind: pgvigil.RiskLag, Severity: pgvigil.Ticket, Object: s.Application,
			Text:   fmt.Sprintf("Standby %s (%s, %s) is %s of WAL behind, and %s in time.", s.Application, s.State, s.SyncState, size(s.LagBytes), span(s.ReplayLag.Seconds())),
			Remedy: "see on the standby whether its disk, its network or a query that replay waits for is the reason",
		})
	}
	if b := j.last.State.Behind; b >= lagTime {
		j.add(pgvigil.Risk{
			Kind: pgvigil.RiskLag, Severity: pgvigil.Ticket, Object: "replay",
			Text:   fmt.Sprintf("This standby has yet to replay what it received %s ago.", span(b.Seconds())),
			Remedy: "see whether a long query holds replay back (pg_stat_database_conflicts, max_standby_streaming_delay)",
		})
	}
}
