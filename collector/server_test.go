package collector_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func setting(snap *pgvigil.Snapshot, scope, name string) (found []string) {
	for _, s := range snap.Settings {
		if s.Scope == scope && s.Name == name {
			found = append(found, s.Value)
		}
	}
	return found
}

// TestSettingsAreTheServersNotOurs: our own session has JIT off and timeouts.
func TestSettingsAreTheServersNotOurs(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{Settings: map[string]string{
			"jit": "on", "statement_timeout": "33s", "lock_timeout": "44s", "work_mem": "5MB", "random_page_cost": "1.1",
		}})
		pgtest.Exec(t, s.DSN("postgres"), `
			CREATE EXTENSION pg_stat_statements;
			CREATE ROLE batch; ALTER ROLE batch SET work_mem = '1GB';
			ALTER DATABASE postgres SET random_page_cost = 2;
			ALTER ROLE batch IN DATABASE postgres SET enable_seqscan = off;
			ALTER DATABASE template1 SET seq_page_cost = 3;`)
		snap := pass(t, eager(), target(t, s.DSN("postgres")))
		for _, want := range []struct{ scope, name, value string }{
			{"", "jit", "on"},
			{"", "statement_timeout", "33000"},
			{"", "lock_timeout", "44000"},
			{"", "work_mem", "5120"},
			{"", "pg_stat_statements.max", "5000"},
			{"", "shared_buffers", "16384"},
			{"role=batch", "work_mem", "1GB"},
			{"database=postgres", "random_page_cost", "2"},
			{"database=postgres role=batch", "enable_seqscan", "off"},
			{"database=template1", "seq_page_cost", "3"},
		} {
			if got := setting(snap, want.scope, want.name); !slices.Equal(got, []string{want.value}) {
				t.Errorf("%s %q = %v; want %s", want.name, want.scope, got, want.value)
			}
		}
		if got := setting(snap, "", "random_page_cost"); len(got) != 0 {
			t.Errorf("random_page_cost of the server = %v, though our session cannot see it", got)
		}
	})
}

// TestASilentServerWarns: with query ids or tracking off nothing is counted.
func TestASilentServerWarns(t *testing.T) {
	s := pgtest.Own(t, 18, pgserver.Options{Settings: map[string]string{"compute_query_id": "off", "pg_stat_statements.track": "none"}})
	pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements")
	snap := pass(t, eager(), target(t, s.DSN("postgres")))
	if got, want := codes(snap.Warnings), []string{"query-ids-off", "tracking-off"}; !slices.Equal(got, want) {
		t.Errorf("warnings = %v; want %v", got, want)
	}
}

func TestAStandbyIsToldFromItsPrimary(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, shared *pgserver.Server) {
		s := pgtest.Own(t, shared.Install.Major, pgserver.Options{})
		pgtest.Exec(t, s.DSN("postgres"), "CREATE EXTENSION pg_stat_statements; CREATE TABLE x (id int PRIMARY KEY); CREATE UNLOGGED TABLE u (id int PRIMARY KEY)")
		c, tg := eager(), target(t, s.DSN("postgres"))
		primary := pass(t, c, tg).Server
		if err := s.Halt(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.DataDir(), "standby.signal"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		snap := pass(t, c, tg)
		if !snap.Server.InRecovery || snap.Server.SystemID != primary.SystemID || snap.Server.Timeline != 1 || !snap.Server.PostmasterStart.After(primary.PostmasterStart) {
			t.Errorf("standby = %+v, primary = %+v", snap.Server, primary)
		}
		if len(snap.Warnings) != 0 || len(database(t, snap).Tables) != 2 || !snap.Statements.OK {
			t.Errorf("a standby's pass has warnings %v, tables %v", snap.Warnings, database(t, snap).Tables)
		}
	})
}

func TestReplicasOfAPrimary(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		ctx := context.Background()
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements")
		conn, err := pgconn.Connect(ctx, s.DSN("postgres")+" replication=true application_name=standby_1")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(ctx) }() // the server is still there; the test is over
		results, err := conn.Exec(ctx, "IDENTIFY_SYSTEM").ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		position := string(results[0].Rows[0][2])
		reader := conn.Exec(ctx, "START_REPLICATION PHYSICAL "+position)
		defer func() { _ = reader }()
		waitFor(t, dsn, "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
		snap := pass(t, eager(), target(t, dsn))
		if len(snap.State.Replicas) != 1 || snap.State.Replicas[0].Application != "standby_1" || snap.State.Replicas[0].State != "streaming" || snap.State.Replicas[0].SyncState != "async" {
			t.Errorf("replicas = %+v; want standby_1 streaming", snap.State.Replicas)
		}
	})
}

func TestTextsAreFetchedOnlyWhenUnknownAndNotTooOften(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE first_one (id int)")
		now := time.Now()
		c := newCollector(func() time.Time { return now })
		tg := target(t, dsn)
		first := pass(t, c, tg)
		if _, n := counted(first, first.Queries, database(t, first).OID, "CREATE TABLE first_one"); n != 1 || len(first.Queries) != len(first.Statements.List) {
			t.Errorf("the first pass has %d texts of %d statements", len(first.Queries), len(first.Statements.List))
		}
		pgtest.Exec(t, dsn, "CREATE TABLE second_one (id int)")
		if early := pass(t, c, tg); len(early.Queries) != 0 {
			t.Errorf("%d texts were fetched before their time", len(early.Queries))
		}
		now = now.Add(11 * time.Minute)
		late := pass(t, c, tg)
		if _, n := counted(late, late.Queries, database(t, late).OID, "CREATE TABLE second_one"); n != 1 {
			t.Errorf("the text is not among the %d fetched", len(late.Queries))
		}
		if len(late.Queries) >= len(late.Statements.List) {
			t.Errorf("%d texts of %d statements were fetched again", len(late.Queries), len(late.Statements.List))
		}
	})
}

func TestLongTextsAreCutByTheServer(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements")
		long := "SELECT relname"
		for i := range 1500 {
			long += fmt.Sprintf(", relname AS c%d", i)
		}
		conn := pgtest.Connect(t, dsn)
		if _, err := conn.Exec(context.Background(), long+" FROM pg_class"); err != nil {
			t.Fatal(err)
		}
		snap := pass(t, eager(), target(t, dsn))
		longest := pgvigil.Query{}
		for _, q := range snap.Queries {
			if len(q.Text) > len(longest.Text) {
				longest = q
			}
		}
		if len(longest.Text) != 16<<10 || !longest.Truncated || len(longest.Warnings) != 1 {
			t.Errorf("the longest text has %d bytes, truncated %v, warnings %v", len(longest.Text), longest.Truncated, longest.Warnings)
		}
	})
}
