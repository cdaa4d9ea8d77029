package reports

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

const secondDB = pgvigil.OID(16999)

// newTables adds tables with an index each to a second database, first seen at
// a time.
func newTables(m *memory, n int, at time.Time) {
	db := pgvigil.DatabaseRead{OID: secondDB, Name: "reporting", Visited: true}
	add := func(id pgvigil.OID, name string, pages int64) pgvigil.RelationKey {
		k := pgvigil.RelationKey{DBID: secondDB, RelID: id}
		m.relations = append(m.relations, pgvigil.RelationSeries{Key: k, Schema: "public", Name: name, Sizes: []pgvigil.SizePoint{{At: at, Pages: pages}}})
		return k
	}
	for i := range n {
		id, name := pgvigil.OID(30000+2*i), fmt.Sprintf("t%04d", i)
		k := add(id, name, int64(n-i))
		db.Tables = append(db.Tables, pgvigil.Table{Key: k, Schema: "public", Name: name, Kind: "r", Pages: int64(n - i)})
		x := add(id+1, name+"_pkey", 1)
		db.Indexes = append(db.Indexes, pgvigil.Index{Key: x, TableID: id, Schema: "public", Name: name + "_pkey", Pages: 1})
	}
	m.catalog = append(m.catalog, db)
}

func TestTablesThatAppearInNumbersAreOneRow(t *testing.T) {
	tests := map[string]struct {
		tables int
		want   []string
	}{
		"thousands are told together": {3000, []string{"3,000 tables appeared in database reporting from Wed 14 Jan 14:05 UTC on, the largest public.t0000, public.t0001 and public.t0002", "34.4 GiB", "23.4 MiB"}},
		"a few are listed":            {2, []string{"public.t0000 new, since Wed 14 Jan 14:05 UTC", "public.t0001 new, since Wed 14 Jan 14:05 UTC"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := story()
			newTables(m, tt.tables, dropped)
			r, err := Gather(t.Context(), m, storyRange())
			if err != nil {
				t.Fatal(err)
			}
			rows := texts(render(t, r, ""), "section#grown tbody tr")
			got := strings.Join(rows, "\n")
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("what grew does not say %q:\n%s", want, got)
				}
			}
			if tt.tables > singly && !strings.HasPrefix(rows[0], "3,000 tables") {
				t.Errorf("the first row is %q; want the tables that appeared", rows[0])
			}
		})
	}
}

func TestEmptyTablesThatAppearCountToo(t *testing.T) {
	m := story()
	newTables(m, 5, dropped)
	for i := range m.relations {
		if m.relations[i].Key.DBID == secondDB {
			m.relations[i].Sizes[0].Pages = 0
		}
	}
	r, err := Gather(t.Context(), m, storyRange())
	if err != nil {
		t.Fatal(err)
	}
	if g := r.Servers[0].Grown[0]; g.Tables != 5 || g.End != 0 || !g.Born.Equal(dropped) {
		t.Errorf("the first entry is %+v; want 5 empty tables", g)
	}
}

// TestADatabaseThatComesIntoViewGrewNothing guards that the first look into a
// database that was there before is no growth.
func TestADatabaseThatComesIntoViewGrewNothing(t *testing.T) {
	m := story()
	newTables(m, 50, dropped)
	m.points = []pgvigil.DatabasePoint{{DBID: secondDB, Start: dropped.Add(-time.Minute), End: dropped}}
	r, err := Gather(t.Context(), m, storyRange())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range r.Servers[0].Grown {
		if g.DBID == secondDB {
			t.Errorf("%+v grew; want nothing of a database that came into view", g)
		}
	}
}

func TestLivesOfRelations(t *testing.T) {
	const page = 8192
	key := func(n pgvigil.OID) pgvigil.RelationKey { return pgvigil.RelationKey{DBID: 1, RelID: n} }
	series := func(n pgvigil.OID, name string, from time.Time, pages int64) pgvigil.RelationSeries {
		return pgvigil.RelationSeries{Key: key(n), Schema: "s", Name: name, Sizes: []pgvigil.SizePoint{{At: from, Pages: pages}}}
	}
	before, within := monday.Add(-day), monday.Add(3*day)
	events := []pgvigil.Event{{DBID: 1, Kind: pgvigil.EventTableDropped, Object: "s.a", At: within}}
	tests := map[string]struct {
		relations []pgvigil.RelationSeries
		want      [][2]pgvigil.Bytes // start and end of each entry
	}{
		"a table dropped and made again":    {[]pgvigil.RelationSeries{series(9, "a", before, 70), series(10, "a", within, 30)}, [][2]pgvigil.Bytes{{70 * page, 0}, {0, 30 * page}}},
		"one that came and went":            {[]pgvigil.RelationSeries{series(9, "a", monday.Add(day), 70)}, nil},
		"an index that was rebuilt":         {[]pgvigil.RelationSeries{series(8, "x", before, 20), series(11, "x", within, 20)}, nil},
		"an index that was made":            {[]pgvigil.RelationSeries{series(11, "x", within, 20)}, [][2]pgvigil.Bytes{{0, 20 * page}}},
		"an index that was there all along": {[]pgvigil.RelationSeries{series(11, "x", before, 20)}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			catalog := []pgvigil.DatabaseRead{{
				OID: 1, Tables: []pgvigil.Table{{Key: key(10), Schema: "s", Name: "a", Kind: "r"}, {Key: key(12), Schema: "s", Name: "b", Kind: "r"}},
				Indexes: []pgvigil.Index{{Key: key(11), TableID: 12, Schema: "s", Name: "x"}},
			}}
			var got [][2]pgvigil.Bytes
			for _, g := range growth(sized{catalog: catalog, relations: tt.relations, events: events, span: span{monday, sunday}, page: page}) {
				got = append(got, [2]pgvigil.Bytes{g.Start, g.End})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("growth differs (-want +got):\n%s", diff)
			}
		})
	}
}
