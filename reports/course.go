package reports

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/outlook"
)

// Course is what a server as a whole did in a window.
type Course struct {
	Counters pgvigil.ServerCounters
	Seconds  float64 // that the counters cover
	// Connections are those of the pass that found most, at PeakAt.
	Connections pgvigil.Connections
	PeakAt      time.Time
	// Transaction is how long the longest open transaction had been open.
	Transaction time.Duration
	// Held is how many transactions began since the oldest one that kept
	// vacuum from removing rows.
	Held int64
	// Lag and LagBytes are the worst of any standby.
	Lag       time.Duration
	LagBytes  pgvigil.Bytes
	Databases []DatabaseWork
}

// DatabaseWork is what one database did in a window.
type DatabaseWork struct {
	DBID pgvigil.OID
	// Stats are sums; gauges are as at the end.
	Stats pgvigil.DatabaseStats
}

// courseOf adds up what a server did.
func courseOf(f outlook.Facts) Course {
	var c Course
	c.Counters, c.Seconds = outlook.Sum(f.Points)
	for i := range f.Points {
		c.take(&f.Points[i])
	}
	at := map[pgvigil.OID]int{}
	for _, p := range f.Databases {
		i, known := at[p.DBID]
		if !known {
			i = len(c.Databases)
			at[p.DBID] = i
			c.Databases = append(c.Databases, DatabaseWork{DBID: p.DBID})
		}
		c.Databases[i].add(p.Stats)
	}
	slices.SortStableFunc(c.Databases, func(a, b DatabaseWork) int {
		return cmp.Compare(b.Stats.Commits+b.Stats.Rollbacks, a.Stats.Commits+a.Stats.Rollbacks)
	})
	return c
}

// take keeps the worst of how the server stood.
func (c *Course) take(p *pgvigil.ServerPoint) {
	s := &p.State
	if s.Connections.Used > c.Connections.Used {
		c.Connections, c.PeakAt = s.Connections, p.End
	}
	for _, t := range s.Transactions {
		c.Transaction = max(c.Transaction, p.End.Sub(t.Since))
	}
	for _, h := range s.Holders {
		if !h.Catalog {
			c.Held = max(c.Held, h.Age)
		}
	}
	c.Lag = max(c.Lag, s.Behind)
	for _, r := range s.Replicas {
		c.Lag, c.LagBytes = max(c.Lag, r.ReplayLag), max(c.LagBytes, r.LagBytes)
	}
}

func (w *DatabaseWork) add(s pgvigil.DatabaseStats) {
	sum := s // gauges as at the end
	sum.Commits += w.Stats.Commits
	sum.Rollbacks += w.Stats.Rollbacks
	sum.BlocksHit += w.Stats.BlocksHit
	sum.BlocksRead += w.Stats.BlocksRead
	sum.TempFiles += w.Stats.TempFiles
	sum.TempBytes += w.Stats.TempBytes
	sum.Deadlocks += w.Stats.Deadlocks
	sum.ActiveMS += w.Stats.ActiveMS
	sum.IdleInTxMS += w.Stats.IdleInTxMS
	w.Stats = sum
}

// courseTable is how one server did.
type courseTable struct {
	Heading   string
	Facts     []fact
	Databases []databaseRow
}

type databaseRow struct {
	Name      string
	Commits   string
	Rollbacks string
	Share     string
	Tone      tone
	Deadlocks string
	DeadTone  tone
	Temp      string
	IdleInTx  string
	Size      string
}

func (l layout) course(s *Server) *courseTable {
	c := &s.Course
	if c.Connections.Used == 0 && c.Seconds == 0 && len(c.Databases) == 0 {
		return nil
	}
	t := &courseTable{Heading: l.heading(s), Facts: slices.Concat(c.checkpoints(), c.io(), l.standing(c))}
	for _, d := range c.Databases[:min(tableRows, len(c.Databases))] {
		t.Databases = append(t.Databases, databaseRowOf(s, d))
	}
	return t
}

// manyRequested is the share of checkpoints from which those that WAL forces
// are worth a doubt.
const manyRequested = 0.3

// checkpoints says what was written, as far as it is known.
func (c *Course) checkpoints() []fact {
	var facts []fact
	n := c.Counters
	if n.Has(pgvigil.CheckpointsTimed, pgvigil.CheckpointsRequested) {
		timed, asked := n[pgvigil.CheckpointsTimed], n[pgvigil.CheckpointsRequested]
		facts = append(facts, fact{
			Label: "Checkpoints", Value: thousands(timed + asked), Note: thousands(asked) + " of them before their time, for want of max_wal_size or on request",
			Tone: badIf(asked > 3 && asked > manyRequested*(timed+asked)),
		})
	}
	if n.Has(pgvigil.ServerWALBytes) && c.Seconds > 0 {
		f := fact{Label: "WAL", Value: byteSize(n[pgvigil.ServerWALBytes]), Note: byteSize(n[pgvigil.ServerWALBytes]/c.Seconds*3600) + " an hour"}
		if records := n[pgvigil.ServerWALRecords]; n.Has(pgvigil.ServerWALFPI) && records > 0 {
			f.Note += "; " + number(n[pgvigil.ServerWALFPI]) + " full-page images in " + number(records) + " records"
		}
		facts = append(facts, f)
	}
	return facts
}

// io says what was read and by whom.
func (c *Course) io() []fact {
	var facts []fact
	n := c.Counters
	if n.Has(pgvigil.IOReadBytes) {
		f := fact{Label: "Read by sessions", Value: byteSize(n[pgvigil.IOReadBytes]), Note: "from outside shared_buffers"}
		if ms, blocks := n[pgvigil.IOReadMS], n[pgvigil.IOReadBytes]/defaultBlockSize; ms > 0 && blocks > 0 {
			f.Note += ", " + millis(ms/blocks) + " for 8 KiB"
		}
		if n.Has(pgvigil.IOVacuumReadBytes) {
			f.Note += "; vacuum read " + byteSize(n[pgvigil.IOVacuumReadBytes])
		}
		facts = append(facts, f)
	}
	if written := n[pgvigil.BackendBuffers] + n[pgvigil.CheckpointBuffers]; n.Has(pgvigil.BackendBuffers, pgvigil.CheckpointBuffers) && written > 0 {
		facts = append(facts, fact{Label: "Written by sessions", Value: percent(n[pgvigil.BackendBuffers] / written), Note: "of the buffers that they or checkpoints wrote"})
	}
	if lookups := n[pgvigil.SubtransLookups] + n[pgvigil.MultiXactLookups]; lookups > 0 {
		facts = append(facts, fact{
			Label: "Lookups of ids", Value: number(lookups),
			Note: number(n[pgvigil.SubtransLookups]) + " of subtransactions, " + number(n[pgvigil.MultiXactLookups]) + " of multixacts",
		})
	}
	return facts
}

// standing says the worst of how the server stood.
func (l layout) standing(c *Course) []fact {
	var facts []fact
	if n := c.Connections; n.Used > 0 {
		f := fact{Label: "Connections at most", Value: thousands(float64(n.Used)), Note: fmt.Sprintf("at %s UTC; %d active, %d idle in a transaction", l.clock.at(c.PeakAt).Text, n.Active, n.IdleInTx)}
		if open := n.Open(); open > 0 {
			f.Value += " of " + thousands(float64(open))
			f.Note += fmt.Sprintf("; %d more are reserved", n.Reserved)
			f.Tone = badIf(n.Used*5 >= open*4)
		}
		facts = append(facts, f)
	}
	if c.Transaction > 0 {
		facts = append(facts, fact{Label: "Longest transaction", Value: length(c.Transaction), Note: "as the passes saw it", Tone: badIf(c.Transaction > time.Hour)})
	}
	if c.Held > 0 {
		facts = append(facts, fact{Label: "Vacuum held back", Value: number(float64(c.Held)), Note: "transactions, at worst"})
	}
	if c.LagBytes > 0 || c.Lag > 0 {
		facts = append(facts, fact{Label: "Standby behind", Value: size(c.LagBytes), Note: "at worst; in time " + millis(c.Lag.Seconds()*1000)})
	}
	return facts
}

func databaseRowOf(s *Server, d DatabaseWork) databaseRow {
	w := d.Stats
	row := databaseRow{
		Name: plain(s.database(d.DBID), maxName), Commits: number(w.Commits), Rollbacks: number(w.Rollbacks), Share: "\u2013",
		Deadlocks: number(w.Deadlocks), DeadTone: badIf(w.Deadlocks > 0), Temp: "\u2013", IdleInTx: millis(w.IdleInTxMS), Size: size(w.SizeBytes),
	}
	if all := w.Commits + w.Rollbacks; all > 0 {
		row.Share = percent(w.Rollbacks / all)
		row.Tone = badIf(w.Rollbacks > 100 && w.Rollbacks > 0.05*all)
	}
	if w.TempFiles > 0 {
		row.Temp = byteSize(w.TempBytes) + " in " + count(int(w.TempFiles), "file", "files")
	}
	return row
}
