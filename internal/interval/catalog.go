package interval

import (
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// catalog reports what was created, dropped and analyzed in one database since
// its last visit. A change of a partitioned table or index is one event, not
// one for each partition; what comes or goes with its table is no event of its own.
func (d *differ) catalog(was, is *pgvigil.DatabaseRead) {
	c := &catalogDiff{d: d, dbid: is.OID, was: tablesOf(was), is: tablesOf(is), read: was.DefinitionsAt}
	c.tables(was, is)
	c.indexes(was, is)
	c.constraints(was, is)
	c.extensions(was, is)
}

type catalogDiff struct {
	d       *differ
	dbid    pgvigil.OID
	was, is map[pgvigil.OID]*pgvigil.Table
	// read is when the definitions of the last visit were read, zero with it.
	read time.Time
}

// late reports what is seen only when definitions are read, which is not in
// each visit.
func (c *catalogDiff) late(e pgvigil.Event) {
	e.At, e.Since = c.d.snap.At, c.d.prev.database(c.dbid).Visited.At
	if c.read.After(time.Time{}) && c.read.Before(e.Since) {
		e.Since = c.read
	}
	c.event(e)
}

func tablesOf(r *pgvigil.DatabaseRead) map[pgvigil.OID]*pgvigil.Table {
	all := make(map[pgvigil.OID]*pgvigil.Table, len(r.Tables))
	for i := range r.Tables {
		all[r.Tables[i].Key.RelID] = &r.Tables[i]
	}
	return all
}

func (c *catalogDiff) event(e pgvigil.Event) {
	e.DBID, e.Source = c.dbid, "catalog"
	since := c.d.prev.database(c.dbid).Visited.At
	if e.At.IsZero() {
		e.At, e.Since = c.d.snap.At, since
	}
	c.d.event(e)
}

func (c *catalogDiff) tables(was, is *pgvigil.DatabaseRead) {
	for i := range was.Tables {
		t := &was.Tables[i]
		if c.is[t.Key.RelID] == nil && t.Kind != "t" && !c.parentWent(t.Parent) {
			c.event(pgvigil.Event{Kind: pgvigil.EventTableDropped, Object: t.Schema + "." + t.Name, Table: t.Name})
		}
	}
	for i := range is.Tables {
		t := &is.Tables[i]
		switch old := c.was[t.Key.RelID]; {
		case t.Kind == "t":
		case old != nil:
			c.changed(old, t)
			c.columns(old, t)
			c.analyzed(old, t)
		case t.Parent == 0 || c.was[t.Parent] != nil:
			c.event(pgvigil.Event{Kind: pgvigil.EventTableCreated, Object: t.Schema + "." + t.Name, Table: t.Name})
		}
	}
}

func (c *catalogDiff) parentWent(parent pgvigil.OID) bool {
	return parent != 0 && c.is[parent] == nil
}

func (c *catalogDiff) analyzed(was, is *pgvigil.Table) {
	if is.LastAnalyze.After(was.LastAnalyze) {
		c.event(pgvigil.Event{Kind: pgvigil.EventAnalyzed, At: is.LastAnalyze, Object: is.Schema + "." + is.Name, Table: is.Name})
	}
}

// columns compares by attribute number, which outlives a renaming. Partitions
// follow their parent.
func (c *catalogDiff) columns(was, is *pgvigil.Table) {
	if is.Parent != 0 || len(was.Columns) == 0 || len(is.Columns) == 0 {
		return
	}
	note := func(kind pgvigil.EventKind, from, other []pgvigil.Column) {
		for _, col := range from {
			if !slices.ContainsFunc(other, func(o pgvigil.Column) bool { return o.Num == col.Num }) {
				e := pgvigil.Event{Kind: kind, Object: is.Schema + "." + is.Name + "." + col.Name, Table: is.Name}
				if kind == pgvigil.EventColumnCreated {
					e.After = col.Type
				} else {
					e.Before = col.Type
				}
				c.late(e)
			}
		}
	}
	note(pgvigil.EventColumnDropped, was.Columns, is.Columns)
	note(pgvigil.EventColumnCreated, is.Columns, was.Columns)
	c.retyped(was, is)
}

// indexes compares by OID first and then by name and definition, as REINDEX
// CONCURRENTLY gives an index a new OID. An index is created when it becomes
// valid; one that is there and not valid is an event of its own.
func (c *catalogDiff) indexes(was, is *pgvigil.DatabaseRead) {
	before, after := indexesOf(was), indexesOf(is)
	for i := range was.Indexes {
		x := &was.Indexes[i]
		if after.match(x) != nil || !x.Valid || c.is[x.TableID] == nil || before.has(x.Parent) && !after.has(x.Parent) {
			continue
		}
		c.event(indexEvent(pgvigil.EventIndexDropped, x))
	}
	for i := range is.Indexes {
		x := &is.Indexes[i]
		old := before.match(x)
		switch {
		case c.was[x.TableID] == nil || after.has(x.Parent) && !before.has(x.Parent):
		case !x.Valid && (old == nil || old.Valid):
			c.event(indexEvent(pgvigil.EventIndexInvalid, x))
		case x.Valid && (old == nil || !old.Valid):
			c.event(indexEvent(pgvigil.EventIndexCreated, x))
		}
	}
}

func indexEvent(kind pgvigil.EventKind, x *pgvigil.Index) pgvigil.Event {
	e := pgvigil.Event{Kind: kind, Object: x.Schema + "." + x.Name, Table: x.Table}
	if kind == pgvigil.EventIndexDropped {
		e.Before = x.Def
	} else {
		e.After = x.Def
	}
	return e
}

// indexSet finds indexes by OID and by what they are.
type indexSet struct {
	oids  map[pgvigil.OID]*pgvigil.Index
	names map[[3]string]*pgvigil.Index
}

func indexesOf(r *pgvigil.DatabaseRead) indexSet {
	s := indexSet{map[pgvigil.OID]*pgvigil.Index{}, map[[3]string]*pgvigil.Index{}}
	for i := range r.Indexes {
		x := &r.Indexes[i]
		s.oids[x.Key.RelID] = x
		s.names[[3]string{x.Schema, x.Name, x.Def}] = x
	}
	return s
}

func (s indexSet) has(oid pgvigil.OID) bool { return oid != 0 && s.oids[oid] != nil }

func (s indexSet) match(x *pgvigil.Index) *pgvigil.Index {
	if found := s.oids[x.Key.RelID]; found != nil {
		return found
	}
	return s.names[[3]string{x.Schema, x.Name, x.Def}]
}

// settings reports what changed in the configuration. A read without settings
// is taken for one that could not be made.
func (d *differ) settings() {
	if len(d.snap.Settings) == 0 {
		d.next.Settings = d.prev.Settings
		return
	}
	if d.lineage == first || len(d.prev.Settings) == 0 {
		return
	}
	type name struct{ scope, name string }
	before := make(map[name]string, len(d.prev.Settings))
	for _, s := range d.prev.Settings {
		before[name{s.Scope, s.Name}] = s.Value + s.Unit
	}
	for _, s := range d.snap.Settings {
		key := name{s.Scope, s.Name}
		was, known := before[key]
		delete(before, key)
		// A server's setting that was not listed before came into view; one of
		// a database or role was set.
		if was != s.Value+s.Unit && (known || s.Scope != "") {
			d.settingEvent(s.Scope, s.Name, was, s.Value+s.Unit)
		}
	}
	for _, s := range d.prev.Settings {
		if was, left := before[name{s.Scope, s.Name}]; left && s.Scope != "" {
			d.settingEvent(s.Scope, s.Name, was, "")
		}
	}
}

func (d *differ) settingEvent(scope, name, was, is string) {
	if scope != "" {
		name += " (" + scope + ")"
	}
	d.event(pgvigil.Event{Kind: pgvigil.EventSettingChanged, Object: name, Before: was, After: is, Source: "catalog"})
}
