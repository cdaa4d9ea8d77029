package analyzer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// server is what the analyzer knows of one server.
type server struct {
	id         pgvigil.ServerID
	target     string
	detector   *change.Detector
	last       time.Time // of the newest pass
	queries    map[pgvigil.Fingerprint]pgvigil.Query
	asked      map[pgvigil.Fingerprint]int           // tick when a text was last asked for
	byTable    map[string]map[pgvigil.SeriesKey]bool // by unqualified name, of all databases: naming tells them apart
	databases  map[pgvigil.OID]string
	catalog    *catalog
	events     []pgvigil.Event // recent ones, oldest first
	replaying  bool
	replayed   bool            // and its alerts not yet held against the detector's
	ahead      []pgvigil.Event // those of the history not yet replayed
	suspects   map[pgvigil.SeriesKey]change.Verdict
	alerts     map[alertKey]*pgvigil.Alert
	closed     map[alertKey]time.Time // onsets of those that a person ended
	watches    map[string]*watch
	activity   activity
	updates    map[pgvigil.RelationKey]*updates // by root table
	newIndexes []newIndex
	fresh      []pgvigil.Event      // of this pass
	held       *change.Verdict      // an incident of the server that may be one statement's doing
	visited    map[pgvigil.OID]bool // databases that passes look into, empty ones too
}

// alertKey is what there is at most one live alert of: a kind of verdict on a
// series, or a kind of incident on the server.
type alertKey struct {
	kind   pgvigil.VerdictKind
	series pgvigil.SeriesKey
	detail string
}

func newServer(id pgvigil.ServerID, f *change.Fleet) *server {
	return &server{
		id: id, detector: change.New(f),
		queries: map[pgvigil.Fingerprint]pgvigil.Query{}, asked: map[pgvigil.Fingerprint]int{},
		byTable: map[string]map[pgvigil.SeriesKey]bool{}, databases: map[pgvigil.OID]string{},
		suspects: map[pgvigil.SeriesKey]change.Verdict{}, alerts: map[alertKey]*pgvigil.Alert{},
		closed: map[alertKey]time.Time{}, watches: map[string]*watch{}, updates: map[pgvigil.RelationKey]*updates{}, visited: map[pgvigil.OID]bool{},
	}
}

// load takes the server's name and its live alerts from the history.
func (s *server) load(ctx context.Context, h History) error {
	servers, err := h.Servers(ctx)
	if err != nil {
		return fmt.Errorf("read servers: %w", err)
	}
	for _, i := range servers {
		if i.ID == s.id {
			s.target = i.Server.Target
		}
	}
	if s.ahead, err = h.Events(ctx, s.id, pgvigil.Window{}); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	alerts, err := h.Alerts(ctx, pgvigil.AlertFilter{Server: s.id})
	if err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	for _, al := range alerts {
		k := keyOf(al.Verdict)
		if al.State.Live() {
			if was := s.alerts[k]; was == nil || al.Opened.After(was.Opened) {
				s.alerts[k] = &al
			}
		} else if at := al.Verdict.Onset; at.After(s.closed[k]) {
			s.closed[k] = at
		}
	}
	return nil
}

// keyOf returns what the verdict of an alert is about.
func keyOf(r pgvigil.Regression) alertKey {
	k := alertKey{kind: r.Kind, series: r.Series}
	if r.Kind == pgvigil.KindIncident {
		k.series = pgvigil.SeriesKey{Server: r.Series.Server}
		k.detail = incidentName(r)
	}
	return k
}

// judge feeds one pass to the detector. Garbage names the samples left out.
func (s *server) judge(ctx context.Context, h History, rec pgvigil.Recorded) (verdicts []change.Verdict, garbage, err error) {
	if !rec.At.After(s.last) {
		return nil, nil, nil
	}
	if err := s.learnQueries(ctx, h, rec.Points); err != nil {
		return nil, nil, err
	}
	events, err := s.newEvents(ctx, h, rec)
	if err != nil {
		return nil, nil, err
	}
	s.fresh = events
	pass := change.Pass{At: rec.At}
	for _, e := range events {
		m, err := s.mark(ctx, h, e)
		if err != nil {
			return nil, nil, err
		}
		pass.Marks = append(pass.Marks, m...)
	}
	for _, p := range rec.Points {
		// What pgvigil itself sends is load, but nobody is to be woken by it.
		if !s.queries[p.Series.Fingerprint].Own() {
			pass.Samples = append(pass.Samples, change.OfPoint(p))
		}
	}
	s.last = rec.At
	verdicts, garbage = s.detector.Observe(pass)
	return verdicts, garbage, nil
}

// askAgain is how many passes to wait before asking again for a text that was
// not there.
const askAgain = 10

// learnQueries fetches the descriptions of fingerprints not known yet.
func (s *server) learnQueries(ctx context.Context, h History, points []pgvigil.SeriesPoint) error {
	var missing []pgvigil.Fingerprint
	tick := s.detector.Tick()
	for _, p := range points {
		f := p.Series.Fingerprint
		if _, ok := s.queries[f]; ok {
			s.index(p.Series)
			continue
		}
		if at, ok := s.asked[f]; ok && tick-at < askAgain {
			continue
		}
		s.asked[f] = tick
		missing = append(missing, f)
	}
	if len(missing) == 0 {
		return nil
	}
	found, err := h.Queries(ctx, missing)
	if err != nil {
		return fmt.Errorf("read queries: %w", err)
	}
	maps.Copy(s.queries, found)
	for _, p := range points {
		s.index(p.Series)
	}
	return nil
}

// index notes which tables a series names.
func (s *server) index(key pgvigil.SeriesKey) {
	for _, t := range s.queries[key.Fingerprint].Tables {
		t = unqualified(t)
		if s.byTable[t] == nil {
			s.byTable[t] = map[pgvigil.SeriesKey]bool{}
		}
		s.byTable[t][key] = true
	}
}

// naming returns the series whose texts name a table, or the partitioned table
// above it, of a database, 0 for any. A series without a database may be of any.
func (s *server) naming(c *catalog, db pgvigil.OID, table string) map[pgvigil.SeriesKey]bool {
	out := map[pgvigil.SeriesKey]bool{}
	for _, name := range c.family(db, table) {
		for k := range s.byTable[name] {
			if db != 0 && k.DBID != 0 && db != k.DBID {
				continue
			}
			if slices.ContainsFunc(s.queries[k.Fingerprint].Tables, func(t string) bool {
				return c.related(cmp.Or(db, k.DBID), t, table)
			}) {
				out[k] = true
			}
		}
	}
	return out
}

// eventMemory is how many events are kept to explain a shift.
const eventMemory = 500

// newEvents returns the events since the last pass: those that the pass showed
// and those that people marked.
func (s *server) newEvents(ctx context.Context, h History, rec pgvigil.Recorded) ([]pgvigil.Event, error) {
	type same struct {
		at     int64
		kind   pgvigil.EventKind
		object string
	}
	key := func(e pgvigil.Event) same { return same{e.At.UnixMicro(), e.Kind, e.Object} }
	stored, err := s.storedEvents(ctx, h, rec.At)
	if err != nil {
		return nil, err
	}
	seen := map[same]bool{}
	for _, e := range s.events {
		seen[key(e)] = true
	}
	var out []pgvigil.Event
	for _, e := range append(stored, rec.Events...) {
		if !seen[key(e)] {
			seen[key(e)] = true
			out = append(out, e)
		}
	}
	s.events = append(s.events, out...)
	if n := len(s.events) - eventMemory; n > 0 {
		s.events = s.events[n:]
	}
	return out, nil
}

// storedEvents returns what the history holds since the last pass: from the
// list read ahead while it is replayed, else from the history.
func (s *server) storedEvents(ctx context.Context, h History, at time.Time) ([]pgvigil.Event, error) {
	if s.replaying {
		n := 0
		for n < len(s.ahead) && !s.ahead[n].At.After(at) {
			n++
		}
		out := s.ahead[:n:n]
		s.ahead = s.ahead[n:]
		return out, nil
	}
	if s.last.IsZero() {
		return nil, nil
	}
	out, err := h.Events(ctx, s.id, pgvigil.Window{From: s.last, To: at.Add(time.Millisecond)})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return out, nil
}

// mark turns an event into what the detector takes: deploys concern all series,
// changes of a table those that name it, changes of the server none by itself.
func (s *server) mark(ctx context.Context, h History, e pgvigil.Event) ([]change.Mark, error) {
	m := change.Mark{Since: e.Since, At: e.At}
	switch e.Kind {
	case pgvigil.EventDeploy, pgvigil.EventMark, pgvigil.EventRestart, pgvigil.EventSettingChanged, pgvigil.EventExtensionUpdated:
		return []change.Mark{m}, nil
	case pgvigil.EventIndexDropped, pgvigil.EventIndexInvalid, pgvigil.EventIndexCreated,
		pgvigil.EventColumnCreated, pgvigil.EventColumnDropped, pgvigil.EventColumnChanged,
		pgvigil.EventConstraintDropped, pgvigil.EventPartitionAttached, pgvigil.EventPartitionDetached:
		if e.Table == "" { // of many tables, told as one
			return []change.Mark{m}, nil
		}
		c, err := s.tables(ctx, h)
		if err != nil {
			return nil, err
		}
		m.Series = s.naming(c, e.DBID, tableOf(e))
		return []change.Mark{m}, nil
	case pgvigil.EventPlanChanged:
		m.Series = map[pgvigil.SeriesKey]bool{{Server: s.id, DBID: e.DBID, Fingerprint: e.Fingerprint}: true}
		return []change.Mark{m}, nil
	}
	return nil, nil
}
