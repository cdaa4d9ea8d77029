package collector

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// statementsExtension is the extension that counts statements.
const statementsExtension = "pg_stat_statements"

// readStatements reads all entries with their counters, completely or not at all.
func (p *pass) readStatements(ctx context.Context) error {
	if err := p.findExtension(ctx); err != nil {
		return err
	}
	if p.extension.Version == "" {
		p.warn("pgss-missing", "pg_stat_statements is in none of the databases that may be visited, so no statement is counted",
			"CREATE EXTENSION pg_stat_statements")
		return nil
	}
	read, at, err := p.readEntries(ctx)
	switch {
	case sqlState(err) == stateNotLoaded:
		p.warn("pgss-not-preloaded", "pg_stat_statements is installed, but not loaded by the server",
			"ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements' (beside what it has), then restart")
		return nil
	case err != nil:
		return err
	}
	p.snap.Statements, p.snap.At, p.snap.Clock = read, at, p.Now().UTC()
	return nil
}

// findExtension looks for pg_stat_statements in the database at hand, then in
// the others: one of them is enough, as it counts for the whole server. The
// pass goes on over a connection to the one that has it.
func (p *pass) findExtension(ctx context.Context) error {
	found, err := installed(ctx, p.conn, statementsExtension)
	if err != nil || found.Version != "" {
		p.extension = found
		return err
	}
	for _, db := range p.snap.Databases {
		if db.Name == p.database || !p.wanted(db.Name) {
			continue
		}
		if p.moveTo(ctx, db.Name) {
			return nil
		}
	}
	return nil
}

// moveTo makes a database that has the extension the home of this pass and of
// those to come.
func (p *pass) moveTo(ctx context.Context, database string) bool {
	conn, err := Connect(ctx, p.target, database)
	if err != nil {
		return false // visitDatabases will say why
	}
	found, err := installed(ctx, conn, statementsExtension)
	if err != nil || found.Version == "" {
		p.closeConn(ctx, conn)
		return false
	}
	p.closeConn(ctx, p.conn)
	p.conn, p.database, p.memory.home, p.extension = conn, database, database, found
	return true
}

// installed returns where and in which version an extension is in the database
// of conn; the zero value if it is not there.
func installed(ctx context.Context, conn *pgx.Conn, name string) (extension, error) {
	var e extension
	err := conn.QueryRow(ctx, load("extension"), name).Scan(&e.Schema, &e.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return extension{}, nil
	}
	return e, err
}
