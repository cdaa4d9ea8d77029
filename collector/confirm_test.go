package collector_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// bloatWorld has a table and its index of which half is bloat, and a smaller one.
func bloatWorld(t *testing.T) string {
	t.Helper()
	dsn := pgtest.Database(t, pgtest.Server(t, 18))
	pgtest.Exec(t, dsn, "CREATE EXTENSION pgstattuple; CREATE TABLE large (a int PRIMARY KEY, t text)"+noVacuum+"; CREATE TABLE small (LIKE large)"+noVacuum+
		"; INSERT INTO large SELECT i, md5(i::text) FROM generate_series(1, 20000) i; DELETE FROM large WHERE a % 2 = 0"+
		"; INSERT INTO small SELECT i, md5(i::text) FROM generate_series(1, 10000) i; DELETE FROM small WHERE a % 2 = 0")
	settled(t, dsn, "large", "n_tup_del > 0")
	pgtest.Exec(t, dsn, "ANALYZE")
	settled(t, dsn, "large", "analyze_count = 1")
	return dsn
}

// within is a collector with a budget and a clock.
func within(b collector.BloatBudget, now func() time.Time) *collector.Collector {
	return collector.New(collector.Options{
		Describe: echo, CatalogEvery: time.Nanosecond, Log: slog.New(slog.DiscardHandler), Bloat: b, Now: now,
	})
}

// clock moves by a step, a millisecond unless set, at each reading.
type clock struct {
	at   time.Time
	step time.Duration
}

func (c *clock) now() time.Time {
	c.at = c.at.Add(max(c.step, time.Millisecond))
	return c.at
}

func bloatOf(t *testing.T, snap *pgvigil.Snapshot, name string) pgvigil.Bloat {
	t.Helper()
	b := table(t, database(t, snap), name).Bloat
	if b == nil {
		return pgvigil.Bloat{Method: "unknown"}
	}
	return *b
}

func TestAMeasurementIsRememberedUntilTheTableChangedMuch(t *testing.T) {
	dsn := bloatWorld(t)
	k := &clock{at: time.Now()}
	c, tg := within(collector.BloatBudget{Floor: 1}, k.now), target(t, dsn)
	first := pass(t, c, tg)
	one := bloatOf(t, first, "large")
	if one.Method != "pgstattuple_approx" || !one.At.Equal(first.At) {
		t.Fatalf("bloat = %+v; want it measured at %v", one, first.At)
	}
	change := func(where string, changed string) {
		pgtest.Exec(t, dsn, "UPDATE large SET t = t WHERE "+where)
		settled(t, dsn, "large", changed)
	}
	change("a < 1000", "n_tup_upd > 0")
	two := bloatOf(t, pass(t, c, tg), "large")
	if !two.At.Equal(one.At) || two.Error <= one.Error || two.Share != one.Share {
		t.Errorf("after a twentieth changed: %+v; want what was measured, with a wider error than %v", two, one.Error)
	}
	again := within(collector.BloatBudget{Floor: 1}, k.now)
	restarted := collector.New(collector.Options{
		Describe: echo, CatalogEvery: time.Nanosecond, Now: k.now, Bloat: collector.BloatBudget{Floor: 1}, Log: slog.New(slog.DiscardHandler),
		Catalog: func(context.Context, pgvigil.Server) ([]pgvigil.DatabaseRead, error) { return first.Databases, nil },
	})
	if b := bloatOf(t, pass(t, restarted, tg), "large"); !b.At.Equal(one.At) {
		t.Errorf("after a restart with a history: %+v; want what was measured at %v", b, one.At)
	}
	if b := bloatOf(t, pass(t, again, tg), "large"); b.At.Equal(one.At) {
		t.Errorf("after a restart without a history: %+v; want it measured again", b)
	}
	change("a < 8000", "n_tup_upd > 3000")
	if b := bloatOf(t, pass(t, c, tg), "large"); b.At.Equal(one.At) || b.Method != "pgstattuple_approx" {
		t.Errorf("after much has changed: %+v; want it measured again", b)
	}
	pgtest.Exec(t, dsn, "VACUUM FULL large")
	if b := bloatOf(t, pass(t, c, tg), "large"); b.Share > 0.03 {
		t.Errorf("after VACUUM FULL: %+v; want no bloat", b)
	}
}

func TestMeasuringKeepsItsBudget(t *testing.T) {
	dsn := bloatWorld(t)
	tg := target(t, dsn)
	size := func(snap *pgvigil.Snapshot, name string) pgvigil.Bytes {
		return pgvigil.Bytes(table(t, database(t, snap), name).Pages * 8192)
	}
	k := &clock{at: time.Now()}
	plain := pass(t, within(collector.BloatBudget{PassBytes: -1}, k.now), tg)
	large, small := size(plain, "large"), size(plain, "small")
	tests := map[string]struct {
		budget       collector.BloatBudget
		large, small string
		step         time.Duration
	}{
		"off":                       {collector.BloatBudget{Floor: 1, PassBytes: -1}, "estimate", "estimate", 0},
		"worth it from a floor":     {collector.BloatBudget{Floor: large / 3}, "pgstattuple_approx", "estimate", 0},
		"too large for a pass":      {collector.BloatBudget{Floor: 1, PassBytes: large - 1}, "estimate", "pgstattuple_approx", 0},
		"the most suspicious first": {collector.BloatBudget{Floor: 1, PassBytes: large}, "pgstattuple_approx", "estimate", 0},
		"a day's bytes":             {collector.BloatBudget{Floor: 1, DayBytes: large + small - 1}, "pgstattuple_approx", "estimate", 0},
		"a pass's seconds":          {collector.BloatBudget{Floor: 1, PassTime: 15 * time.Second}, "pgstattuple_approx", "estimate", 20 * time.Second},
	}
	for name, tt := range tests {
		k := &clock{at: time.Now(), step: tt.step}
		snap := pass(t, within(tt.budget, k.now), tg)
		if l, s := bloatOf(t, snap, "large"), bloatOf(t, snap, "small"); l.Method != tt.large || s.Method != tt.small {
			t.Errorf("%s: large by %s, small by %s; want %s and %s", name, l.Method, s.Method, tt.large, tt.small)
		}
	}
	spent := within(collector.BloatBudget{Floor: 1, DayBytes: large}, k.now)
	pass(t, spent, tg)
	if b := bloatOf(t, pass(t, spent, tg), "small"); b.Method != "estimate" {
		t.Errorf("with the day's bytes spent, small by %s; want an estimate", b.Method)
	}
	k.at = k.at.Add(25 * time.Hour)
	if b := bloatOf(t, pass(t, spent, tg), "small"); b.Method != "pgstattuple_approx" {
		t.Errorf("a day later, small by %s; want it measured", b.Method)
	}
}

// TestAMeasurementThatWouldWaitIsNotMadeNow: another session holds the table,
// and later lets it go.
func TestAMeasurementThatWouldWaitIsNotMadeNow(t *testing.T) {
	dsn := bloatWorld(t)
	k := &clock{at: time.Now()}
	c, tg := within(collector.BloatBudget{Floor: 1}, k.now), target(t, dsn)
	ctx := context.Background()
	tx, err := pgtest.Connect(t, dsn).Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE large IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	snap := pass(t, c, tg)
	if b := bloatOf(t, snap, "large"); b.Method != "estimate" {
		t.Errorf("beside a lock: %+v; want an estimate", b)
	}
	if b := bloatOf(t, snap, "small"); b.Method != "pgstattuple_approx" {
		t.Errorf("what nobody locks: %+v; want it measured", b)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if b := bloatOf(t, pass(t, c, tg), "large"); b.Method != "estimate" {
		t.Errorf("in the next pass: %+v; want it to rest", b)
	}
	k.at = k.at.Add(2 * time.Hour)
	if b := bloatOf(t, pass(t, c, tg), "large"); b.Method != "pgstattuple_approx" {
		t.Errorf("two hours later: %+v; want it measured", b)
	}
}

// TestWithoutStatisticsBloatIsMeasuredOrUnknown: pg_monitor sees no statistics
// of columns, but may measure.
func TestWithoutStatisticsBloatIsMeasuredOrUnknown(t *testing.T) {
	dsn := bloatWorld(t)
	s := pgtest.Server(t, 18)
	for role, want := range map[string]string{"pg_monitor": "pgstattuple_approx", "pg_read_all_stats": "unknown", "pg_read_all_data": "estimate"} {
		name := fmt.Sprintf("b%d_%s", s.Port, role[3:])
		pgtest.Exec(t, dsn, "DROP ROLE IF EXISTS "+name+"; CREATE ROLE "+name+" LOGIN; GRANT "+role+" TO "+name)
		k := &clock{at: time.Now()}
		if b := bloatOf(t, pass(t, within(collector.BloatBudget{Floor: 1}, k.now), target(t, as(dsn, name))), "large"); b.Method != want {
			t.Errorf("%s: bloat = %+v; want it %s", role, b, want)
		}
	}
}

// TestAMeasurementThatTakesTooLongIsCancelled by the server, and rests.
func TestAMeasurementThatTakesTooLongIsCancelled(t *testing.T) {
	dsn := bloatWorld(t)
	pgtest.Exec(t, dsn, "INSERT INTO large SELECT i, repeat(md5(i::text), 30) FROM generate_series(100000, 130000) i; ANALYZE large; UPDATE large SET t = t WHERE a % 2 = 0")
	k := &clock{at: time.Now()}
	c := within(collector.BloatBudget{Floor: 1, CallTime: time.Millisecond}, k.now)
	snap := pass(t, c, target(t, dsn))
	if b := bloatOf(t, snap, "large"); b.Method == "pgstattuple_approx" || len(snap.Warnings) > 1 {
		t.Errorf("bloat = %+v, warnings %v; want no measurement in a millisecond, and no warning of it", b, snap.Warnings)
	}
}
