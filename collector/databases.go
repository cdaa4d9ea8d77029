package collector

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// readDatabases lists the databases of the server with their counters, visited
// or not: the share of statements that the counters account for needs all.
func (p *pass) readDatabases(ctx context.Context) error {
	sized := p.Now().Sub(p.memory.sizesAt) >= p.CatalogEvery
	err := p.listDatabases(ctx, sized)
	if sized && sqlState(err) == stateCancelled {
		sized = false // what takes long is to add up the files
		err = p.listDatabases(ctx, sized)
	}
	if err != nil {
		return fmt.Errorf("list databases: %w", err)
	}
	if sized {
		p.memory.sizesAt = p.Now()
	}
	p.warnOfPatterns()
	return nil
}

// warnOfPatterns tells of patterns of the target that select nothing: a typing
// error must not read as a quiet database.
func (p *pass) warnOfPatterns() {
	var names []string
	for _, d := range p.snap.Databases {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	for _, pattern := range p.target.Databases {
		if slices.ContainsFunc(names, func(name string) bool { return matches(pattern, name) }) {
			continue
		}
		p.warn("no-database-matches", fmt.Sprintf("the pattern %q of databases.include matches no database of the server", pattern),
			"mend the pattern; the server has "+strings.Join(names, ", "))
	}
}

// matches says whether a shell pattern is that of a name.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

func (p *pass) listDatabases(ctx context.Context, sized bool) error {
	rows, err := p.conn.Query(ctx, load("databases"), sized)
	if err != nil {
		return err
	}
	p.snap.Databases, err = pgx.CollectRows(rows, p.scanDatabase)
	return err
}

func (p *pass) scanDatabase(row pgx.CollectableRow) (pgvigil.DatabaseRead, error) {
	var d pgvigil.DatabaseRead
	var mayConnect bool
	var reset *moment
	var size *pgvigil.Bytes
	s := &d.Stats
	err := row.Scan(&d.OID, &d.Name, &mayConnect, &reset, &s.Backends, &s.Commits, &s.Rollbacks,
		&s.BlocksHit, &s.BlocksRead, &s.TempFiles, &s.TempBytes, &s.Deadlocks, &s.ActiveMS, &s.IdleInTxMS,
		&size, &s.XIDAge, &s.MultiXactAge)
	s.Reset = utc(reset)
	if size != nil {
		p.memory.sizes[d.OID] = *size
	}
	s.SizeBytes = p.memory.sizes[d.OID]
	if !mayConnect && p.wanted(d.Name) {
		p.warn("no-connect-right", fmt.Sprintf("database %s is not visited: the role may not connect to it", d.Name),
			fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s", pgx.Identifier{d.Name}.Sanitize(), pgx.Identifier{p.user}.Sanitize()))
	}
	return d, err
}

// wanted says whether the target's patterns select a database.
func (p *pass) wanted(name string) bool {
	selects := func(pattern string) bool { return matches(pattern, name) }
	if slices.ContainsFunc(p.target.ExcludeDatabases, selects) {
		return false
	}
	return len(p.target.Databases) == 0 || slices.ContainsFunc(p.target.Databases, selects)
}

// visitDatabases looks into the wanted databases, one after the other: first
// the one at hand, then the others.
func (p *pass) visitDatabases(ctx context.Context) {
	dropped := map[pgvigil.OID]bool{}
	for _, first := range []bool{true, false} {
		for i := range p.snap.Databases {
			db := &p.snap.Databases[i]
			if !p.wanted(db.Name) || (db.Name == p.home) != first {
				continue
			}
			err := p.visit(ctx, db)
			if gone(err) {
				p.warn("database-gone", fmt.Sprintf("database %s was dropped during the pass", db.Name), "")
				dropped[db.OID] = true
			} else if err != nil {
				p.warn("database-unread", fmt.Sprintf("look into database %s: %s", db.Name, plain(err)), pgvigil.Advice(err))
			}
		}
	}
	p.snap.Databases = slices.DeleteFunc(p.snap.Databases, func(db pgvigil.DatabaseRead) bool { return dropped[db.OID] })
	p.forgetDatabases()
}

// visit reads tables, indexes and catalog of one database. The database at
// hand is read over the connection at hand.
func (p *pass) visit(ctx context.Context, db *pgvigil.DatabaseRead) error {
	if err := p.move(ctx, db.Name); err != nil {
		return err
	}
	v := visit{pass: p, conn: p.conn, db: db}
	if err := v.read(ctx); err != nil {
		db.Tables, db.Indexes, db.Constraints = nil, nil, nil
		return err
	}
	db.Visited = true
	p.memory.setPartitions(db.OID, partitionMap(db.Tables))
	v.makePlans(ctx)
	return nil
}

// move takes the pass to another database. It leaves the one where it is before:
// a pass has one connection at a time.
func (p *pass) move(ctx context.Context, database string) error {
	if p.conn != nil && !p.conn.IsClosed() && database == p.database {
		return nil
	}
	p.leave(ctx)
	conn, err := connectSoon(ctx, p.target, database, &p.watch)
	if err != nil {
		return err
	}
	p.conn, p.database = conn, database
	p.memory.guard.watch(conn.PgConn().PID())
	return nil
}

// stand sees to it that the pass is connected to some database, to the server's
// home if the connection broke. It tries that once.
func (p *pass) stand(ctx context.Context) error {
	if p.conn != nil && !p.conn.IsClosed() {
		return nil
	}
	if p.lost == nil {
		if err := p.move(ctx, p.home); err != nil {
			p.lost = err
		}
	}
	return p.lost
}

// How often, and after which time, a connection is tried again that the server
// refuses because the one that we left is not quite gone.
const (
	leaveTries = 10
	leavePause = 20 * time.Millisecond
)

// connectSoon is connect for one of our two connections in place of one before.
func connectSoon(ctx context.Context, t pgvigil.Target, database string, tracer pgx.QueryTracer) (*pgx.Conn, error) {
	conn, err := connect(ctx, t, database, tracer)
	for range leaveTries {
		if sqlState(err) != stateNoConnection || ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(leavePause):
		}
		conn, err = connect(ctx, t, database, tracer)
	}
	return conn, err
}

// leave ends the connection of the pass, if it has one.
func (p *pass) leave(ctx context.Context) {
	if p.conn == nil {
		return
	}
	p.memory.guard.unwatch(p.conn.PgConn().PID())
	closeConn(ctx, p.conn)
	p.conn = nil
}

// guarded sees to it that the held connection looks out for those who wait for
// the pass: the sampler's, else one for the time of the pass. The function that
// it returns ends that, and says in the snapshot what there was to see.
func (p *pass) guarded(ctx context.Context) (end func()) {
	m, stop := p.memory, func() {}
	m.guard.take()
	if !m.sampled {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		running.Go(func() { p.collector.hold(ctx, p.target, SampleOptions{}, m) })
		stop = func() { cancel(); running.Wait() }
	}
	if !m.guard.await(ctx, p.target.Timeouts.Connect) {
		p.warn("unguarded", "no second connection was to be had, so nobody looks whether others wait for this pass", "")
	}
	return func() {
		stop()
		p.account(m.guard.take())
	}
}

// account writes down what the pass may have cost others.
func (p *pass) account(f found) {
	held, stopped := p.watch.read()
	p.snap.Footprint = pgvigil.Footprint{LongestLock: held, OldestXmin: f.oldestXmin}
	if f.waiter == "" {
		return
	}
	p.snap.Footprint.Stopped = stopped
	p.warn("gave-way", "statements of this pass were stopped because "+f.waiter+" waited for them; the next pass reads what is missing", "")
}

// forgetDatabases drops what was remembered of databases that are gone.
func (p *pass) forgetDatabases() {
	here := map[pgvigil.OID]bool{}
	for i := range p.snap.Databases {
		here[p.snap.Databases[i].OID] = true
	}
	for oid := range p.memory.catalogs {
		if !here[oid] {
			delete(p.memory.catalogs, oid)
		}
	}
	for oid := range p.memory.lengths {
		if !here[oid] {
			delete(p.memory.lengths, oid)
		}
	}
	for oid := range p.memory.sizes {
		if !here[oid] {
			delete(p.memory.sizes, oid)
		}
	}
	p.memory.parts.Lock()
	defer p.memory.parts.Unlock()
	maps.DeleteFunc(p.memory.partitions, func(oid pgvigil.OID, _ map[string]string) bool { return !here[oid] })
}
