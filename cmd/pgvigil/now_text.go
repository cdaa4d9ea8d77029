package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// How much of a situation fits on a screen.
const (
	mostRunning = 12
	mostBlocked = 12 // of one blocker
	mostChanged = 12
	queryWidth  = 100
)

// printSituation prints a situation for people, the next command last: that is
// where the eye ends up.
func printSituation(u *ui, s *situation) {
	u.print("%s, %s UTC: PostgreSQL %s, %s, up %s", s.Target, s.At.UTC().Format(time.DateTime), s.Version, s.Role, lasting(s.At.Sub(s.Started).Seconds()))
	if s.Source == "history" {
		u.print("  THE SERVER GAVE NO CONNECTION; this is the last sample of the history")
	}
	if c := s.Connections; c != nil {
		u.print("  %d of %d connections: %d active, %d idle in transaction, %d waiting for locks; %d are reserved", c.Used, c.Limit, c.Active, c.IdleInTx, c.Waiting, c.Reserved)
	}
	printRunning(u, s)
	printBlocking(u, s)
	printMaintenance(u, s)
	printChanged(u, s)
	for _, w := range s.Warnings {
		u.print("note: %s", oneLine(w.Text, 300))
		if w.Remedy != "" {
			u.print("      %s", oneLine(w.Remedy, 300))
		}
	}
	printNext(u, s)
}

func printRunning(u *ui, s *situation) {
	u.print("\nRUNNING, longest first")
	if len(s.Running) == 0 {
		u.print("  nothing")
		return
	}
	t := tabwriter.NewWriter(u.out, 0, 4, 2, ' ', 0)
	for _, x := range s.Running[:min(mostRunning, len(s.Running))] {
		fmt.Fprintf(t, "  %d\t%s\t%s\t%s\t%s\t%s\n", x.PID, lasting(max(x.Seconds, x.Transaction)), stateWords(x), oneLine(x.Application, 24), oneLine(x.Database, 24), oneLine(x.Query, queryWidth))
	}
	_ = t.Flush() // to where everything else goes
	if rest := len(s.Running) - mostRunning; rest > 0 {
		u.print("  and %d more", rest)
	}
}

// stateWords is what a session does, with what it waits for.
func stateWords(x sessionObject) string {
	state := x.State
	if state == "" {
		state = "hidden"
	}
	if x.Wait != "" && x.State == "active" {
		return state + ", " + oneLine(x.Wait, 40)
	}
	return oneLine(state, 40)
}

func printBlocking(u *ui, s *situation) {
	u.print("\nWHO BLOCKS WHOM")
	if len(s.Blocking) == 0 {
		u.print("  nobody waits for a lock")
	}
	for _, b := range s.Blocking {
		printBlocker(u, b, 1)
	}
}

func printBlocker(u *ui, b blockerObject, depth int) {
	indent := strings.Repeat("  ", min(depth, 20))
	line := fmt.Sprintf("%s%d %s for %s", indent, b.PID, stateWords(b.sessionObject), lasting(b.Seconds))
	if b.PID == 0 {
		line = indent + "a prepared transaction"
	}
	if w := b.WaitsFor; w != nil {
		line = fmt.Sprintf("%s%d waits %s for %s%s", indent, b.PID, lasting(w.Seconds), w.Mode, onRelation(w.Relation))
	}
	if b.HoldsUp > 0 {
		line += fmt.Sprintf(", holds up %d", b.HoldsUp)
	}
	if b.Application != "" {
		line += ", " + oneLine(b.Application, 24)
	}
	if b.Query != "" {
		line += ": " + oneLine(b.Query, queryWidth)
	}
	u.print("%s", line)
	for _, w := range b.Blocks[:min(mostBlocked, len(b.Blocks))] {
		printBlocker(u, w, depth+1)
	}
	if rest := len(b.Blocks) - mostBlocked; rest > 0 {
		u.print("%s  and %d more", indent, rest)
	}
}

func printMaintenance(u *ui, s *situation) {
	u.print("\nDDL AND MAINTENANCE UNDER WAY")
	if len(s.Maintenance) == 0 {
		u.print("  nothing")
	}
	for _, m := range s.Maintenance {
		line := fmt.Sprintf("  %d %s%s, %s", m.PID, oneLine(m.Kind, queryWidth), onRelation(m.Relation), oneLine(m.Phase, 60))
		if m.Done != nil {
			line += fmt.Sprintf(", %.0f %% of it", 100**m.Done)
		}
		if m.Auto {
			line += ", autovacuum"
		}
		u.print("%s, for %s", line, lasting(m.Seconds))
	}
}

func printChanged(u *ui, s *situation) {
	u.print("\nCHANGED IN THE LAST HOUR")
	if len(s.Changed) == 0 {
		u.print("  nothing that is known")
	}
	list := s.Changed[max(0, len(s.Changed)-mostChanged):]
	for _, e := range list {
		line := fmt.Sprintf("  %s %s %s", e.At.UTC().Format(time.TimeOnly), e.Kind, e.Object)
		if e.Before != "" || e.After != "" {
			line += fmt.Sprintf(": %s -> %s", e.Before, e.After)
		}
		u.print("  %s", oneLine(line, 160))
	}
}

func printNext(u *ui, s *situation) {
	u.print("\nNEXT")
	if s.Next == nil {
		u.print("  nobody waits for a lock, and connections are free: no command is safer than none")
		return
	}
	printStep(u, *s.Next, "")
	for _, st := range s.Or {
		printStep(u, st, "or: ")
	}
}

func printStep(u *ui, s step, prefix string) {
	u.print("  %s%s", prefix, s.Command)
	u.print("      %s; %s", s.Effect, s.Lock)
	u.print("      because %s", s.Why)
	u.print("      risk: %s", s.Risk)
}
