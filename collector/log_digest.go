package collector

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector/plan"
	"github.com/pgvigil/pgvigil/collector/serverlog"
	"github.com/pgvigil/pgvigil/query"
)

// Bounds of what one pass takes out of a log.
const (
	maxTexts     = 2000 // texts described
	maxLogPlans  = 200
	maxLogEvents = 50 // of each kind
)

// digest turns records of a log into what may leave the collector: counts,
// events and plans of queries by their fingerprint, without any constant.
type digest struct {
	*pass
	texts   map[string]pgvigil.Query // by database and text
	dbs     map[string]pgvigil.OID
	names   map[pgvigil.OID]plan.Names
	failed  map[failedKey]*pgvigil.FailedCalls
	temp    map[queryKey]*tempFiles
	plans   map[planSight]*pgvigil.Plan
	events  []pgvigil.Event
	queries map[pgvigil.Fingerprint]pgvigil.Query
}

type queryKey struct {
	dbid        pgvigil.OID
	fingerprint pgvigil.Fingerprint
}

type failedKey struct {
	queryKey
	reason pgvigil.FailReason
}

type planSight struct {
	queryKey
	hash pgvigil.PlanHash
}

// tempFiles are the temporary files of one query.
type tempFiles struct {
	count int
	bytes int64
	first time.Time
}

func newDigest(p *pass) *digest {
	d := &digest{
		pass: p, texts: map[string]pgvigil.Query{}, dbs: map[string]pgvigil.OID{}, names: map[pgvigil.OID]plan.Names{},
		failed: map[failedKey]*pgvigil.FailedCalls{}, temp: map[queryKey]*tempFiles{}, plans: map[planSight]*pgvigil.Plan{},
		queries: map[pgvigil.Fingerprint]pgvigil.Query{},
	}
	for i := range p.snap.Databases {
		d.dbs[p.snap.Databases[i].Name] = p.snap.Databases[i].OID
	}
	return d
}

// take reads one record. What pgvigil itself does is left out.
func (d *digest) take(r *serverlog.Record) {
	if r.App == applicationName {
		return
	}
	switch {
	case strings.HasPrefix(r.Message, "duration: ") && strings.Contains(r.Message, " plan:\n"):
		d.planned(r)
	case strings.HasPrefix(r.Message, "temporary file: "):
		d.spilled(r)
	case strings.HasPrefix(r.Message, "automatic ") && strings.Contains(r.Message, " vacuum "):
		d.vacuumed(r)
	case r.Severity == "ERROR" && strings.HasPrefix(r.Message, "canceling autovacuum task"):
		d.vacuumCancelled(r)
	case r.Severity == "ERROR" || r.Severity == "FATAL" && r.Statement != "":
		d.failure(r)
	}
}

// at is when a record was written, or the snapshot if it does not say.
func (d *digest) at(r *serverlog.Record) time.Time {
	if r.Time.IsZero() {
		return d.snap.At
	}
	return r.Time
}

// describe describes a text of a database; the zero Query if there is none, if
// it is our own, or if there were too many.
func (d *digest) describe(database, text string, accepted bool) pgvigil.Query {
	if strings.TrimSpace(text) == "" {
		return pgvigil.Query{}
	}
	key := database + "\x00" + text
	if q, ok := d.texts[key]; ok || len(d.texts) >= maxTexts {
		return q
	}
	q := d.Describe(text, query.Options{Partitions: d.memory.partitionsOf(d.dbs[database]), MaxText: d.TextLimit, Accepted: accepted})
	if q.Own() {
		q = pgvigil.Query{}
	}
	d.texts[key] = q
	if q.Fingerprint != 0 {
		d.queries[q.Fingerprint] = q
	}
	return q
}

// planned takes what auto_explain wrote.
func (d *digest) planned(r *serverlog.Record) {
	_, body, _ := strings.Cut(r.Message, " plan:\n")
	read := plan.ReadText
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		read = func(s string) (plan.Tree, error) { return plan.ReadJSON([]byte(s)) }
	}
	tree, err := read(body)
	if err != nil {
		d.snap.Log.Broken++ // cut, or in a format that is not read
		return
	}
	q := d.describe(r.Database, tree.Query, true)
	if q.Fingerprint == 0 || len(d.plans) >= maxLogPlans {
		return
	}
	dbid := d.dbs[r.Database]
	p := tree.Describe(d.namesOf(dbid))
	p.DBID, p.Fingerprint, p.Source, p.Role = dbid, q.Fingerprint, pgvigil.ByAutoExplain, r.User
	p.First, p.Last = d.at(r), d.at(r)
	key := planSight{queryKey{dbid, q.Fingerprint}, p.Hash}
	if seen := d.plans[key]; seen != nil {
		p.First = seen.First
	}
	d.plans[key] = &p
}

func (d *digest) namesOf(dbid pgvigil.OID) plan.Names {
	if names, ok := d.names[dbid]; ok {
		return names
	}
	var names plan.Names
	for i := range d.snap.Databases {
		if db := &d.snap.Databases[i]; db.OID == dbid {
			names = plan.NamesOf(db.Tables, db.Indexes)
		}
	}
	d.names[dbid] = names
	return names
}

// spilled takes the end of a temporary file.
func (d *digest) spilled(r *serverlog.Record) {
	var size int64
	_, tail, ok := strings.Cut(r.Message, `", size `)
	if _, err := fmt.Sscan(tail, &size); !ok || err != nil || size < 0 {
		return
	}
	q := d.describe(r.Database, r.Statement, true)
	key := queryKey{d.dbs[r.Database], q.Fingerprint}
	t := d.temp[key]
	if t == nil {
		t = &tempFiles{first: d.at(r)}
		d.temp[key] = t
	}
	t.count++
	t.bytes += size
}

// reasons lead from what the server says to why a call failed, in order: the
// state first, which no language changes.
var reasons = []struct {
	state, part string
	reason      pgvigil.FailReason
}{
	{"40P01", "deadlock detected", pgvigil.FailedDeadlock},
	{"55P03", "canceling statement due to lock timeout", pgvigil.FailedLock},
	{"", "canceling statement due to statement timeout", pgvigil.FailedTimeout},
	{"", "canceling statement due to user request", pgvigil.FailedCancel},
	{"", "due to conflict with recovery", pgvigil.FailedRecovery},
	{"57014", "", pgvigil.FailedCancel},
}

func reasonOf(r *serverlog.Record) pgvigil.FailReason {
	for _, x := range reasons {
		if x.state != "" && r.State == x.state || x.part != "" && strings.Contains(r.Message, x.part) {
			return x.reason
		}
	}
	return pgvigil.FailedOtherwise
}

// failure counts a call that failed.
func (d *digest) failure(r *serverlog.Record) {
	reason := reasonOf(r)
	q := d.describe(r.Database, r.Statement, reason != pgvigil.FailedOtherwise)
	if q.Fingerprint == 0 && r.Statement != "" {
		return // our own
	}
	key := failedKey{queryKey{d.dbs[r.Database], q.Fingerprint}, reason}
	f := d.failed[key]
	if f == nil {
		f = &pgvigil.FailedCalls{DBID: key.dbid, Fingerprint: key.fingerprint, Reason: reason, First: d.at(r)}
		d.failed[key] = f
	}
	f.Calls++
	f.Last = d.at(r)
	if reason == pgvigil.FailedDeadlock {
		d.deadlock(r, q)
	}
}

// add keeps an event, within the bounds of its kind.
func (d *digest) add(e pgvigil.Event) {
	n := 0
	for i := range d.events {
		if d.events[i].Kind == e.Kind {
			n++
		}
	}
	if n < maxLogEvents {
		e.Source = "log"
		d.events = append(d.events, e)
	}
}

// hand gives what was taken to the snapshot, in an order that maps do not make.
func (d *digest) hand() {
	byQuery := func(a, b queryKey) int {
		return cmp.Or(cmp.Compare(a.dbid, b.dbid), cmp.Compare(a.fingerprint, b.fingerprint))
	}
	for _, key := range slices.SortedFunc(maps.Keys(d.failed), func(a, b failedKey) int {
		return cmp.Or(byQuery(a.queryKey, b.queryKey), cmp.Compare(a.reason, b.reason))
	}) {
		f := d.failed[key]
		d.snap.Log.Failed = append(d.snap.Log.Failed, *f)
		d.cancelled(f)
	}
	for _, key := range slices.SortedFunc(maps.Keys(d.temp), byQuery) {
		d.tempEvent(key, d.temp[key])
	}
	for _, key := range slices.SortedFunc(maps.Keys(d.plans), func(a, b planSight) int {
		return cmp.Or(byQuery(a.queryKey, b.queryKey), d.plans[a].First.Compare(d.plans[b].First), cmp.Compare(a.hash, b.hash))
	}) {
		d.snap.Plans = append(d.snap.Plans, *d.plans[key])
	}
	slices.SortStableFunc(d.events, func(a, b pgvigil.Event) int { return a.At.Compare(b.At) })
	d.snap.Events = append(d.snap.Events, d.events...)
	d.snap.Log.Queries = d.queries
}
