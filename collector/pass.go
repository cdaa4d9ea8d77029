package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// pass is one visit of one target in the making.
type pass struct {
	Options
	collector *Collector
	target    pgvigil.Target
	memory    *memory
	conn      *pgx.Conn // the only one at a time; nil while it moves
	lost      error     // why conn could not be opened again after it broke
	watch     stopwatch
	snap      *pgvigil.Snapshot

	user      string // of our role
	home      string // database from which the server is read: statements, activity, settings
	database  string // of conn
	blockSize int64
	allStats  bool // our role may read everybody's statistics
	logged    bool // the server logs the parameters of quick statements
	extension extension
	activity  []backend
	waits     []lockWait
	spent     spending // on measuring bloat, in this pass
	planner   planner
}

// run makes the pass. Only what makes the whole snapshot worthless is an error.
func (p *pass) run(ctx context.Context) error {
	began := p.Now()
	err := p.move(ctx, p.memory.home)
	if gone(err) && p.memory.home != "" {
		p.memory.home = ""
		err = p.move(ctx, "")
	}
	if err != nil {
		return err
	}
	defer p.leave(ctx)
	defer p.guarded(ctx)()
	if err := p.readServer(ctx); err != nil {
		return fmt.Errorf("collect %s: %w", p.target.Name, err)
	}
	p.try(ctx, "bloat-forgotten", "recall what bloat was measured before", p.recallCatalog)
	if err := p.readDatabases(ctx); err != nil {
		return fmt.Errorf("collect %s: %w", p.target.Name, err)
	}
	p.readShared(ctx)
	p.try(ctx, "plans-unread", "learn which plans are wanted", p.readWishes)
	p.visitDatabases(ctx)
	p.keepLedger()
	p.try(ctx, "log-unread", "read the server's log", p.readLog)
	p.try(ctx, "texts-unread", "read texts of statements", p.readTexts)
	p.describeActivity()
	p.describeState()
	p.snap.Waits = p.memory.tally.take(p.nameRelations)
	p.snap.Took = p.Now().Sub(began)
	return nil
}

// readShared reads what belongs to the server rather than to one database, the
// statements first: their moment is the snapshot's.
func (p *pass) readShared(ctx context.Context) {
	p.try(ctx, "statements-unread", "read statements", p.readStatements)
	p.try(ctx, "activity-unread", "read activity", p.readActivity)
	p.try(ctx, "settings-unread", "read settings", p.readSettings)
	p.try(ctx, "counters-unread", "read counters of the server", p.readCounters)
	p.readState(ctx)
}

// try runs one step and turns its error into a warning of the given code.
func (p *pass) try(ctx context.Context, code, what string, step func(context.Context) error) {
	err := p.stand(ctx)
	if err == nil {
		err = step(ctx)
	}
	if err != nil {
		p.warn(code, fmt.Sprintf("%s: %s", what, plain(err)), "")
	}
}

func (p *pass) warn(code, text, remedy string) {
	w := pgvigil.Warning{Code: code, Text: text, Remedy: remedy}
	if !slices.Contains(p.snap.Warnings, w) {
		p.snap.Warnings = append(p.snap.Warnings, w)
	}
}

// note returns what an earlier pass wanted remembered.
func (p *pass) note(ctx context.Context, name string) ([]byte, error) {
	if p.Note == nil {
		return p.memory.notes[name], nil
	}
	return p.Note(ctx, p.snap.Server, name)
}

// remember hands a note on, to be kept with the pass or not at all.
func (p *pass) remember(name string, note []byte) {
	if p.snap.Notes == nil {
		p.snap.Notes = map[string][]byte{}
	}
	p.snap.Notes[name] = note
	p.memory.notes[name] = note
}

// closeConn ends a connection even when there is no time left.
func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // whatever is wrong with it, we are done with it
}

// readServer learns who the server is. At is its clock for now; the statements
// will tell it better.
func (p *pass) readServer(ctx context.Context) error {
	s := &p.snap.Server
	s.Target = p.target.Name
	err := p.conn.QueryRow(ctx, load("server")).Scan(&s.Version, &s.PostmasterStart, &s.InRecovery,
		&p.snap.At, &p.blockSize, &p.user, &p.home, &p.allStats, &p.logged)
	p.database = p.home
	if err != nil {
		return fmt.Errorf("ask the server who it is: %w", err)
	}
	p.snap.Clock = p.Now().UTC()
	s.PostmasterStart, p.snap.At = s.PostmasterStart.UTC(), p.snap.At.UTC()
	if s.Version.Major() < 14 {
		return fmt.Errorf("PostgreSQL %s is too old: 14 is the oldest that is supported", s.Version)
	}
	if !s.PostmasterStart.Equal(p.memory.postmaster) {
		p.memory.postmaster = s.PostmasterStart
		clear(p.memory.catalogs)
		clear(p.memory.lengths)
	}
	if !p.allStats {
		p.warn("no-stats-rights", "the role sees only its own statements and sessions",
			"GRANT pg_monitor TO "+pgx.Identifier{p.user}.Sanitize())
	}
	return p.readIdentity(ctx)
}

// readIdentity reads system identifier and timeline, or makes do without.
func (p *pass) readIdentity(ctx context.Context) error {
	s := &p.snap.Server
	var id int64
	err := p.conn.QueryRow(ctx, load("system")).Scan(&id)
	switch {
	case err == nil:
		s.SystemID = pgvigil.SystemID(id)
	case sqlState(err) == "":
		return fmt.Errorf("read the system identifier: %w", err)
	default:
		s.SystemID = substitute(p.target.Name)
		p.warn("system-id-unknown", "the system identifier is unknown, so the target's name stands in for it: standbys cannot be joined",
			"GRANT EXECUTE ON FUNCTION pg_control_system() TO "+pgx.Identifier{p.user}.Sanitize())
	}
	if err := p.conn.QueryRow(ctx, load("timeline")).Scan(&s.Timeline); err != nil {
		s.Timeline = 0
		p.warn("timeline-unknown", "the timeline is unknown: "+plain(err),
			"GRANT EXECUTE ON FUNCTION pg_control_checkpoint() TO "+pgx.Identifier{p.user}.Sanitize())
	}
	return nil
}

// sqlState returns the SQLSTATE of a server's error, "" if it is none.
func sqlState(err error) string {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// The SQLSTATEs that the collector acts on.
const (
	stateUnknownDatabase = "3D000"
	stateLockTimeout     = "55P03"
	stateNotLoaded       = "55000"
	stateNoRights        = "42501"
	stateCancelled       = "57014"
	stateNoConnection    = "53300"
)

// gone says that the database does not exist.
func gone(err error) bool { return sqlState(err) == stateUnknownDatabase }

// plain says an error in the server's own words, without the driver's frame.
// What the server quotes of others is masked.
func plain(err error) string {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return query.Mask(pg.Message)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no time left in this pass"
	}
	return err.Error()
}

// substitute makes an identifier from a name: FNV-1a, 64 bits.
func substitute(name string) pgvigil.SystemID {
	h := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return pgvigil.SystemID(h)
}

// utc returns the time in UTC, zero for none.
func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
