package interval

import (
	"github.com/pgvigil/pgvigil"
)

// DatabaseMetric is one counter of DatabaseStats: its name in the history and
// where it is. Gauges are not among them.
type DatabaseMetric struct {
	Name string
	Of   func(*pgvigil.DatabaseStats) *float64
}

// DatabaseMetrics are the counters of DatabaseStats.
var DatabaseMetrics = []DatabaseMetric{
	{"commits", func(s *pgvigil.DatabaseStats) *float64 { return &s.Commits }},
	{"rollbacks", func(s *pgvigil.DatabaseStats) *float64 { return &s.Rollbacks }},
	{"blocks_hit", func(s *pgvigil.DatabaseStats) *float64 { return &s.BlocksHit }},
	{"blocks_read", func(s *pgvigil.DatabaseStats) *float64 { return &s.BlocksRead }},
	{"temp_files", func(s *pgvigil.DatabaseStats) *float64 { return &s.TempFiles }},
	{"temp_bytes", func(s *pgvigil.DatabaseStats) *float64 { return &s.TempBytes }},
	{"deadlocks", func(s *pgvigil.DatabaseStats) *float64 { return &s.Deadlocks }},
	{"active_ms", func(s *pgvigil.DatabaseStats) *float64 { return &s.ActiveMS }},
	{"idle_in_tx_ms", func(s *pgvigil.DatabaseStats) *float64 { return &s.IdleInTxMS }},
}

// databases compares each database with what is remembered of it. One that was
// not there before makes no point: it may have been out of sight.
func (d *differ) databases() {
	if d.lineage == first || d.lineage == other {
		d.incarnation(pgvigil.OfTables, d.snap.Server.PostmasterStart, map[bool]string{true: pgvigil.FirstRead, false: "another postmaster"}[d.lineage == first])
	}
	for i := range d.snap.Databases {
		read := &d.snap.Databases[i]
		was := d.prev.database(read.OID)
		d.next.Databases = append(d.next.Databases, d.remember(was, read))
		if was != nil {
			d.compareDatabase(was, read)
		}
	}
}

// compareDatabase compares counters, unless they are of another postmaster or of
// statistics that were put back, and the catalog in any case.
func (d *differ) compareDatabase(was *Database, read *pgvigil.DatabaseRead) {
	visited := read.Visited && !was.Visited.At.IsZero()
	if d.lineage != other && !d.putBack(was, read) {
		reset := d.database(was, read)
		if visited {
			d.relations(was, read, reset)
		}
	}
	if visited {
		d.catalog(&was.Read, read)
	}
}

// putBack says that the server came up with statistics of another time: their
// reset is another one, and not of this interval.
func (d *differ) putBack(was *Database, read *pgvigil.DatabaseRead) bool {
	before, after := was.Read.Stats.Reset, read.Stats.Reset
	return d.lineage == restarted && !after.IsZero() && !after.Equal(before) && !after.After(was.Seen.At)
}

// remember returns what to know of a database at the next snapshot: one that
// this pass did not visit keeps the tables of the last visit.
func (d *differ) remember(was *Database, read *pgvigil.DatabaseRead) Database {
	now := Moment{d.snap.At, d.snap.Clock}
	next := Database{Read: *read, Seen: now, Visited: now}
	if read.Visited {
		return next
	}
	next.Visited = Moment{}
	if was != nil {
		next.Visited, next.Gap = was.Visited, was.Gap || d.step.Coverage.Missed > 0
		next.Read.Visited = was.Read.Visited
		next.Read.Tables, next.Read.Indexes, next.Read.Constraints = was.Read.Tables, was.Read.Indexes, was.Read.Constraints
	}
	return next
}

// database adds the point of one database and says whether its counters, and
// with them those of its tables, went back to zero.
func (d *differ) database(was *Database, read *pgvigil.DatabaseRead) (reset bool) {
	sp := d.spanFrom(was.Seen)
	d.databaseSpan = sp
	moved := !was.Read.Stats.Reset.Equal(read.Stats.Reset)
	shrank := false
	for _, m := range DatabaseMetrics {
		shrank = shrank || *m.Of(&read.Stats) < *m.Of(&was.Read.Stats)
	}
	p := pgvigil.DatabasePoint{Start: sp.start, End: sp.end, DBID: read.OID, Stats: read.Stats}
	if moved || shrank {
		d.resetDatabase(read, map[bool]string{true: "stats_reset moved", false: "counters shrank"}[moved])
		p.Start = sp.since(read.Stats.Reset).start
	} else {
		for _, m := range DatabaseMetrics {
			*m.Of(&p.Stats) -= *m.Of(&was.Read.Stats)
		}
	}
	d.step.Databases = append(d.step.Databases, p)
	return moved || shrank
}

// resetDatabase notes that the counters of a database and its tables began anew.
func (d *differ) resetDatabase(read *pgvigil.DatabaseRead, proof string) {
	d.databaseReset = true
	d.incarnation(pgvigil.OfTables, read.Stats.Reset, read.Name+": "+proof)
	e := pgvigil.Event{Kind: pgvigil.EventReset, DBID: read.OID, Object: "tables of " + read.Name, Source: "counters"}
	if read.Stats.Reset.After(d.prev.Last.At) {
		e.At = read.Stats.Reset
	}
	d.event(e)
}
