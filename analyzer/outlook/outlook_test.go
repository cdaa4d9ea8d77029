package outlook_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/outlook"
)

var monday = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// calm is a server on which nothing is wrong: a day of passes, ten apart.
func calm() outlook.Facts {
	f := outlook.Facts{
		Settings: []pgvigil.Setting{
			{Name: "autovacuum", Value: "on"},
			{Name: "autovacuum_max_workers", Value: "3"},
			{Name: "autovacuum_freeze_max_age", Value: "200000000"},
			{Name: "block_size", Value: "8192"},
		},
		Catalog: []pgvigil.DatabaseRead{{
			OID: 5, Name: "ci", Visited: true, Stats: pgvigil.DatabaseStats{XIDAge: 150e6, MultiXactAge: 1e6},
			Tables:      []pgvigil.Table{{Key: pgvigil.RelationKey{DBID: 5, RelID: 10}, Schema: "public", Name: "jobs", Kind: "r", RelTuples: 1e6, FrozenXID: 150e6}},
			Indexes:     []pgvigil.Index{{Key: pgvigil.RelationKey{DBID: 5, RelID: 11}, TableID: 10, Schema: "public", Name: "jobs_pkey", Table: "jobs", Valid: true, Pages: 1280}},
			Constraints: []pgvigil.Constraint{{TableID: 10, Name: "jobs_check", Kind: "c", Validated: true}},
		}},
	}
	for i := range 11 {
		at := monday.Add(time.Duration(i) * 144 * time.Minute)
		f.Points = append(f.Points, pgvigil.ServerPoint{
			Start: at.Add(-144 * time.Minute), End: at, Counters: pgvigil.ServerCounters{pgvigil.ServerWALBytes: 8640 << 20},
			State: pgvigil.ServerState{
				Connections: pgvigil.Connections{Used: 30, Limit: 100, Reserved: 3},
				Sequences:   []pgvigil.Sequence{{Key: pgvigil.RelationKey{DBID: 5, RelID: 20}, Schema: "public", Name: "s", First: 1, Limit: 100_000, Step: 1, Last: int64(100 + i), Known: true}},
				Slots:       []pgvigil.Slot{{Name: "standby", Kind: "physical", Active: true, Status: "reserved", Retained: 16 << 20, Safe: -1}},
				Holders:     []pgvigil.Holder{{Kind: pgvigil.HeldBySession, Name: "7", Database: "ci", State: "active", Age: 100, Since: at.Add(-time.Minute)}},
			},
		})
		f.Databases = append(f.Databases, pgvigil.DatabasePoint{Start: at.Add(-144 * time.Minute), End: at, DBID: 5, Stats: pgvigil.DatabaseStats{XIDAge: int64(149e6 + 1e5*float64(i))}})
	}
	return f
}

// each changes the state of all points; i counts them.
func each(f *outlook.Facts, change func(i int, s *pgvigil.ServerState)) {
	for i := range f.Points {
		change(i, &f.Points[i].State)
	}
}

func lastState(f *outlook.Facts) *pgvigil.ServerState { return &f.Points[len(f.Points)-1].State }

func TestWhatWillBreak(t *testing.T) {
	tests := map[string]struct {
		change func(f *outlook.Facts)
		want   []string // severity, kind, object, time left in days; parts of the text after a colon
	}{
		"nothing": {func(*outlook.Facts) {}, nil},
		"an integer column that its sequence will outgrow": {
			func(f *outlook.Facts) {
				each(f, func(i int, s *pgvigil.ServerState) {
					s.Sequences = []pgvigil.Sequence{{
						Key: pgvigil.RelationKey{DBID: 5, RelID: 21}, Schema: "public", Name: "jobs_id_seq", Table: "public.jobs", Column: "id", Type: "integer",
						First: 1, Limit: math.MaxInt32, Step: 1, Outgrows: true, Last: 1_900_000_000 + 1_000_000*int64(i), Known: true,
					}}
				})
			},
			[]string{"ticket sequence ends public.jobs_id_seq 24: 1,910,000,000 of 2,147,483,647 (89 %), integer, in 24 days"},
		},
		"a sequence that nobody uses": {
			func(f *outlook.Facts) {
				each(f, func(_ int, s *pgvigil.ServerState) { s.Sequences[0].Last = 80_000 })
			},
			[]string{"report sequence ends public.s endless: did not move"},
		},
		"transaction ids": {
			func(f *outlook.Facts) {
				f.Catalog[0].Stats.XIDAge, f.Catalog[0].Tables[0].FrozenXID = 1_600_000_000, 1_600_000_000
			},
			[]string{"page transaction ids run out ci 544: 1,600,000,000 transaction ids old, public.jobs (1,600,000,000)"},
		},
		"multixact ids of which nobody knows the rate": {
			func(f *outlook.Facts) {
				f.Catalog[0].Stats.MultiXactAge = 700_000_000
				f.Databases = nil
			},
			[]string{"report multixact ids run out ci unknown: 700,000,000 multixact ids old"},
		},
		"a slot that nobody reads": {
			func(f *outlook.Facts) {
				s := &lastState(f).Slots[0]
				s.Active, s.Retained = false, 20<<30
			},
			[]string{"ticket replication slot standby unknown: keeps 20 GiB of WAL, 3.52 GiB more every hour"},
		},
		"a slot that will be lost": {
			func(f *outlook.Facts) {
				s := &lastState(f).Slots[0]
				s.Active, s.Retained, s.Safe = false, 20<<30, 169<<30
			},
			[]string{"page replication slot standby 2: lost in 2 days"},
		},
		"a slot that is lost": {
			func(f *outlook.Facts) { lastState(f).Slots[0].Status = "lost" },
			[]string{"page replication slot standby unknown: has to be built anew"},
		},
		"a prepared transaction that was forgotten": {
			func(f *outlook.Facts) {
				lastState(f).Holders = []pgvigil.Holder{{Kind: pgvigil.HeldByPrepared, Name: "tx", Database: "ci", Age: 5000, Since: monday.Add(-48 * time.Hour)}}
			},
			[]string{"page vacuum held back tx unknown: Prepared transaction tx, deleted in the last 3 days, 5,000 transactions"},
		},
		"catalogs that a logical slot holds back, which is how it works": {
			func(f *outlook.Facts) {
				lastState(f).Holders = []pgvigil.Holder{{Kind: pgvigil.HeldBySlot, Name: "cdc", Age: 5e9, Catalog: true}}
			}, nil,
		},
		"a table that autovacuum is not to touch": {
			func(f *outlook.Facts) {
				t := &f.Catalog[0].Tables[0]
				t.Options, t.Counters.DeadTuples = []string{"autovacuum_enabled=off"}, 300_000
			},
			[]string{"ticket vacuum overdue public.jobs unknown: 300,000 dead rows, come at 200,050, switched off for the table"},
		},
		"a table that vacuum cannot clean": {
			func(f *outlook.Facts) {
				t := &f.Catalog[0].Tables[0]
				t.Counters.DeadTuples, t.LastVacuum = 500_000, monday.Add(23*time.Hour)
				lastState(f).Holders[0].Since = monday.Add(22*time.Hour + 30*time.Minute)
			},
			[]string{
				"ticket vacuum held back 7 unknown: process 7",
				"ticket vacuum overdue public.jobs unknown: may not remove them: the transaction of process 7 (active)",
			},
		},
		"a table with its own threshold": {
			func(f *outlook.Facts) {
				t := &f.Catalog[0].Tables[0]
				t.Options, t.Counters.DeadTuples = []string{"autovacuum_vacuum_scale_factor=0.8"}, 500_000
			}, nil,
		},
		"a vacuum that is under way": {
			func(f *outlook.Facts) {
				f.Catalog[0].Tables[0].Counters.DeadTuples = 500_000
				lastState(f).Progress = []pgvigil.Progress{{Kind: "vacuum", Key: pgvigil.RelationKey{DBID: 5, RelID: 10}}}
			}, nil,
		},
		"workers that never rest": {
			func(f *outlook.Facts) {
				each(f, func(i int, s *pgvigil.ServerState) {
					if i > 2 {
						s.Progress = []pgvigil.Progress{{Kind: "vacuum", Auto: true}, {Kind: "analyze", Auto: true}, {Kind: "vacuum", Auto: true}}
					}
				})
			},
			[]string{"ticket vacuum workers busy autovacuum_max_workers unknown: All 3 autovacuum workers, 73 %"},
		},
		"connections that were nearly used up for a moment": {
			func(f *outlook.Facts) { f.Points[4].State.Connections.Used = 96 },
			[]string{"page connections max_connections unknown: 96 of 97, less 3 reserved"},
		},
		"a standby that is behind": {
			func(f *outlook.Facts) {
				lastState(f).Replicas = []pgvigil.Replica{{Application: "standby_1", State: "streaming", SyncState: "async", LagBytes: 3 << 30, ReplayLag: 10 * time.Minute}}
			},
			[]string{"ticket replication lag standby_1 unknown: 3 GiB of WAL behind, 10 minutes"},
		},
		"a standby that does not replay": {
			func(f *outlook.Facts) { lastState(f).Behind = time.Hour },
			[]string{"ticket replication lag replay unknown: 60 minutes ago"},
		},
		"an index whose build failed": {
			func(f *outlook.Facts) { f.Catalog[0].Indexes[0].Valid = false },
			[]string{"ticket index not valid public.jobs_pkey unknown: 10 MiB"},
		},
		"an index that is being built": {
			func(f *outlook.Facts) {
				f.Catalog[0].Indexes[0].Valid = false
				lastState(f).Progress = []pgvigil.Progress{{Kind: "create index", Key: pgvigil.RelationKey{DBID: 5, RelID: 10}}}
			}, nil,
		},
		"a constraint that nobody validated": {
			func(f *outlook.Facts) { f.Catalog[0].Constraints[0].Validated = false },
			[]string{"report constraint not validated public.jobs.jobs_check unknown: jobs_check of public.jobs"},
		},
		"a setting that waits for a restart": {
			func(f *outlook.Facts) {
				f.Settings = append(f.Settings, pgvigil.Setting{Name: "shared_buffers", Value: "16384", Unit: "8kB", Pending: true})
			},
			[]string{"report restart pending shared_buffers unknown: shared_buffers"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := calm()
			tt.change(&f)
			var got, want []string
			risks := outlook.Of(f).Risks
			for i, said := range tt.want {
				head, parts, _ := strings.Cut(said, ": ")
				want = append(want, head)
				for part := range strings.SplitSeq(parts, ", ") {
					if i < len(risks) && !strings.Contains(risks[i].Text, part) {
						t.Errorf("text %q does not say %q", risks[i].Text, part)
					}
				}
			}
			for _, r := range risks {
				got = append(got, fmt.Sprintf("%s %s %s %s", r.Severity, r.Kind, r.Object, leftWords(r)))
				if r.Remedy == "" || r.Text == "" {
					t.Errorf("%s has no text or no remedy", r.Kind)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("risks (-want +got):\n%s", diff)
			}
		})
	}
}

func leftWords(r pgvigil.Risk) string {
	left, ok := r.Left()
	switch {
	case math.IsInf(r.LeftSeconds, 1):
		return "endless"
	case !ok:
		return "unknown"
	}
	return fmt.Sprintf("%.0f", left.Hours()/24)
}

func TestTheMostUrgentComesFirst(t *testing.T) {
	f := calm()
	f.Catalog[0].Constraints[0].Validated = false
	f.Catalog[0].Indexes[0].Valid = false
	lastState(&f).Slots[0].Status = "lost"
	o := outlook.Of(f)
	var got []pgvigil.Severity
	for _, r := range o.Risks {
		got = append(got, r.Severity)
	}
	if diff := cmp.Diff([]pgvigil.Severity{pgvigil.Page, pgvigil.Ticket, pgvigil.ReportOnly}, got); diff != "" {
		t.Errorf("severities (-want +got):\n%s", diff)
	}
	if o.Counters[pgvigil.ServerWALBytes] != 11*8640<<20 || o.Seconds != 11*8640 || !o.At.Equal(f.Points[10].End) {
		t.Errorf("sums %v over %v s until %s; want those of all points", o.Counters, o.Seconds, o.At)
	}
}

func TestWithoutAPassThereIsNothingToSay(t *testing.T) {
	if o := outlook.Of(outlook.Facts{}); len(o.Risks) != 0 || !o.At.IsZero() {
		t.Errorf("outlook of nothing = %+v", o)
	}
}
