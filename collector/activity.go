package collector

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// backend is a session with its text, which must not leave the collector.
type backend struct {
	pgvigil.Session
	text string
}

// waitsOnLock is the wait_event_type of those whom somebody blocks.
const waitsOnLock = "Lock"

// readActivity samples the sessions, and who blocks whom if anybody waits for
// a lock: asking for blockers stops the lock manager for a moment.
func (p *pass) readActivity(ctx context.Context) error {
	rows, err := p.conn.Query(ctx, load("activity"))
	if err != nil {
		return err
	}
	p.activity, err = pgx.CollectRows(rows, scanBackend)
	if err != nil {
		return err
	}
	waiting := slices.ContainsFunc(p.activity, func(b backend) bool { return b.WaitType == waitsOnLock })
	if !waiting {
		return nil
	}
	return p.readLockWaits(ctx)
}

func scanBackend(row pgx.CollectableRow) (backend, error) {
	var b backend
	var xact, began, change, start *moment
	err := row.Scan(&b.PID, &b.DBID, &b.UserID, &b.User, &b.Application, &b.State, &b.WaitType, &b.WaitEvent,
		&b.QueryID, &b.text, &b.BackendType, &xact, &began, &change, &start, &b.BackendXmin, &b.OwnedByUs)
	b.User, b.Application = query.MaskLabel(b.User), query.MaskLabel(b.Application)
	b.XactStart, b.QueryStart, b.StateChange, b.BackendStart = utc(xact), utc(began), utc(change), utc(start)
	return b, err
}

func (p *pass) readLockWaits(ctx context.Context) (err error) {
	if p.waits, err = readLockWaits(ctx, p.conn, load("lock_waits")); err != nil {
		return err
	}
	for i := range p.activity {
		b := &p.activity[i]
		for _, w := range p.waits {
			if w.Waiter == b.PID && !slices.Contains(b.BlockedBy, w.Blocker) {
				b.BlockedBy = append(b.BlockedBy, w.Blocker)
			}
		}
	}
	return nil
}

// lockWait is an edge of the blocking tree whose relation has no name yet.
type lockWait struct {
	pgvigil.LockWait
	relation pgvigil.RelationKey
}

// describeActivity turns sessions into what may leave the collector: texts
// described, relations named. It comes last because both need the catalogs.
func (p *pass) describeActivity() {
	for _, b := range p.activity {
		s := b.Session
		switch {
		case b.text == "" || b.text == "<insufficient privilege>":
		case b.BackendType == "autovacuum worker":
			s.Query = b.text // "autovacuum: VACUUM public.job": no literals in it
		default:
			q := p.Describe(b.text, query.Options{Partitions: p.memory.partitionsOf(b.DBID), MaxText: p.TextLimit})
			s.Fingerprint, s.Query, s.Tags = q.Fingerprint, q.Text, q.Tags
		}
		p.snap.Sessions = append(p.snap.Sessions, s)
	}
	names := p.relationNames()
	for _, w := range p.waits {
		w.Relation = names[w.relation]
		p.snap.Locks = append(p.snap.Locks, w.LockWait)
	}
}

// relationNames names the relations that somebody waits for.
func (p *pass) relationNames() map[pgvigil.RelationKey]string {
	names := map[pgvigil.RelationKey]string{}
	for _, w := range p.waits {
		names[w.relation] = ""
	}
	p.nameRelations(names)
	return names
}

// nameRelations fills in the names, as schema.name, of the relations that are
// the keys of names and that the pass has seen.
func (p *pass) nameRelations(names map[pgvigil.RelationKey]string) {
	delete(names, pgvigil.RelationKey{})
	if len(names) == 0 {
		return
	}
	name := func(key pgvigil.RelationKey, schema, relation string) {
		if _, ok := names[key]; ok {
			names[key] = schema + "." + relation
		}
	}
	for i := range p.snap.Databases {
		db := &p.snap.Databases[i]
		for j := range db.Tables {
			name(db.Tables[j].Key, db.Tables[j].Schema, db.Tables[j].Name)
		}
		for j := range db.Indexes {
			name(db.Indexes[j].Key, db.Indexes[j].Schema, db.Indexes[j].Name)
		}
	}
}
