package interval

import (
	"math"

	"github.com/pgvigil/pgvigil"
)

// TableMetric is one field of TableCounters: its name in the history, where it
// is, and whether it is a gauge, of which an interval keeps the last value.
type TableMetric struct {
	Name  string
	Of    func(*pgvigil.TableCounters) *float64
	Gauge bool
}

// TableMetrics are the fields of TableCounters.
var TableMetrics = []TableMetric{
	{"seq_scans", func(c *pgvigil.TableCounters) *float64 { return &c.SeqScans }, false},
	{"seq_tuples", func(c *pgvigil.TableCounters) *float64 { return &c.SeqTuples }, false},
	{"index_scans", func(c *pgvigil.TableCounters) *float64 { return &c.IndexScans }, false},
	{"index_tuples", func(c *pgvigil.TableCounters) *float64 { return &c.IndexTuples }, false},
	{"inserted", func(c *pgvigil.TableCounters) *float64 { return &c.Inserted }, false},
	{"updated", func(c *pgvigil.TableCounters) *float64 { return &c.Updated }, false},
	{"deleted", func(c *pgvigil.TableCounters) *float64 { return &c.Deleted }, false},
	{"hot_updated", func(c *pgvigil.TableCounters) *float64 { return &c.HotUpdated }, false},
	{"live_tuples", func(c *pgvigil.TableCounters) *float64 { return &c.LiveTuples }, true},
	{"dead_tuples", func(c *pgvigil.TableCounters) *float64 { return &c.DeadTuples }, true},
	{"mod_since_analyze", func(c *pgvigil.TableCounters) *float64 { return &c.ModSinceAn }, true},
	{"ins_since_vacuum", func(c *pgvigil.TableCounters) *float64 { return &c.InsSinceVac }, true},
	{"vacuums", func(c *pgvigil.TableCounters) *float64 { return &c.Vacuums }, false},
	{"auto_vacuums", func(c *pgvigil.TableCounters) *float64 { return &c.AutoVacuums }, false},
	{"analyzes", func(c *pgvigil.TableCounters) *float64 { return &c.Analyzes }, false},
	{"auto_analyzes", func(c *pgvigil.TableCounters) *float64 { return &c.AutoAnalyzes }, false},
	{"heap_blocks_hit", func(c *pgvigil.TableCounters) *float64 { return &c.HeapBlocksHit }, false},
	{"heap_blocks_read", func(c *pgvigil.TableCounters) *float64 { return &c.HeapBlocksRead }, false},
	{"idx_blocks_hit", func(c *pgvigil.TableCounters) *float64 { return &c.IdxBlocksHit }, false},
	{"idx_blocks_read", func(c *pgvigil.TableCounters) *float64 { return &c.IdxBlocksRead }, false},
}

// OfIndex returns an index' counters in the form of a table's: IndexScans are
// its scans, IndexTuples the entries that they returned (idx_tup_read),
// IdxBlocksHit and IdxBlocksRead its blocks; all else is NaN.
func OfIndex(x *pgvigil.Index) pgvigil.TableCounters {
	var c pgvigil.TableCounters
	for _, m := range TableMetrics {
		*m.Of(&c) = math.NaN()
	}
	c.IndexScans, c.IndexTuples, c.IdxBlocksHit, c.IdxBlocksRead = x.Scans, x.TuplesRd, x.BlocksHit, x.BlocksRd
	return c
}

// relations compares the tables and indexes of one database with its last
// visit. reset says that all their counters are known to have begun anew.
func (d *differ) relations(was *Database, read *pgvigil.DatabaseRead, reset bool) {
	sp := d.spanFrom(was.Visited)
	sp.flags &^= pgvigil.SpansGap // databases may be visited more rarely than passes are made
	if was.Gap || d.step.Coverage.Missed > 0 {
		sp.flags |= pgvigil.SpansGap
	}
	if reset {
		sp = sp.since(read.Stats.Reset)
	}
	before := countersOf(&was.Read)
	names := indexNames(&was.Read)
	for i := range read.Tables {
		t := &read.Tables[i]
		old, known := before[t.Key]
		d.relation(t.Key, relationPair{old, t.Counters, known && !reset}, sp)
	}
	for i := range read.Indexes {
		x := &read.Indexes[i]
		old, known := before[x.Key]
		if twin, ok := names[[2]string{x.Schema, x.Name}]; !known && ok {
			// REINDEX CONCURRENTLY: a new relation that took over the counters.
			old, known = before[twin], true
		}
		d.relation(x.Key, relationPair{old, OfIndex(x), known && !reset}, sp)
	}
}

// relationPair is two readings of one relation; known says that the first one
// is there and of the same incarnation.
type relationPair struct {
	was, is pgvigil.TableCounters
	known   bool
}

func (d *differ) relation(key pgvigil.RelationKey, p relationPair, sp span) {
	iv := pgvigil.RelationInterval{Key: key, Start: sp.start, End: sp.end, Table: p.is, Flags: sp.flags}
	switch {
	case !p.known && sp.flags&pgvigil.AfterReset == 0:
		iv.Flags |= pgvigil.FirstSight
	case p.known && shrank(&p.was, &p.is):
		iv.Flags |= pgvigil.AfterReset
	case p.known:
		for _, m := range TableMetrics {
			if !m.Gauge {
				*m.Of(&iv.Table) -= *m.Of(&p.was)
			}
		}
	}
	for _, m := range TableMetrics {
		if !m.Gauge && *m.Of(&iv.Table) > 0 {
			d.step.Relations = append(d.step.Relations, iv)
			return
		}
	}
}

func shrank(was, is *pgvigil.TableCounters) bool {
	for _, m := range TableMetrics {
		if !m.Gauge && *m.Of(is) < *m.Of(was) {
			return true
		}
	}
	return false
}

func countersOf(r *pgvigil.DatabaseRead) map[pgvigil.RelationKey]pgvigil.TableCounters {
	all := make(map[pgvigil.RelationKey]pgvigil.TableCounters, len(r.Tables)+len(r.Indexes))
	for i := range r.Tables {
		all[r.Tables[i].Key] = r.Tables[i].Counters
	}
	for i := range r.Indexes {
		all[r.Indexes[i].Key] = OfIndex(&r.Indexes[i])
	}
	return all
}

func indexNames(r *pgvigil.DatabaseRead) map[[2]string]pgvigil.RelationKey {
	names := make(map[[2]string]pgvigil.RelationKey, len(r.Indexes))
	for i := range r.Indexes {
		names[[2]string{r.Indexes[i].Schema, r.Indexes[i].Name}] = r.Indexes[i].Key
	}
	return names
}
