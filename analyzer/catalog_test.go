package analyzer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

// table is one of a catalog with several of its name.
func table(db, id, parent pgvigil.OID, schema, name string) pgvigil.Table {
	return pgvigil.Table{Key: pgvigil.RelationKey{DBID: db, RelID: id}, Parent: parent, Schema: schema, Name: name}
}

// crowded holds jobs in two databases, and in two schemas of the first.
func crowded() []pgvigil.DatabaseRead {
	return []pgvigil.DatabaseRead{
		{OID: 5, Name: "ci", Visited: true, Tables: []pgvigil.Table{
			table(5, 100, 0, "public", "jobs"), table(5, 107, 100, "public", "jobs_7"), table(5, 200, 0, "archive", "Jobs"), table(5, 300, 0, "public", "users"),
		}},
		{OID: 6, Name: "billing", Visited: true, Tables: []pgvigil.Table{table(6, 100, 0, "public", "jobs"), table(6, 107, 0, "public", "jobs_7")}},
	}
}

func catalogOf(t *testing.T, list []pgvigil.DatabaseRead) (*server, *catalog) {
	t.Helper()
	p := newPlay(t)
	p.catalog = list
	s := newServer(1, New(p, Options{}).fleet)
	c, err := s.tables(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestANameMeansTablesOfItsDatabaseAndSchema(t *testing.T) {
	_, c := catalogOf(t, crowded())
	key := func(db, id pgvigil.OID) pgvigil.RelationKey { return pgvigil.RelationKey{DBID: db, RelID: id} }
	tests := map[string]struct {
		db   pgvigil.OID
		name string
		want []pgvigil.RelationKey
	}{
		"one schema of the database": {5, "public.jobs", []pgvigil.RelationKey{key(5, 100)}},
		"another, in capitals":       {5, `"Archive"."JOBS"`, []pgvigil.RelationKey{key(5, 200)}},
		"no schema":                  {5, "jobs", []pgvigil.RelationKey{key(5, 100), key(5, 200)}},
		"the other database":         {6, "jobs", []pgvigil.RelationKey{key(6, 100)}},
		"a schema that is not there": {6, "archive.jobs", nil},
		"any database":               {0, "public.jobs", []pgvigil.RelationKey{key(5, 100), key(6, 100)}},
		"a partition":                {5, "jobs_7", []pgvigil.RelationKey{key(5, 100)}},
		"no partition, there":        {6, "jobs_7", []pgvigil.RelationKey{key(6, 107)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, c.roots(tt.db, tt.name)); diff != "" {
				t.Errorf("roots(%d, %s) differ (-want +got):\n%s", tt.db, tt.name, diff)
			}
		})
	}
	if got := c.label(key(5, 200)) + " " + c.label(key(6, 100)); got != "archive.jobs jobs" {
		t.Errorf("labels %q; want the schema where it tells tables apart", got)
	}
}

func TestAChangeMarksTheSeriesOfItsDatabaseAndSchema(t *testing.T) {
	s, c := catalogOf(t, crowded())
	texts := map[pgvigil.Fingerprint]string{1: "jobs", 2: "public.jobs", 3: "archive.jobs", 4: "users", 5: "jobs_7"}
	for f, name := range texts {
		s.queries[f] = pgvigil.Query{Fingerprint: f, Tables: []string{name}}
		s.index(pgvigil.SeriesKey{Server: 1, DBID: 5, Fingerprint: f})
		s.index(pgvigil.SeriesKey{Server: 1, DBID: 6, Fingerprint: f})
	}
	tests := map[string]struct {
		event pgvigil.Event
		want  map[pgvigil.Fingerprint]bool
	}{
		"a partition":         {pgvigil.Event{DBID: 5, Object: "public.i", Table: "jobs_7"}, map[pgvigil.Fingerprint]bool{1: true, 2: true, 5: true}},
		"another schema":      {pgvigil.Event{DBID: 5, Object: "archive.i", Table: "Jobs"}, map[pgvigil.Fingerprint]bool{1: true, 3: true}},
		"the other database":  {pgvigil.Event{DBID: 6, Object: "public.i", Table: "jobs_7"}, map[pgvigil.Fingerprint]bool{5: true}},
		"a table not in view": {pgvigil.Event{DBID: 6, Object: "public.i", Table: "users"}, map[pgvigil.Fingerprint]bool{4: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := map[pgvigil.Fingerprint]bool{}
			for k := range s.naming(c, tt.event.DBID, tableOf(tt.event)) {
				if k.DBID != tt.event.DBID {
					t.Errorf("marked %v of another database", k)
				}
				got[k.Fingerprint] = true
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("marked series differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUpdatesOfTwoDatabasesAreNotAddedUp(t *testing.T) {
	p := newPlay(t)
	p.catalog = crowded()
	b := &book{Analyzer: New(p, Options{}), s: newServer(1, New(p, Options{}).fleet)}
	for db, hot := range map[pgvigil.OID]float64{5: 100, 6: 0} {
		b.rec.Relations = append(b.rec.Relations, pgvigil.RelationInterval{
			Key: pgvigil.RelationKey{DBID: db, RelID: 107}, End: p.at, Table: pgvigil.TableCounters{Updated: 100, HotUpdated: hot},
		})
	}
	if err := b.countUpdates(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[pgvigil.RelationKey]float64{{DBID: 5, RelID: 100}: 1, {DBID: 6, RelID: 107}: 0} {
		if got, all, _ := b.s.updates[key].share(pgvigil.Window{}); got != want || all != 100 {
			t.Errorf("share of HOT updates of %v = %g of %g; want %g of 100", key, got, all, want)
		}
	}
}

func TestTheSameTablesInAnotherDatabaseHideNoEvidence(t *testing.T) {
	for name, sc := range scenes {
		if sc.look == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			prepare := sc.prepare
			sc.prepare = func(p *play) {
				if prepare != nil {
					prepare(p)
				}
				p.catalog = append(p.catalog, crowded()[1])
			}
			p := sc.run(t, name)
			if len(p.alerts) != 1 || p.alerts[0].Verdict.Cause != sc.cause || p.alerts[0].Verdict.CauseDetail != sc.detail {
				t.Errorf("alerts = %+v; want one of %s, %s", p.alerts, sc.cause, sc.detail)
			}
		})
	}
}

func TestAWatchedDatabaseWithoutTablesIsWatched(t *testing.T) {
	s, _ := catalogOf(t, []pgvigil.DatabaseRead{{OID: 5, Name: "fresh", Visited: true}, {OID: 6, Name: "other"}})
	if !s.visited[5] || s.visited[6] {
		t.Errorf("visited = %v; want the watched one, though it is empty", s.visited)
	}
}
