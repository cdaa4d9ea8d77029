package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
)

// step is a command that somebody may run next. pgvigil itself runs none.
type step struct {
	Command string `json:"command"`
	Effect  string `json:"effect"` // what it does, and what to
	Lock    string `json:"lock"`   // that it takes
	Risk    string `json:"risk"`
	Why     string `json:"why"`
}

// noLock is what signals take: they are sent to a process, not to a table.
const noLock = "takes no lock"

// When sessions are worth ending though nobody waits for them.
const (
	idleTooLong = 5 * time.Minute // in a transaction
	nearlyFull  = 0.9             // of the connections for ordinary roles
)

// nextSteps returns what may be done, the safest first; nil when nothing is
// wrong that a command would mend.
func nextSteps(s *collector.Scene) []step {
	q := queueOf(s)
	steps := cancelQueue(s, q)
	for _, root := range q.roots() {
		if len(steps) == mostSteps {
			break
		}
		steps = append(steps, endBlocker(s, q, root))
	}
	if len(steps) == 0 {
		steps = endIdle(s)
	}
	return steps
}

// mostSteps bounds how many commands are shown: the first is the one that counts.
const mostSteps = 4

// cancelQueue has a statement cancelled that itself waits for a lock and holds up
// most of the others, as a DDL statement does behind a long query: it has
// changed nothing yet, and those behind it go on at once.
func cancelQueue(s *collector.Scene, q queue) []step {
	best, most := pgvigil.Session{}, 0
	for _, x := range s.Sessions {
		if n := len(q.freed(x.PID)); len(q.blockers[x.PID]) > 0 && n > most {
			best, most = x, n
		}
	}
	if others := len(q.blockers) - 1; most == 0 || 2*most < others {
		return nil
	}
	w := waitOf(s, best.PID)
	return []step{{
		Command: fmt.Sprintf("SELECT pg_cancel_backend(%d);", best.PID),
		Effect:  fmt.Sprintf("cancels the statement of process %d (%s) while it waits, keeps its connection", best.PID, whoIs(best)),
		Lock:    noLock,
		Risk:    "its client gets an error, and a transaction around it is rolled back; it has changed nothing while it waited. Run it again with SET lock_timeout = '2s'",
		Why:     fmt.Sprintf("it waits for %s%s, and %s behind it", w.Mode, onRelation(w.Relation), waits(most)),
	}}
}

// endBlocker has the statement cancelled that is the root of a queue, or, where
// there is none to cancel, the connection ended.
func endBlocker(s *collector.Scene, q queue, pid int) step {
	why := waits(len(q.behind(pid))) + " for it"
	if pid == 0 {
		return step{
			Command: "SELECT gid, owner, database, prepared FROM pg_prepared_xacts ORDER BY prepared;",
			Effect:  "shows the prepared transactions, one of which holds the lock; ROLLBACK PREPARED or COMMIT PREPARED ends it",
			Lock:    noLock, Why: why,
			Risk: "none to look; only the program that prepared it knows whether it was to be committed",
		}
	}
	i := slices.IndexFunc(s.Sessions, func(x pgvigil.Session) bool { return x.PID == pid })
	if i < 0 {
		return step{
			Command: fmt.Sprintf("SELECT * FROM pg_stat_activity WHERE pid = %d;", pid),
			Effect:  "shows the process, which is no session of a client", Lock: noLock, Risk: "none", Why: why,
		}
	}
	x := s.Sessions[i]
	if x.BackendType == "autovacuum worker" {
		return cancelVacuum(x, why)
	}
	if strings.HasPrefix(x.State, "idle") {
		return terminate(s, x, why)
	}
	return step{
		Command: fmt.Sprintf("SELECT pg_cancel_backend(%d);", pid),
		Effect:  fmt.Sprintf("cancels the statement of process %d (%s), keeps its connection", pid, whoIs(x)),
		Lock:    noLock, Why: why,
		Risk: "its client gets an error, and what its transaction did so far is rolled back",
	}
}

func cancelVacuum(x pgvigil.Session, why string) step {
	st := step{
		Command: fmt.Sprintf("SELECT pg_cancel_backend(%d);", x.PID),
		Effect:  fmt.Sprintf("stops autovacuum process %d", x.PID), Lock: noLock, Why: why,
		Risk: "it starts again later, from the beginning",
	}
	if strings.Contains(x.Query, "to prevent wraparound") {
		st.Risk += "; it has to finish once: it keeps transaction numbers from running out"
	}
	return st
}

// terminate ends a connection that has no statement to cancel.
func terminate(s *collector.Scene, x pgvigil.Session, why string) step {
	st := step{
		Command: fmt.Sprintf("SELECT pg_terminate_backend(%d);", x.PID),
		Effect:  fmt.Sprintf("ends the connection of process %d (%s), which has been %s for %s", x.PID, whoIs(x), x.State, ago(s.At, x.StateChange)),
		Lock:    noLock, Why: why,
		Risk: "its transaction is rolled back, and its client has to connect again; cancelling would do nothing, for it runs no statement",
	}
	if x.XactStart.IsZero() {
		st.Risk = "its client has to connect again; it is in no transaction"
	}
	return st
}

// endIdle has a session ended that does nothing and yet costs: one that keeps a
// transaction open, or, when connections run out, the one that is idle longest.
func endIdle(s *collector.Scene) []step {
	var open, idle []pgvigil.Session
	for _, x := range s.Sessions {
		switch {
		case x.BackendType != "client backend" && x.BackendType != "":
		case strings.HasPrefix(x.State, "idle in transaction"):
			open = append(open, x)
		case x.State == "idle":
			idle = append(idle, x)
		}
	}
	byChange := func(a, b pgvigil.Session) int {
		return cmp.Or(a.StateChange.Compare(b.StateChange), cmp.Compare(a.PID, b.PID))
	}
	slices.SortFunc(open, byChange)
	slices.SortFunc(idle, byChange)
	full := float64(s.Connections.Used) >= nearlyFull*float64(max(1, s.Connections.Open()))
	var steps []step
	if len(open) > 0 && (full || s.At.Sub(open[0].StateChange) >= idleTooLong) {
		steps = append(steps, terminate(s, open[0], "its transaction keeps dead rows from being removed, and whatever it has locked"))
	}
	if full && len(idle) > 0 {
		why := fmt.Sprintf("%d of %d connections for ordinary roles are used; it frees one", s.Connections.Used, s.Connections.Open())
		steps = append([]step{terminate(s, idle[0], why)}, steps...)
	}
	return steps
}

func waits(n int) string {
	if n == 1 {
		return "1 session waits"
	}
	return fmt.Sprintf("%d sessions wait", n)
}

func onRelation(name string) string {
	if name == "" {
		return ""
	}
	return " on " + oneLine(name, 130)
}

// whoIs names a session by what its client calls itself.
func whoIs(x pgvigil.Session) string {
	if x.Application == "" {
		return "no application name"
	}
	return oneLine(x.Application, 60)
}

// ago is how long ago something was, in words.
func ago(now, then time.Time) string {
	if then.IsZero() {
		return "an unknown time"
	}
	return lasting(now.Sub(then).Seconds())
}

// lasting is a number of seconds in words.
func lasting(seconds float64) string {
	switch s := max(0, seconds); {
	case s < 100:
		return fmt.Sprintf("%.0f s", s)
	case s < 100*60:
		return fmt.Sprintf("%.0f min", s/60)
	case s < 48*3600:
		return fmt.Sprintf("%.1f h", s/3600)
	default:
		return fmt.Sprintf("%.0f days", s/86400)
	}
}
