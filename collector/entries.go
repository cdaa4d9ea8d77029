package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgvigil/pgvigil"
)

// fullEvery is how many reads may in succession rest on what is remembered.
const fullEvery = 60

// entries is the last complete read of a server's statements.
type entries struct {
	origin origin
	reset  time.Time
	// list was handed out as well, so it is never changed. states holds, in the
	// same order, what statementsSQL says of each entry.
	list   []pgvigil.Statement
	states []int64
	// reads counts those since the last one in full, changed the entries that
	// were not as the read before had them.
	reads   int
	changed int
}

// origin is what must be the same for entries to be remembered: whose they are,
// and who sees them.
type origin struct {
	system     pgvigil.SystemID
	postmaster time.Time
	standby    bool
	extension  extension
	user       string
	allStats   bool
}

func (p *pass) origin() origin {
	s := p.snap.Server
	return origin{s.SystemID, s.PostmasterStart, s.InRecovery, p.extension, p.user, p.allStats}
}

// known returns the entries whose state need not be read again, none if they
// are all to be read: what is remembered is of another origin or has served too
// long, most of it changes from read to read, or the server would write the
// list of states into its log.
func (p *pass) known() entries {
	e := p.memory.entries
	if e.origin != p.origin() || e.reads >= fullEvery || 2*e.changed > len(e.list) || p.logged {
		return entries{}
	}
	return e
}

// readEntries reads all entries, completely or not at all. The server leaves
// out those that are as they were; where what it says does not add up with what
// is remembered, it is asked for all of them.
func (p *pass) readEntries(ctx context.Context) (pgvigil.StatementsRead, time.Time, error) {
	for known := p.known(); ; known = (entries{}) {
		r, err := p.fetchEntries(ctx, known.states)
		if err != nil {
			return pgvigil.StatementsRead{}, time.Time{}, err
		}
		now, ok := known.with(r)
		if !ok || known.list != nil && !r.read.Reset.Equal(known.reset) {
			continue
		}
		if r.hidden > 0 && p.allStats {
			p.warn("statements-hidden", fmt.Sprintf("%d entries of pg_stat_statements are hidden from the role", r.hidden), "")
		}
		now.origin, now.reset, now.changed = p.origin(), r.read.Reset, p.memory.entries.unlike(r.states)
		p.memory.entries = now
		r.read.OK, r.read.Extension, r.read.List = true, p.extension.Version, now.list
		return r.read, r.at, nil
	}
}

// with returns the entries after a reply: those known, but for the stale ones,
// and those that came. It says false if the reply cannot be about them.
func (e entries) with(r reply) (entries, bool) {
	stale := make(map[pgvigil.StatementKey]int, len(r.stale))
	for _, i := range r.stale {
		if i < 0 || i >= len(e.list) {
			return entries{}, false
		}
		stale[e.list[i].Key] = i
	}
	if len(stale) < len(r.stale) {
		return entries{}, false
	}
	now := entries{list: slices.Clone(e.list), states: slices.Clone(e.states)}
	if e.list != nil {
		now.reads = e.reads + 1
	}
	for i := range r.list {
		at, known := stale[r.list[i].Key]
		if !known {
			now.list, now.states = append(now.list, r.list[i]), append(now.states, r.states[i])
			continue
		}
		now.list[at], now.states[at] = r.list[i], r.states[i]
		delete(stale, r.list[i].Key)
	}
	now.drop(stale)
	return now, true
}

// unlike counts the states that none of the entries is in; there are none to be
// unlike before the first read.
func (e entries) unlike(states []int64) (n int) {
	if e.list == nil {
		return 0
	}
	here := make(map[int64]bool, len(e.states))
	for _, s := range e.states {
		here[s] = true
	}
	for _, s := range states {
		if !here[s] {
			n++
		}
	}
	return n
}

// drop takes out the entries at some indices: those that vanished.
func (e *entries) drop(vanished map[pgvigil.StatementKey]int) {
	if len(vanished) == 0 {
		return
	}
	gone := make(map[int]bool, len(vanished))
	for _, at := range vanished {
		gone[at] = true
	}
	kept := 0
	for i := range e.list {
		if !gone[i] {
			e.list[kept], e.states[kept] = e.list[i], e.states[i]
			kept++
		}
	}
	e.list, e.states = e.list[:kept], e.states[:kept]
}

// fetchEntries sends clock, entries and clock again in one round trip and one
// transaction. A reset in between makes the read worthless.
func (p *pass) fetchEntries(ctx context.Context, known []int64) (_ reply, err error) {
	p.watch.start()
	defer func() { p.watch.stop(p.conn, err) }()
	sql, metrics := p.extension.statementsSQL()
	states, err := p.conn.TypeMap().Encode(pgtype.Int8ArrayOID, pgtype.BinaryFormatCode, known, nil)
	if err != nil {
		return reply{}, err
	}
	binary := []int16{pgtype.BinaryFormatCode}
	batch := &pgconn.Batch{}
	batch.ExecParams(load("work_mem"), nil, nil, nil, nil)
	batch.ExecParams(p.extension.infoSQL(), nil, nil, nil, binary)
	batch.ExecParams(sql, [][]byte{states}, nil, binary, binary)
	batch.ExecParams(p.extension.infoSQL(), nil, nil, nil, binary)

	r := reply{list: make([]pgvigil.Statement, 0, p.memory.entries.changed)}
	var after reply
	err = receive(p.conn.PgConn().ExecBatch(ctx, batch),
		func(*pgconn.ResultReader) error { return nil },
		r.readInfo,
		func(rows *pgconn.ResultReader) error { return r.readEntries(rows, metrics) },
		after.readInfo)
	if err == nil && !after.read.Reset.Equal(r.read.Reset) {
		err = errors.New("pg_stat_statements was reset while it was read; the next pass will tell")
	}
	return r, err
}

// receive gives each reader the result of its statement, and reads all to the end.
func receive(results *pgconn.MultiResultReader, readers ...func(*pgconn.ResultReader) error) (err error) {
	defer func() { err = errors.Join(err, results.Close()) }()
	for _, read := range readers {
		if !results.NextResult() {
			return errShape
		}
		rows := results.ResultReader()
		err := read(rows)
		if _, closed := rows.Close(); err != nil || closed != nil {
			return errors.Join(err, closed)
		}
	}
	return nil
}
