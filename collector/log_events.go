package collector

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector/serverlog"
)

// cancelled tells of calls that were cancelled. Other errors are counted alone.
func (d *digest) cancelled(f *pgvigil.FailedCalls) {
	if f.Reason == pgvigil.FailedOtherwise || f.Reason == pgvigil.FailedDeadlock {
		return
	}
	e := pgvigil.Event{
		DBID: f.DBID, At: f.First, Kind: pgvigil.EventCancelled, Object: d.label(f.Fingerprint), Table: d.tableOf(f.Fingerprint),
		After: string(f.Reason), Fingerprint: f.Fingerprint,
	}
	if f.Calls > 1 {
		e.Count = f.Calls
	}
	d.add(e)
}

func (d *digest) tempEvent(key queryKey, t *tempFiles) {
	e := pgvigil.Event{
		DBID: key.dbid, At: t.first, Kind: pgvigil.EventTempFiles, Object: d.label(key.fingerprint), Table: d.tableOf(key.fingerprint),
		After: fmt.Sprintf("%.1f MB in %d files", float64(t.bytes)/(1<<20), t.count), Fingerprint: key.fingerprint,
	}
	if t.count > 1 {
		e.Count = t.count
	}
	d.add(e)
}

// label names a query for people: verb and tables, or its fingerprint.
func (d *digest) label(f pgvigil.Fingerprint) string {
	q := d.queries[f]
	if q.Verb == "" || len(q.Tables) == 0 {
		return f.String()
	}
	return q.Verb + " " + strings.Join(q.Tables[:min(3, len(q.Tables))], ", ")
}

func (d *digest) tableOf(f pgvigil.Fingerprint) string {
	if q := d.queries[f]; len(q.Tables) > 0 {
		return q.Tables[0][strings.LastIndexByte(q.Tables[0], '.')+1:]
	}
	return ""
}

// deadlockProcess is the statement of one process in a deadlock's detail.
var deadlockProcess = regexp.MustCompile(`(?m)^Process ([0-9]+): `)

// deadlock tells who stood in whose way: the statement that was cancelled, and
// the others.
func (d *digest) deadlock(r *serverlog.Record, victim pgvigil.Query) {
	var others []string
	at := deadlockProcess.FindAllStringSubmatchIndex(r.Detail, 20)
	for i, m := range at {
		end := len(r.Detail)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		if r.Detail[m[2]:m[3]] == strconv.Itoa(r.PID) {
			continue
		}
		text := strings.TrimSpace(r.Detail[m[1]:end])
		if q := d.describe(r.Database, text, false); q.Fingerprint != 0 {
			others = append(others, d.label(q.Fingerprint)+" ("+q.Fingerprint.String()+")")
		}
	}
	slices.Sort(others)
	d.add(pgvigil.Event{
		DBID: d.dbs[r.Database], At: d.at(r), Kind: pgvigil.EventDeadlock, Object: d.label(victim.Fingerprint), Table: d.tableOf(victim.Fingerprint),
		After: "with " + strings.Join(slices.Compact(others), ", "), Fingerprint: victim.Fingerprint,
	})
}

var (
	vacuumedTable = regexp.MustCompile(`^automatic (?:aggressive )?vacuum (?:to prevent wraparound )?of table "([^"]+)"`)
	cancelledTask = regexp.MustCompile(`automatic (vacuum|analyze) of table "([^"]+)"`)
	vacuumKept    = regexp.MustCompile(`(?m)^tuples: ([0-9]+) removed, [0-9]+ remain, ([0-9]+) are dead but not yet removable`)
	vacuumElapsed = regexp.MustCompile(`elapsed: ([0-9.]+) s`)
)

// A vacuum is an event when it took long, or left much behind because somebody
// may still see it.
const (
	slowVacuum = 10 * time.Second
	keptRows   = 1000
)

func (d *digest) vacuumed(r *serverlog.Record) {
	m := vacuumedTable.FindStringSubmatch(r.Message)
	if m == nil {
		return
	}
	removed, kept := "", 0
	if t := vacuumKept.FindStringSubmatch(r.Message); t != nil {
		removed = t[1]
		kept, _ = strconv.Atoi(t[2]) // too many for an int would be 0
	}
	var took time.Duration
	if t := vacuumElapsed.FindStringSubmatch(r.Message); t != nil {
		seconds, _ := strconv.ParseFloat(t[1], 64)
		took = time.Duration(seconds * float64(time.Second))
	}
	if kept < keptRows && took < slowVacuum {
		return
	}
	after := fmt.Sprintf("%s dead rows removed, %d kept because a transaction may still see them, in %s", removed, kept, took.Round(time.Millisecond))
	d.tableEvent(r, m[1], pgvigil.EventVacuumed, after)
}

// vacuumCancelled tells of an autovacuum that made way for somebody.
func (d *digest) vacuumCancelled(r *serverlog.Record) {
	if m := cancelledTask.FindStringSubmatch(r.Context); m != nil {
		d.tableEvent(r, m[2], pgvigil.EventCancelled, "automatic "+m[1]+" made way for a lock")
	}
}

// tableEvent keeps an event of a table that the log names "database.schema.table".
func (d *digest) tableEvent(r *serverlog.Record, name string, kind pgvigil.EventKind, after string) {
	database, rest, _ := strings.Cut(name, ".")
	schema, table, ok := strings.Cut(rest, ".")
	dbid, known := d.dbs[database]
	if !ok || !known || schema == "pg_catalog" || schema == "information_schema" {
		return
	}
	d.add(pgvigil.Event{DBID: dbid, At: d.at(r), Kind: kind, Object: schema + "." + table, Table: table, After: after})
}
