package collector

import (
	"context"
	"errors"
	"fmt"

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
	case sqlState(err) == stateNoRights:
		p.warn("statements-unread", fmt.Sprintf("read statements in database %s: %s", p.home, plain(err)), p.extension.grants(p.user))
		return nil
	case err != nil:
		return err
	}
	p.snap.Statements, p.snap.At, p.snap.Clock = read, at, p.Now().UTC()
	return nil
}

// grants is what a role needs to read the extension, in its database.
func (e extension) grants(role string) string {
	schema, role := pgx.Identifier{e.Schema}.Sanitize(), pgx.Identifier{role}.Sanitize()
	return fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON %s.%s TO %s", schema, role, schema, statementsExtension, role)
}

// findExtension looks for pg_stat_statements in the database at hand, then in
// the others: one of them is enough, as it counts for the whole server. The
// pass goes on from the one that has it, and so do those to come.
func (p *pass) findExtension(ctx context.Context) error {
	found, err := installed(ctx, p.conn, statementsExtension)
	if err != nil || found.Version != "" {
		p.extension = found
		return err
	}
	for _, db := range p.snap.Databases {
		if db.Name == p.home || !p.wanted(db.Name) || p.move(ctx, db.Name) != nil {
			continue // visitDatabases will say why
		}
		if found, err = installed(ctx, p.conn, statementsExtension); err == nil && found.Version != "" {
			p.home, p.memory.home, p.extension = db.Name, db.Name, found
			return nil
		}
	}
	return p.move(ctx, p.home)
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
