package interval

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

func testTable(id pgvigil.OID, name string) pgvigil.Table {
	return pgvigil.Table{
		Key: pgvigil.RelationKey{DBID: 5, RelID: id}, Schema: "public", Name: name, Kind: "r",
		Columns: []pgvigil.Column{{Num: 1, Name: "id", Type: "bigint"}, {Num: 2, Name: "status", Type: "text"}},
	}
}

func testIndex(id, table pgvigil.OID, name string) pgvigil.Index {
	return pgvigil.Index{
		Key: pgvigil.RelationKey{DBID: 5, RelID: id}, TableID: table, Schema: "public", Name: name, Table: "jobs",
		Def: "CREATE INDEX " + name + " ON public.jobs (status)", Valid: true,
	}
}

// catalogSnapshot shows two tables, one of them partitioned, and an index.
func catalogSnapshot(w *world) *pgvigil.Snapshot {
	s := w.snapshot(time.Minute)
	parent := testTable(200, "logs")
	parent.Kind = "p"
	child := testTable(201, "logs_1")
	child.Parent = 200
	s.Databases[0].Tables = []pgvigil.Table{testTable(100, "jobs"), parent, child}
	s.Databases[0].Indexes = []pgvigil.Index{testIndex(300, 100, "jobs_status_idx")}
	s.Databases[0].Constraints = []pgvigil.Constraint{
		{TableID: 100, Name: "gone", Kind: "c", Def: "CHECK ((id < 9))", Validated: true},
		{TableID: 100, Name: "late", Kind: "f", Def: "FOREIGN KEY (id) REFERENCES public.logs(id) NOT VALID"},
	}
	s.Databases[0].Extensions = []pgvigil.Extension{{Name: "pg_trgm", Version: "1.5"}, {Name: "hstore", Version: "1.8"}}
	s.Roles = []pgvigil.Role{{Name: "app", Rights: "login"}, {Name: "old", Rights: "login"}}
	s.Counters = pgvigil.ServerCounters{pgvigil.ServerWALBytes: 5e6}
	s.Resets = pgvigil.ServerResets{"pg_stat_wal": began}
	s.Settings = []pgvigil.Setting{{Name: "work_mem", Value: "4", Unit: "MB"}}
	return s
}

func TestEvents(t *testing.T) {
	exact := began.Add(90 * time.Second)
	tests := map[string]struct {
		change func(s *pgvigil.Snapshot, d *pgvigil.DatabaseRead)
		want   []string // kind, object, before, after; "!" where the moment is exact
	}{
		"nothing": {func(*pgvigil.Snapshot, *pgvigil.DatabaseRead) {}, nil},
		"an index is dropped": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) { d.Indexes = nil },
			[]string{"index dropped public.jobs_status_idx [CREATE INDEX jobs_status_idx ON public.jobs (status)] []"},
		},
		"an index is created": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Indexes = append(d.Indexes, testIndex(301, 100, "jobs_new_idx"))
			},
			[]string{"index created public.jobs_new_idx [] [CREATE INDEX jobs_new_idx ON public.jobs (status)]"},
		},
		"an index that is not valid": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				x := testIndex(301, 100, "jobs_new_idx")
				x.Valid = false
				d.Indexes = append(d.Indexes, x)
			},
			[]string{"index invalid public.jobs_new_idx [] [CREATE INDEX jobs_new_idx ON public.jobs (status)]"},
		},
		"an index of the same name with another definition": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Indexes[0].Key.RelID, d.Indexes[0].Def = 301, "CREATE INDEX other"
			},
			[]string{
				"index dropped public.jobs_status_idx [CREATE INDEX jobs_status_idx ON public.jobs (status)] []",
				"index created public.jobs_status_idx [] [CREATE INDEX other]",
			},
		},
		"an index is rebuilt concurrently, which gives it a new OID": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) { d.Indexes[0].Key.RelID = 301 }, nil,
		},
		"an index on all partitions is one event": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				parent, child := testIndex(301, 200, "logs_idx"), testIndex(302, 201, "logs_1_idx")
				child.Parent = 301
				d.Indexes = append(d.Indexes, child, parent)
			},
			[]string{"index created public.logs_idx [] [CREATE INDEX logs_idx ON public.jobs (status)]"},
		},
		"a table is dropped with its index": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) { d.Tables, d.Indexes = d.Tables[1:], nil },
			[]string{"table dropped public.jobs [] []"},
		},
		"a partitioned table is dropped with its partitions": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) { d.Tables = d.Tables[:1] },
			[]string{"table dropped public.logs [] []"},
		},
		"a table and its index are created": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Tables = append(d.Tables, testTable(400, "runners"))
				d.Indexes = append(d.Indexes, testIndex(401, 400, "runners_idx"))
			},
			[]string{"table created public.runners [] []"},
		},
		"a partition is added": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				p := testTable(202, "logs_2")
				p.Parent = 200
				d.Tables = append(d.Tables, p)
			},
			[]string{"table created public.logs_2 [] []"},
		},
		"columns come and go, on the partitioned table only": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				for i := range d.Tables {
					d.Tables[i].Columns = []pgvigil.Column{{Num: 1, Name: "ident", Type: "bigint"}, {Num: 3, Name: "owner", Type: "text"}}
				}
			},
			[]string{
				"column dropped public.jobs.status [text] []", "column created public.jobs.owner [] [text]",
				"column changed public.jobs.ident [id bigint] [ident bigint]",
				"column dropped public.logs.status [text] []", "column created public.logs.owner [] [text]",
				"column changed public.logs.ident [id bigint] [ident bigint]",
			},
		},
		"columns that could not be read": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) { d.Tables[0].Columns = nil }, nil,
		},
		"a table is analyzed": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) { d.Tables[0].LastAnalyze = exact },
			[]string{"!analyzed public.jobs [] []"},
		},
		"a column changes its type and its name": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Tables[0].Columns = []pgvigil.Column{{Num: 1, Name: "id", Type: "integer", NotNull: true}, {Num: 2, Name: "state", Type: "text"}}
			},
			[]string{
				"column changed public.jobs.id [bigint] [integer not null]",
				"column changed public.jobs.state [status text] [state text]",
			},
		},
		"a table is renamed and gets options": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Tables[0].Name, d.Tables[0].Options = "builds", []string{"fillfactor=70", "autovacuum_enabled=off"}
			},
			[]string{
				"table renamed public.builds [public.jobs] [public.builds]",
				"table options changed public.builds [] [autovacuum_enabled=off, fillfactor=70]",
			},
		},
		"a table becomes a partition, and a partition a table": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Tables[0].Parent, d.Tables[0].PartitionBound = 200, "DEFAULT"
				d.Tables[2].Parent = 0
			},
			[]string{
				"partition attached public.jobs [] [partition of public.logs DEFAULT]",
				"partition detached public.logs_1 [partition of public.logs] []",
			},
		},
		"constraints come, go and are validated": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Constraints = []pgvigil.Constraint{
					{TableID: 100, Name: "late", Kind: "f", Def: "FOREIGN KEY (id) REFERENCES public.logs(id)", Validated: true},
					{TableID: 100, Name: "new", Kind: "c", Def: "CHECK ((id > 0))"},
					{TableID: 100, Name: "jobs_pkey", Kind: "p", Def: "PRIMARY KEY (id)", Validated: true},
					{TableID: 201, Name: "of_partition", Kind: "c", Def: "CHECK ((id > 0))"},
				}
			},
			[]string{
				"constraint dropped public.jobs.gone [CHECK ((id < 9))] []",
				"constraint validated public.jobs.late [] [FOREIGN KEY (id) REFERENCES public.logs(id)]",
				"constraint created public.jobs.new [] [CHECK ((id > 0))]",
			},
		},
		"extensions come, go and are updated": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Extensions = []pgvigil.Extension{{Name: "pg_trgm", Version: "1.6"}, {Name: "postgis", Version: "3"}}
			},
			[]string{
				"extension updated pg_trgm [1.5] [1.6]", "extension created postgis [] [3]", "extension dropped hstore [1.8] []",
			},
		},
		"extensions could not be read": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) { d.Extensions = nil }, nil,
		},
		"roles come, go and get rights": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) {
				s.Roles = []pgvigil.Role{{Name: "app", Rights: "login superuser"}, {Name: "batch", Rights: "login"}}
			},
			[]string{"user changed app [login] [login superuser]", "user created batch [] [login]", "user dropped old [login] []"},
		},
		"a view of the server's counters is reset": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) {
				s.Counters, s.Resets = pgvigil.ServerCounters{pgvigil.ServerWALBytes: 1}, pgvigil.ServerResets{"pg_stat_wal": exact}
			},
			[]string{"!statistics reset pg_stat_wal [] []"},
		},
		"settings change": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) {
				s.Settings = []pgvigil.Setting{{Name: "work_mem", Value: "8", Unit: "MB"}, {Name: "jit", Value: "off", Scope: "database=app"}}
			},
			[]string{"setting changed work_mem [4MB] [8MB]", "setting changed jit (database=app) [] [off]"},
		},
		"settings could not be read": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) { s.Settings = nil }, nil,
		},
		"the database was not visited": {
			func(_ *pgvigil.Snapshot, d *pgvigil.DatabaseRead) {
				d.Visited, d.Tables, d.Indexes = false, nil, nil
			}, nil,
		},
		"a restart with a new version": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) {
				s.Server.PostmasterStart, s.Server.Version = exact, 150019
			},
			[]string{"!restart 15.19 [15.18] [15.19]"},
		},
		"a standby is promoted": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) { s.Server.InRecovery = true },
			[]string{"role changed ci [primary] [standby]"},
		},
		"the statements are reset": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) { s.Statements.Reset = exact },
			[]string{"!statistics reset statements [] []"},
		},
		"the statements of one database are reset": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) { s.Statements.List = nil },
			[]string{"statistics reset statements [] []"},
		},
		"statements are evicted": {
			func(s *pgvigil.Snapshot, _ *pgvigil.DatabaseRead) {
				s.Statements.List, s.Statements.Dealloc = nil, 1
			}, nil,
		},
		"the statistics of a database are reset": {
			func(s *pgvigil.Snapshot, d *pgvigil.DatabaseRead) { d.Stats = pgvigil.DatabaseStats{Reset: exact} },
			[]string{"!statistics reset tables of app [] []"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w, h := newWorld(), history{}
			w.work(1, 10, 1)
			before := catalogSnapshot(w)
			h.see(before, 0)
			after := catalogSnapshot(w)
			tt.change(after, &after.Databases[0])
			var got []string
			for _, e := range h.see(after, 0).Events {
				said := string(e.Kind) + " " + e.Object + " [" + e.Before + "] [" + e.After + "]"
				switch {
				case e.Since.IsZero() && e.At.Equal(exact):
					said = "!" + said
				case !e.At.Equal(after.At) || !e.Since.Equal(before.At):
					t.Errorf("%s: at %s since %s; want %s and %s", said, e.At, e.Since, after.At, before.At)
				}
				got = append(got, said)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnIndexIsUsableWhenItIsValid: the event comes when its build ends.
func TestAnIndexIsUsableWhenItIsValid(t *testing.T) {
	w, h := newWorld(), history{}
	for i, valid := range []bool{false, false, true} {
		s := catalogSnapshot(w)
		if i > 0 {
			x := testIndex(301, 100, "jobs_new_idx")
			x.Valid = valid
			s.Databases[0].Indexes = append(s.Databases[0].Indexes, x)
		}
		h.see(s, 0)
	}
	if len(h.last.Events) != 1 || h.last.Events[0].Kind != pgvigil.EventIndexCreated {
		t.Errorf("events %+v; want index created", h.last.Events)
	}
}

// TestARebuiltIndexTakesItsCountersAlong: REINDEX CONCURRENTLY copies them to
// the new relation, which must not count them once more.
func TestARebuiltIndexTakesItsCountersAlong(t *testing.T) {
	w, h := newWorld(), history{}
	s := catalogSnapshot(w)
	s.Databases[0].Indexes[0].Scans = 1e6
	h.see(s, 0)
	s = catalogSnapshot(w)
	s.Databases[0].Indexes[0].Key.RelID, s.Databases[0].Indexes[0].Scans = 301, 1e6+5
	step := h.see(s, 0)
	if len(step.Relations) != 1 || step.Relations[0].Table.IndexScans != 5 {
		t.Errorf("intervals of relations %+v; want one of 5 scans", step.Relations)
	}
}

// TestAnImmediateStopZeroesTablesAndKeepsStatements, as measured on 15.
func TestAnImmediateStopZeroesTablesAndKeepsStatements(t *testing.T) {
	w, h := newWorld(), history{}
	w.work(1, 100, 1)
	h.see(w.snapshot(time.Minute), 0)
	w.restart()
	w.resetTables()
	w.work(1, 4, 1)
	step := h.see(w.snapshot(time.Minute), 0)
	iv, _ := one(step, 1)
	if iv.Counters[pgvigil.Calls] != 4 || iv.Flags != 0 {
		t.Errorf("statement: %v calls, flags %b; want 4, none", iv.Counters[pgvigil.Calls], iv.Flags)
	}
	if len(step.Relations) != 1 || step.Relations[0].Table.SeqScans != 4 || step.Relations[0].Flags != pgvigil.AfterReset {
		t.Errorf("table: %+v; want 4 scans after a reset", step.Relations)
	}
	if len(step.Databases) != 1 || step.Databases[0].Stats.BlocksHit != 40 {
		t.Errorf("database: %+v; want 40 blocks", step.Databases)
	}
}

func TestCoverage(t *testing.T) {
	w, h := newWorld(), history{}
	w.work(1, 10, 1)
	h.see(w.snapshot(time.Minute), 0)
	w.work(1, 60, 2)
	w.stats.BlocksHit += 400 // by statements that were evicted
	c := h.see(w.snapshot(time.Minute), 0).Coverage.Coverage(pgvigil.Window{}, 1)
	if c.Blocks != 0.6 || c.Time != 1 || c.Passes != 1 || c.Expected != 1 {
		t.Errorf("coverage %+v; want 0.6 of the blocks and all of the time", c)
	}
	w.work(1, 1, 1)
	c = h.see(w.snapshot(time.Minute), 2).Coverage.Coverage(pgvigil.Window{}, 1)
	if c.Passes != 1 || c.Expected != 3 || len(c.Warnings) != 1 {
		t.Errorf("coverage after two failed passes %+v; want 1 of 3 passes and a warning", c)
	}
}

// TestManyAlikeAreOneEvent: 10,000 tables created are one thing that somebody did.
func TestManyAlikeAreOneEvent(t *testing.T) {
	w, h := newWorld(), history{}
	h.see(catalogSnapshot(w), 0)
	s := catalogSnapshot(w)
	for i := range pgvigil.OID(10_000) {
		s.Databases[0].Tables = append(s.Databases[0].Tables, testTable(1000+i, fmt.Sprintf("part_%05d", i)))
	}
	s.Settings[0].Value = "8"
	events := h.see(s, 0).Events
	if len(events) != 2 {
		t.Fatalf("%d events; want the tables and the setting", len(events))
	}
	e := events[0]
	if e.Kind != pgvigil.EventTableCreated || e.Count != 10_000 || e.Object != "public.part_00000 and 9999 more" || e.Table != "" {
		t.Errorf("event %+v; want 10,000 tables created, as one", e)
	}
}

// TestADefinitionIsAsOldAsItsReading: what is read more rarely than passes are
// made may have changed since it was last read.
func TestADefinitionIsAsOldAsItsReading(t *testing.T) {
	w, h := newWorld(), history{}
	read := catalogSnapshot(w)
	read.Databases[0].DefinitionsAt = read.At
	h.see(read, 0)
	between := catalogSnapshot(w)
	between.Databases[0].DefinitionsAt = read.At
	h.see(between, 0)
	s := catalogSnapshot(w)
	s.Databases[0].DefinitionsAt = s.At
	s.Databases[0].Constraints = nil
	for _, e := range h.see(s, 0).Events {
		if !e.Since.Equal(read.At) || !e.At.Equal(s.At) {
			t.Errorf("%s %s: since %s; want %s, when definitions were last read", e.Kind, e.Object, e.Since, read.At)
		}
	}
	if len(h.last.Events) != 2 {
		t.Errorf("%d events; want two constraints dropped", len(h.last.Events))
	}
}
