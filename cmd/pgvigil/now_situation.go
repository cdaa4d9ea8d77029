package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
)

// situation is what pgvigil now prints; scripts rely on its names. What is not
// known is null or left out.
type situation struct {
	Target string `json:"target"`
	// Source is "server", or "history" when the server gave no connection.
	Source      string             `json:"source"`
	At          time.Time          `json:"at"`
	Version     string             `json:"version"`
	Role        string             `json:"role"` // primary or standby
	Started     time.Time          `json:"started"`
	Connections *connectionsObject `json:"connections"`
	// Running are the sessions with a statement or transaction, longest first.
	Running []sessionObject `json:"running"`
	// Blocking are the sessions that others wait for and that wait for nobody,
	// with those that they block.
	Blocking    []blockerObject     `json:"blocking"`
	Maintenance []maintenanceObject `json:"maintenance"`
	// Changed is what the server says of itself, and what the history saw of the
	// last hour.
	Changed  []eventObject   `json:"changed"`
	Next     *step           `json:"next"`
	Or       []step          `json:"or"`
	Warnings []warningObject `json:"warnings"`
}

type connectionsObject struct {
	Used     int `json:"used"`
	Active   int `json:"active"`
	IdleInTx int `json:"idle_in_transaction"`
	Waiting  int `json:"waiting_for_locks"`
	Limit    int `json:"limit"`
	Reserved int `json:"reserved"`
}

type sessionObject struct {
	PID         int    `json:"pid"`
	User        string `json:"user"`
	Database    string `json:"database"`
	Application string `json:"application"`
	Backend     string `json:"backend"`
	State       string `json:"state"`
	// Seconds is how long its statement runs or, when it is idle in a
	// transaction, has been so.
	Seconds     float64 `json:"seconds"`
	Transaction float64 `json:"transaction_seconds"` // 0 for none
	Wait        string  `json:"wait"`
	Query       string  `json:"query"`
}

type blockerObject struct {
	sessionObject
	WaitsFor *lockObject `json:"waits_for"`
	// HoldsUp is how many wait for it, directly or behind one another.
	HoldsUp int             `json:"holds_up"`
	Blocks  []blockerObject `json:"blocks"`
}

type lockObject struct {
	Mode     string  `json:"mode"`
	Type     string  `json:"type"`
	Relation string  `json:"relation"`
	Seconds  float64 `json:"seconds"`
}

type maintenanceObject struct {
	Kind     string   `json:"kind"`
	PID      int      `json:"pid"`
	Relation string   `json:"relation"`
	Phase    string   `json:"phase"`
	Done     *float64 `json:"done"` // share in [0, 1]
	Auto     bool     `json:"auto"`
	Seconds  float64  `json:"seconds"`
}

type warningObject struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Remedy string `json:"remedy"`
}

// situationOf puts a scene in order.
func situationOf(s *collector.Scene) *situation {
	c := s.Connections
	sit := &situation{
		Target: s.Server.Target, Source: "server", At: s.At, Version: s.Server.Version.String(), Role: roleOf(s.Server), Started: s.Server.PostmasterStart,
		Connections: &connectionsObject{Used: c.Used, Active: c.Active, IdleInTx: c.IdleInTx, Limit: c.Limit, Reserved: c.Reserved},
		Running:     []sessionObject{}, Maintenance: []maintenanceObject{}, Or: []step{}, Warnings: []warningObject{},
	}
	for _, x := range s.Sessions {
		if x.WaitType == "Lock" {
			sit.Connections.Waiting++
		}
		if o := sessionOf(s, x); x.State != "idle" && (o.Seconds > 0 || o.Transaction > 0) {
			sit.Running = append(sit.Running, o)
		}
	}
	slices.SortStableFunc(sit.Running, func(a, b sessionObject) int {
		return cmp.Compare(max(b.Seconds, b.Transaction), max(a.Seconds, a.Transaction))
	})
	sit.Blocking = blockingTree(s)
	sit.Maintenance = maintenanceOf(s)
	sit.Changed = ownEvents(s)
	for _, w := range s.Warnings {
		sit.Warnings = append(sit.Warnings, warningObject(w))
	}
	steps := nextSteps(s)
	if len(steps) > 0 {
		sit.Next, sit.Or = &steps[0], append(sit.Or, steps[1:]...)
	}
	return sit
}

// ownEvents is what a server tells of its last hour without a history.
func ownEvents(s *collector.Scene) []eventObject {
	list := []eventObject{}
	if t := s.Server.PostmasterStart; s.At.Sub(t) < lastHour {
		list = append(list, eventObject{At: t, Kind: string(pgvigil.EventRestart), Object: s.Server.Version.String(), Source: "server"})
	}
	// Starting reads the configuration, too.
	if t := s.Reloaded; s.At.Sub(t) < lastHour && t.Sub(s.Server.PostmasterStart) > time.Second {
		list = append(list, eventObject{At: t, Kind: "configuration reloaded", Source: "server"})
	}
	return list
}

func roleOf(s pgvigil.Server) string {
	if s.InRecovery {
		return "standby"
	}
	return "primary"
}

func sessionOf(s *collector.Scene, x pgvigil.Session) sessionObject {
	o := sessionObject{
		PID: x.PID, User: x.User, Database: s.Databases[x.DBID], Application: x.Application,
		Backend: x.BackendType, State: x.State, Query: x.Query,
	}
	if x.WaitType != "" {
		o.Wait = x.WaitType + ": " + x.WaitEvent
	}
	began := x.QueryStart
	if strings.HasPrefix(x.State, "idle") {
		began = x.StateChange
	}
	o.Seconds, o.Transaction = secondsSince(s.At, began), secondsSince(s.At, x.XactStart)
	return o
}

// secondsSince is 0 for a zero time, and never negative.
func secondsSince(now, then time.Time) float64 {
	if then.IsZero() {
		return 0
	}
	return max(0, now.Sub(then).Seconds())
}

// definitions are the first words of statements that change definitions or
// maintain tables; what of them has progress of its own is listed by that.
var definitions = []string{"ALTER", "ANALYZE", "CLUSTER", "CREATE", "DROP", "LOCK", "REFRESH", "REINDEX", "TRUNCATE", "VACUUM"}

// maintenanceOf lists maintenance and DDL under way, longest first.
func maintenanceOf(s *collector.Scene) []maintenanceObject {
	list := []maintenanceObject{}
	listed := map[int]bool{}
	for _, g := range s.Progress {
		m := maintenanceObject{Kind: g.Kind, PID: g.PID, Relation: g.Name, Phase: g.Phase, Auto: g.Auto, Seconds: secondsSince(s.At, g.Since)}
		if g.Total > 0 {
			m.Done = finite(min(1, g.Done/g.Total))
		}
		list = append(list, m)
		listed[g.PID] = true
	}
	for _, x := range s.Sessions {
		word, _, _ := strings.Cut(strings.TrimSpace(x.Query), " ")
		if x.State != "active" || listed[x.PID] || !slices.Contains(definitions, strings.ToUpper(word)) {
			continue
		}
		m := maintenanceObject{Kind: oneLine(x.Query, 200), PID: x.PID, Phase: "running", Seconds: secondsSince(s.At, x.QueryStart)}
		if w := waitOf(s, x.PID); w != nil {
			m.Phase, m.Relation = "waiting for a lock", w.Relation
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b maintenanceObject) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return list
}

// waitOf is the lock that a session waits for, nil for none.
func waitOf(s *collector.Scene, pid int) *lockObject {
	for _, w := range s.Locks {
		if w.Waiter == pid {
			return &lockObject{w.Mode, w.LockType, w.Relation, secondsSince(s.At, w.Since)}
		}
	}
	return nil
}
