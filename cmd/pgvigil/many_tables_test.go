package main

import (
	"runtime"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// manyTables makes 10,000 tables with a key each, in transactions that the
// table of locks holds.
const manyTables = `DO $$ BEGIN
	FOR i IN 1..10000 LOOP
		EXECUTE format('CREATE TABLE part_%s (id int PRIMARY KEY, v int)', i);
		IF i % 500 = 0 THEN COMMIT; END IF;
	END LOOP;
END $$`

// TestTenThousandTablesBetweenTwoPasses: the pass reads them all within its
// time, tells of them as one event, and the next one costs no more than a pass
// over so many tables does.
func TestTenThousandTablesBetweenTwoPasses(t *testing.T) {
	s := pgtest.Own(t, 18, pgserver.Options{})
	pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE ci")
	dsn := s.DSN("ci")
	pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements")
	w := compare(t, dsn)
	w.collector = collector.New(collector.Options{})
	w.pass()
	pgtest.Exec(t, dsn, manyTables)
	var was, is runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&was)
	began := time.Now()
	step := w.pass()
	took := time.Since(began)
	runtime.ReadMemStats(&is)
	t.Logf("the pass took %v and allocated %d MiB, %d MiB of them live", took, (is.TotalAlloc-was.TotalAlloc)>>20, (is.HeapAlloc-was.HeapAlloc)>>20)
	if len(step.Events) != 1 || step.Events[0].Kind != pgvigil.EventTableCreated || step.Events[0].Count != 10_000 {
		t.Errorf("%d events, the first %+v; want one of 10,000 tables", len(step.Events), step.Events[:min(1, len(step.Events))])
	}
	if live := (is.HeapAlloc - was.HeapAlloc) >> 20; live > 200 {
		t.Errorf("%d MiB are live after the pass; want at most 200", live)
	}
	if n := len(w.state.Databases[0].Read.Tables); n != 10_000 {
		t.Errorf("%d tables are known; want 10,000", n)
	}
	if again := w.pass(); len(again.Events) != 0 {
		t.Errorf("events of the next pass: %q", said(again.Events))
	}
}
