package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/postgres"
	"github.com/pgvigil/pgvigil/internal/store/storetest"
)

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	newest := pgtest.Majors[len(pgtest.Majors)-1]
	s := pgtest.Server(t, newest)
	newer := pgtest.Database(t, s)
	if err := place(newer)(t, store.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, newer, "INSERT INTO pgvigil.schema_versions VALUES (999, 'x')")
	poor := pgtest.Database(t, s)
	pgtest.Exec(t, poor, "CREATE ROLE poor LOGIN PASSWORD 'very-secret'")
	t.Cleanup(func() { pgtest.Exec(t, s.DSN("postgres"), "DROP ROLE poor") })
	tests := map[string]struct {
		dsn    string
		want   error // nil for any
		advice string
	}{
		"no DSN at all":            {"postgres://%%%very-secret/x", nil, "write it like postgres://user@host"},
		"a database that is not":   {s.DSN("missing"), nil, "name an existing database"},
		"nobody listens":           {"host=127.0.0.1 port=1 password=very-secret", nil, "check host and port"},
		"no right to create in it": {strings.Replace(poor, "user=postgres", "user=poor", 1) + " password=very-secret", store.ErrUnwritable, "GRANT CREATE ON DATABASE"},
		"a newer history":          {newer, store.ErrNewer, "use the pgvigil that wrote it"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), pgvigil.Secret(tt.dsn), postgres.Options{})
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(pgvigil.Advice(err), tt.advice) {
				t.Fatalf("error %v, advice %q; want %v and %q", err, pgvigil.Advice(err), tt.want, tt.advice)
			}
			if strings.Contains(err.Error(), "very-secret") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// damaged makes a small history and does something to its tables.
func damaged(t *testing.T, s *pgserver.Server, script string) store.History {
	t.Helper()
	dsn := pgtest.Database(t, s)
	h, w := place(dsn)(t, store.Options{}), storetest.NewWorld(2)
	t.Cleanup(func() { _ = h.Close() })
	for range 4 {
		if _, err := h.Record(t.Context(), w.Pass(time.Minute)); err != nil {
			t.Fatal(err)
		}
		w.Work(0, 5, 1, 1)
		w.Work(1, 5, 1, 1)
	}
	pgtest.Exec(t, dsn, "SET search_path = pgvigil; "+script)
	return h
}

func TestCheckFindsWhatMustNotBe(t *testing.T) {
	s := pgtest.Server(t, pgtest.Majors[len(pgtest.Majors)-1])
	tests := map[string]struct{ script, want string }{
		"a negative counter":           {"UPDATE intervals_recent SET calls = -1 WHERE pass_id = 3", "2 intervals have a counter that is negative"},
		"an infinite counter":          {"UPDATE intervals_recent SET exec_ms = 'Infinity' WHERE pass_id = 3", "2 intervals have a counter that is negative or no number"},
		"an interval that ends early":  {"UPDATE intervals_recent SET end_at = start_at WHERE pass_id = 3", "2 intervals end before"},
		"intervals that overlap":       {"UPDATE intervals_recent SET start_at = start_at - interval '1 s' WHERE pass_id = 3", "2 intervals begin before"},
		"an interval twice":            {"INSERT INTO intervals_closed SELECT * FROM intervals_recent WHERE pass_id = 3", "2 statements have two intervals"},
		"intervals of no pass":         {"DELETE FROM passes WHERE id = 3", "2 intervals belong to no pass"},
		"intervals that are missing":   {"DELETE FROM intervals_recent WHERE pass_id = 3", "1 passes have more or fewer"},
		"a label without its query":    {"UPDATE statements SET method = 'parse'", "2 statements have a fingerprint without"},
		"a last snapshot that is torn": {"UPDATE last_snapshots SET counters = substr(counters, 1, 40)", "last snapshot of server 1 cannot be read"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := damaged(t, s, tt.script).Check(t.Context())
			if err != nil || c.OK || !strings.Contains(strings.Join(c.Problems, "; "), tt.want) {
				t.Errorf("check = %+v, %v; want a problem that says %q", c, err, tt.want)
			}
		})
	}
}

// TestAMetricThatIsNewGetsItsColumn: adding one to pgvigil.Metrics is enough.
func TestAMetricThatIsNewGetsItsColumn(t *testing.T) {
	s := pgtest.Server(t, pgtest.Majors[len(pgtest.Majors)-1])
	dsn := pgtest.Database(t, s)
	if err := place(dsn)(t, store.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, "ALTER TABLE pgvigil.intervals_recent DROP COLUMN wal_bytes; ALTER TABLE pgvigil.intervals_closed DROP COLUMN rows")
	h, w := place(dsn)(t, store.Options{}), storetest.NewWorld(2)
	t.Cleanup(func() { _ = h.Close() })
	for range 2 {
		if _, err := h.Record(t.Context(), w.Pass(time.Minute)); err != nil {
			t.Error(err)
		}
		w.Work(0, 1, 1, 1)
	}
	if _, err := h.Series(t.Context(), pgvigil.SeriesFilter{Server: 1}); err != nil {
		t.Error(err)
	}
}

// TestTwoProcessesTakeTurns: both record passes into one history.
func TestTwoProcessesTakeTurns(t *testing.T) {
	dsn := pgtest.Database(t, pgtest.Server(t, pgtest.Majors[0]))
	a, w := place(dsn)(t, store.Options{}), storetest.NewWorld(2)
	b := place(dsn)(t, store.Options{})
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	for i := range 6 {
		h := []store.History{a, b}[i%2]
		r, err := h.Record(t.Context(), w.Pass(time.Minute))
		if err != nil || i > 0 && len(r.Points) != 1 {
			t.Fatalf("pass %d: %+v, %v; want a point", i, r, err)
		}
		w.Work(0, 1, 1, 1)
	}
	if c, err := a.Check(t.Context()); err != nil || !c.OK || c.Passes != 6 {
		t.Errorf("check = %+v, %v; want 6 passes", c, err)
	}
}
