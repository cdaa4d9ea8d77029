package collector_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// stand is a server with something of everything that a state tells.
func stand(t *testing.T, major int) (dsn string) {
	t.Helper()
	s := pgtest.Own(t, major, pgserver.Options{Settings: map[string]string{
		"max_prepared_transactions": "5", "max_connections": "40", "superuser_reserved_connections": "4", "track_io_timing": "on",
	}})
	dsn = s.DSN("postgres")
	pgtest.Exec(t, dsn, `
		CREATE EXTENSION pg_stat_statements;
		CREATE ROLE batch LOGIN CREATEDB;
		CREATE TABLE job (id serial PRIMARY KEY, name text, log text) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_enabled = off);
		ALTER TABLE job ALTER log SET STORAGE EXTERNAL;
		ALTER SEQUENCE job_id_seq AS bigint;
		INSERT INTO job (name, log) SELECT 'j', repeat('x', 9000) FROM generate_series(1, 400);
		SELECT setval('job_id_seq', 2000000000);
		CREATE SEQUENCE backwards INCREMENT -1 MINVALUE -100; SELECT nextval('backwards');
		CREATE SEQUENCE round MAXVALUE 10 CYCLE; SELECT setval('round', 9);
		CREATE SEQUENCE unused;`)
	pgtest.Exec(t, dsn, "SELECT pg_create_physical_replication_slot('forgotten', true)")
	pgtest.Exec(t, dsn, "VACUUM job")
	pgtest.Exec(t, dsn, "BEGIN; INSERT INTO job (name) VALUES ('k'); PREPARE TRANSACTION 'nightly'")
	return dsn
}

// TestHowAServerStands reads what it has used up and what holds it back.
func TestHowAServerStands(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, shared *pgserver.Server) {
		dsn := stand(t, shared.Install.Major)
		building := startBuild(t, dsn)
		// Up to 14 counts come late.
		waitFor(t, dsn, "SELECT pg_stat_get_live_tuples(reltoastrelid) > 0 FROM pg_class WHERE oid = 'public.job'::regclass")
		snap := pass(t, eager(), target(t, dsn))
		for _, w := range snap.Warnings {
			t.Errorf("warning %+v", w)
		}
		s := snap.State
		if c := s.Connections; c.Limit != 40 || c.Reserved != 4 || c.Used < 3 || c.IdleInTx < 1 || c.Open() != 36 {
			t.Errorf("connections %+v; want 40 less 4, three of them used, one idle in a transaction", c)
		}
		prepared := slices.IndexFunc(s.Holders, func(h pgvigil.Holder) bool { return h.Kind == pgvigil.HeldByPrepared })
		if prepared < 0 || s.Holders[prepared].Name != "nightly" || s.Holders[prepared].Database != "postgres" || s.Holders[prepared].Since.IsZero() || s.Holders[prepared].Age < 1 {
			t.Errorf("holders %+v; want the prepared transaction", s.Holders)
		}
		if !slices.ContainsFunc(s.Holders, func(h pgvigil.Holder) bool { return h.Name == fmt.Sprint(building) && h.State == "idle in transaction" }) {
			t.Errorf("holders %+v; want the open transaction of process %d", s.Holders, building)
		}
		if len(s.Slots) != 1 || s.Slots[0].Name != "forgotten" || s.Slots[0].Active || s.Slots[0].Status != "reserved" || s.Slots[0].Safe != -1 || s.Slots[0].Kind != "physical" {
			t.Errorf("slots %+v; want forgotten, which nobody reads", s.Slots)
		}
		if known := !s.Slots[0].InactiveSince.IsZero(); known != (shared.Install.Major >= 17) {
			t.Errorf("inactive since %s on %d", s.Slots[0].InactiveSince, shared.Install.Major)
		}
		if len(s.Progress) != 1 || s.Progress[0].Kind != "create index" || s.Progress[0].Name != "public.job" || s.Progress[0].Auto || s.Progress[0].Phase == "" || s.Progress[0].Since.IsZero() {
			t.Errorf("progress %+v; want the index build", s.Progress)
		}
		if !slices.Contains(snap.Roles, pgvigil.Role{Name: "batch", Rights: "login createdb"}) {
			t.Errorf("roles %+v; want batch", snap.Roles)
		}
		checkSequences(t, s.Sequences)
		checkObjects(t, database(t, snap))
	})
}

// startBuild begins an index build that waits for a transaction, and returns
// that one's process.
func startBuild(t *testing.T, dsn string) uint32 {
	t.Helper()
	ctx := context.Background()
	holder, builder := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	for _, sql := range []string{"BEGIN", "INSERT INTO job (name) VALUES ('open')"} {
		if _, err := holder.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := builder.Exec(ctx, "CREATE INDEX CONCURRENTLY job_name ON job (name)")
		done <- err
	}()
	t.Cleanup(func() {
		_, err := holder.Exec(ctx, "ROLLBACK")
		// The prepared transaction would hold up the build for ever.
		if _, err2 := holder.Exec(ctx, "ROLLBACK PREPARED 'nightly'"); err != nil || err2 != nil {
			t.Errorf("end the transactions: %v, %v", err, err2)
		}
		if err := <-done; err != nil {
			t.Errorf("build the index: %v", err)
		}
	})
	waitFor(t, dsn, "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'")
	return holder.PgConn().PID()
}

func checkSequences(t *testing.T, list []pgvigil.Sequence) {
	t.Helper()
	if len(list) != 2 {
		t.Fatalf("sequences %+v; want two that are in use and end", list)
	}
	job, back := list[0], list[1]
	if job.Schema+"."+job.Name != "public.job_id_seq" || job.Table != "public.job" || job.Column != "id" || job.Type != "integer" ||
		!job.Outgrows || job.Limit != math.MaxInt32 || job.First != 1 || job.Last < 2e9 || job.Used() < 0.93 {
		t.Errorf("sequence %+v; want that of job, which its column ends", job)
	}
	if back.Name != "backwards" || back.Step != -1 || back.First != -1 || back.Limit != -100 || back.Last != -1 || back.Outgrows || back.Used() != 0 {
		t.Errorf("sequence %+v; want backwards, at its beginning", back)
	}
}

func checkObjects(t *testing.T, db pgvigil.DatabaseRead) {
	t.Helper()
	if len(db.Sequences) != 4 || db.DefinitionsAt.IsZero() {
		t.Errorf("%d sequences as of %s; want 4", len(db.Sequences), db.DefinitionsAt)
	}
	i := slices.IndexFunc(db.Extensions, func(e pgvigil.Extension) bool { return e.Name == "pg_stat_statements" })
	if i < 0 || db.Extensions[i].Schema != "public" || db.Extensions[i].Version == "" || db.Extensions[i].Version != db.Extensions[i].Available {
		t.Errorf("extensions %+v; want pg_stat_statements in its latest version", db.Extensions)
	}
	job := table(t, db, "job")
	if want := []string{"autovacuum_vacuum_scale_factor=0.01", "autovacuum_enabled=off"}; !slices.Equal(job.Options, want) {
		t.Errorf("options %q; want %q", job.Options, want)
	}
	if x := job.TOAST; x.RelID == 0 || x.Pages < 400 || x.Live < 1600 || x.Bloat == nil || x.Bloat.Share > 0.2 {
		t.Errorf("TOAST %+v; want 400 values of five chunks, without bloat", x)
	}
	if job.MultiXID < 0 || job.FrozenXID < 1 || job.TotalBytes < pgvigil.Bytes(job.Pages+job.TOAST.Pages)*8192 {
		t.Errorf("job %+v; want ages, and bytes with its TOAST", job)
	}
}

// TestServerCountersOfEachVersion: those of the list are there, grow with what
// the server does, and say when they began anew.
func TestServerCountersOfEachVersion(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		major, dsn := s.Install.Major, pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE x AS SELECT i, repeat('x', 200) FROM generate_series(1, 50000) i")
		c, tg := eager(), target(t, dsn)
		before := pass(t, c, tg)
		for _, info := range pgvigil.ServerMetrics {
			_, has := info.On(major)
			if _, read := before.Counters[info.Metric]; read != has {
				t.Errorf("%s was read: %t; want %t", info.Metric, read, has)
			}
		}
		pgtest.Exec(t, dsn, "CHECKPOINT")
		pgtest.Exec(t, dsn, "UPDATE x SET i = i + 1")
		waitFor(t, dsn, fmt.Sprintf("SELECT wal_bytes > %.0f + 1e6 FROM pg_stat_wal", before.Counters[pgvigil.ServerWALBytes]))
		after := pass(t, c, tg)
		for _, m := range []pgvigil.ServerMetric{pgvigil.CheckpointsRequested, pgvigil.ServerWALBytes, pgvigil.ServerWALRecords, pgvigil.CheckpointBuffers} {
			if !(after.Counters[m] > before.Counters[m]) {
				t.Errorf("%s went from %v to %v; want it to grow", m, before.Counters[m], after.Counters[m])
			}
		}
		if major >= 16 && !(after.Counters[pgvigil.IOReadBytes] > 0) {
			t.Errorf("read bytes = %v; want some", after.Counters[pgvigil.IOReadBytes])
		}
		pgtest.Exec(t, dsn, "SELECT pg_stat_reset_shared('wal')")
		waitFor(t, dsn, "SELECT w.stats_reset > b.stats_reset FROM pg_stat_wal w, pg_stat_bgwriter b")
		reset := pass(t, c, tg)
		moved := !reset.Resets["pg_stat_wal"].Equal(after.Resets["pg_stat_wal"])
		if others := !reset.Resets["pg_stat_bgwriter"].Equal(after.Resets["pg_stat_bgwriter"]); !moved || others || reset.Counters[pgvigil.ServerWALBytes] >= after.Counters[pgvigil.ServerWALBytes] {
			t.Errorf("resets %v, then %v; want that of pg_stat_wal alone to move", after.Resets, reset.Resets)
		}
	})
}

// TestSequencesThatTheRoleMayNotRead are named, with the remedy, and not guessed.
func TestSequencesThatTheRoleMayNotRead(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		role := fmt.Sprintf("counts%d", s.Port)
		pgtest.Exec(t, dsn, "DROP ROLE IF EXISTS "+role+"; CREATE ROLE "+role+" LOGIN; GRANT pg_monitor TO "+role+"; CREATE SEQUENCE hidden; SELECT nextval('hidden')")
		snap := pass(t, eager(), target(t, as(dsn, role)))
		db := database(t, snap)
		if len(db.Sequences) != 1 || db.Sequences[0].Known || db.Sequences[0].Used() != 0 || len(snap.State.Sequences) != 0 {
			t.Errorf("sequences %+v; want one whose last number is unknown", db.Sequences)
		}
		i := slices.IndexFunc(snap.Warnings, func(w pgvigil.Warning) bool { return w.Code == "sequences-hidden" })
		if i < 0 || !strings.Contains(snap.Warnings[i].Remedy, role) {
			t.Errorf("warnings %v; want sequences-hidden with a GRANT to the role", snap.Warnings)
		}
	})
}

// TestBloatOfTOASTIsALowerBound: against what VACUUM FULL leaves.
func TestBloatOfTOASTIsALowerBound(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, `CREATE EXTENSION pg_stat_statements;
			CREATE TABLE long (id int, v text) WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off);
			CREATE TABLE mixed (id int, v text) WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off);
			CREATE TABLE never (id int, v text) WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off);
			ALTER TABLE long ALTER v SET STORAGE EXTERNAL; ALTER TABLE mixed ALTER v SET STORAGE EXTERNAL; ALTER TABLE never ALTER v SET STORAGE EXTERNAL;
			INSERT INTO long SELECT i, repeat('x', 20000) FROM generate_series(1, 300) i;
			INSERT INTO mixed SELECT i, repeat('x', 2100 + i * 7) FROM generate_series(1, 1000) i;
			INSERT INTO never SELECT i, repeat('x', 5000) FROM generate_series(1, 200) i;
			DELETE FROM long WHERE id % 2 = 0; DELETE FROM mixed WHERE id % 3 > 0; DELETE FROM never WHERE id > 5;`)
		pgtest.Exec(t, dsn, "VACUUM long")
		pgtest.Exec(t, dsn, "VACUUM mixed")
		settled(t, dsn, "mixed", "vacuum_count = 1")
		before := database(t, pass(t, eager(), target(t, dsn)))
		pgtest.Exec(t, dsn, "VACUUM FULL")
		after := database(t, pass(t, eager(), target(t, dsn)))
		for name, slack := range map[string]float64{"long": 0.05, "mixed": 0.3} {
			x := table(t, before, name).TOAST
			truth := 1 - float64(table(t, after, name).TOAST.Pages)/float64(x.Pages)
			if x.Bloat == nil || x.Bloat.Share > truth+0.02 || x.Bloat.Share < truth-slack {
				t.Errorf("%s: %+v; a rewrite freed %.2f", name, x.Bloat, truth)
			}
		}
		if b := table(t, before, "never").TOAST.Bloat; b != nil {
			t.Errorf("bloat %+v of a TOAST table whose chunks nobody counted; want unknown", b)
		}
	})
}
