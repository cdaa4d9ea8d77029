package collector

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// readDatabases lists the databases of the server with their counters, visited
// or not: the share of statements that the counters account for needs all.
func (p *pass) readDatabases(ctx context.Context) error {
	sized := p.Now().Sub(p.memory.sizesAt) >= p.CatalogEvery
	rows, err := p.conn.Query(ctx, load("databases"), sized)
	if err != nil {
		return fmt.Errorf("list databases: %w", err)
	}
	p.snap.Databases, err = pgx.CollectRows(rows, p.scanDatabase)
	if err != nil {
		return fmt.Errorf("list databases: %w", err)
	}
	if sized {
		p.memory.sizesAt = p.Now()
	}
	return nil
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
	matches := func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	}
	if slices.ContainsFunc(p.target.ExcludeDatabases, matches) {
		return false
	}
	return len(p.target.Databases) == 0 || slices.ContainsFunc(p.target.Databases, matches)
}

// visitDatabases looks into the wanted databases, one after the other, over
// one further connection at a time.
func (p *pass) visitDatabases(ctx context.Context) {
	list := p.snap.Databases[:0]
	for _, db := range p.snap.Databases {
		if p.wanted(db.Name) {
			err := p.visit(ctx, &db)
			if gone(err) {
				p.warn("database-gone", fmt.Sprintf("database %s was dropped during the pass", db.Name), "")
				continue
			}
			if err != nil {
				p.warn("database-unread", fmt.Sprintf("look into database %s: %s", db.Name, plain(err)), pgvigil.Advice(err))
			}
		}
		list = append(list, db)
	}
	p.snap.Databases = list
	p.forgetDatabases()
}

// visit reads tables, indexes and catalog of one database. The database at
// hand is read over the connection at hand.
func (p *pass) visit(ctx context.Context, db *pgvigil.DatabaseRead) error {
	conn := p.conn
	if db.Name != p.database {
		var err error
		if conn, err = Connect(ctx, p.target, db.Name); err != nil {
			return err
		}
		defer p.closeConn(ctx, conn)
	}
	v := visit{pass: p, conn: conn, db: db}
	if err := v.read(ctx); err != nil {
		db.Tables, db.Indexes, db.Constraints = nil, nil, nil
		return err
	}
	db.Visited = true
	p.partitions[db.OID] = partitionMap(db.Tables)
	return nil
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
}
