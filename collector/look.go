package collector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// Scene is what a server in trouble shows at one moment.
type Scene struct {
	Server pgvigil.Server
	At     time.Time // the server's clock
	// Reloaded is when the server last read its configuration.
	Reloaded    time.Time
	Connections pgvigil.Connections
	// Sessions are those of clients and of autovacuum, our own aside, with their
	// texts normalised.
	Sessions  []pgvigil.Session
	Locks     []pgvigil.LockWait
	Progress  []pgvigil.Progress
	Databases map[pgvigil.OID]string // names
	// Warnings say what could not be read.
	Warnings []pgvigil.Warning
}

// lookTimeouts bound a look: whoever calls for it has no time, and a server in
// trouble has none to give.
var lookTimeouts = pgvigil.Timeouts{
	Connect: time.Second, Statement: 400 * time.Millisecond, Lock: 100 * time.Millisecond, Pass: 1700 * time.Millisecond,
}

// Look reads within two seconds what matters while a server is in trouble: who
// runs, who waits for whom, what maintenance is under way. It leaves out what
// does not answer in time, and says so in the warnings; it returns an error when
// no connection was to be had, or the server did not say who it is.
func (c *Collector) Look(ctx context.Context, t pgvigil.Target) (*Scene, error) {
	t.Timeouts = lookTimeouts
	ctx, cancel := context.WithTimeout(ctx, t.Timeouts.Pass)
	defer cancel()
	conn, err := Connect(ctx, t, "")
	if err != nil {
		return nil, err
	}
	l := &look{pass: &pass{Options: c.o, target: t, memory: newMemory(), conn: conn, snap: &pgvigil.Snapshot{}}, scene: &Scene{}}
	l.Describe = remembering(c.o.Describe)
	defer func() { l.close(ctx, l.conn) }() // a broken one is opened again
	if err := l.read(ctx); err != nil {
		return nil, fmt.Errorf("look at %s: %w", t.Name, err)
	}
	return l.scene, nil
}

// remembering describes each text once: the sessions of a queue send the same.
func remembering(describe func(string, query.Options) pgvigil.Query) func(string, query.Options) pgvigil.Query {
	known := map[string]pgvigil.Query{}
	return func(text string, o query.Options) pgvigil.Query {
		q, ok := known[text]
		if !ok {
			q = describe(text, o)
			known[text] = q
		}
		return q
	}
}

// look is a Look in the making. It reads as a pass does.
type look struct {
	*pass
	scene *Scene
}

func (l *look) close(ctx context.Context, conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 200*time.Millisecond)
	defer cancel()
	_ = conn.Close(ctx) // whatever is wrong with it, we are done with it
}

func (l *look) read(ctx context.Context) error {
	s := l.scene
	if err := l.readWhere(ctx); err != nil {
		return err
	}
	l.try(ctx, "activity-unread", "read activity", l.readActivity)
	l.try(ctx, "progress-unread", "read the progress of maintenance", l.readProgress)
	l.try(ctx, "names-unread", "read the names of databases", l.readNames)
	l.count()
	l.describeActivity()
	s.Sessions = slices.DeleteFunc(l.snap.Sessions, func(x pgvigil.Session) bool { return x.OwnedByUs })
	s.Locks, s.Progress = l.snap.Locks, l.snap.State.Progress
	l.nameAll(ctx)
	s.Server, s.At, s.Warnings = l.snap.Server, l.snap.At, l.snap.Warnings
	return nil
}

// readWhere learns which server this is.
func (l *look) readWhere(ctx context.Context) error {
	s, c := &l.snap.Server, &l.scene.Connections
	s.Target = l.target.Name
	err := l.conn.QueryRow(ctx, load("look")).Scan(&s.Version, &s.PostmasterStart, &s.InRecovery, &l.snap.At,
		&l.scene.Reloaded, &c.Limit, &c.Reserved, &l.user, &l.database, &l.allStats)
	if err != nil {
		return fmt.Errorf("ask the server who it is: %w", err)
	}
	l.home = l.database
	s.PostmasterStart, l.snap.At, l.scene.Reloaded = s.PostmasterStart.UTC(), l.snap.At.UTC(), l.scene.Reloaded.UTC()
	if !l.allStats {
		l.warn("no-stats-rights", "the role sees only its own statements and sessions",
			"GRANT pg_monitor TO "+pgx.Identifier{l.user}.Sanitize())
	}
	return nil
}

func (l *look) readNames(ctx context.Context) error {
	rows, err := l.conn.Query(ctx, load("look_names"))
	if err != nil {
		return err
	}
	l.scene.Databases = map[pgvigil.OID]string{}
	var oid pgvigil.OID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&oid, &name}, func() error {
		l.scene.Databases[oid] = name
		return nil
	})
	return err
}

// count counts the sessions of clients, our own with them.
func (l *look) count() {
	c := &l.scene.Connections
	limit, reserved := c.Limit, c.Reserved
	l.countConnections()
	*c = l.snap.State.Connections
	c.Limit, c.Reserved = limit, reserved
}

// nameAll names the relations that somebody waits for or works on, each in its
// database; those of other databases while there is time.
func (l *look) nameAll(ctx context.Context) {
	wanted := map[pgvigil.OID][]int64{}
	want := func(k pgvigil.RelationKey) {
		if id := int64(k.RelID); id != 0 && !slices.Contains(wanted[k.DBID], id) {
			wanted[k.DBID] = append(wanted[k.DBID], id)
		}
	}
	for _, w := range l.waits {
		want(w.relation)
	}
	for _, g := range l.scene.Progress {
		want(g.Key)
	}
	names := map[pgvigil.RelationKey]string{}
	for dbid, ids := range wanted {
		if err := l.nameIn(ctx, dbid, ids, names); err != nil {
			l.warn("relations-unnamed", "name the relations of database "+l.scene.Databases[dbid]+": "+plain(err), "")
		}
	}
	for i, w := range l.waits {
		l.scene.Locks[i].Relation = names[w.relation]
	}
	for i := range l.scene.Progress {
		l.scene.Progress[i].Name = names[l.scene.Progress[i].Key]
	}
}

// nameIn adds the names of relations of one database.
func (l *look) nameIn(ctx context.Context, dbid pgvigil.OID, ids []int64, names map[pgvigil.RelationKey]string) error {
	conn := l.conn
	if name := l.scene.Databases[dbid]; dbid != 0 && name != l.database {
		if name == "" {
			return fmt.Errorf("it has no name")
		}
		var err error
		if conn, err = Connect(ctx, l.target, name); err != nil {
			return err
		}
		defer l.close(ctx, conn)
	}
	rows, err := conn.Query(ctx, load("look_relations"), ids)
	if err != nil {
		return err
	}
	var oid pgvigil.OID
	var schema, name string
	_, err = pgx.ForEachRow(rows, []any{&oid, &schema, &name}, func() error {
		names[pgvigil.RelationKey{DBID: dbid, RelID: oid}] = schema + "." + name
		return nil
	})
	return err
}
