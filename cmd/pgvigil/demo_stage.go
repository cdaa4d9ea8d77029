package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/fixtures"
	"github.com/pgvigil/pgvigil/internal/pgserver"
)

// stage is where the demo plays: a server, the world's database in it, and the
// role that watches.
type stage struct {
	server *pgserver.Server // nil for a database that the user gave
	// owner may do everything in the world's database; watch may only look.
	owner string
	watch string
	// database is the name of the world's database.
	database string
	world    fixtures.World
	// scratch is the connection string of a second world in which indexes may
	// really be built, made when first asked for.
	scratch string
	hypopg  bool
}

const (
	worldDatabase   = "ci"
	scratchDatabase = "ci_scratch"
	watchRole       = "pgvigil"
)

// demoSettings are what the demo's server has beside pgserver's defaults.
var demoSettings = map[string]string{
	"shared_buffers":           "256MB",
	"autovacuum_naptime":       "15s",
	"pg_stat_statements.track": "top",
	"track_functions":          "none",
	"deadlock_timeout":         "200ms",
}

// openStage starts a server, or takes the user's database. The caller closes it,
// also after an error.
func openStage(ctx context.Context, o demoOptions) (*stage, error) {
	s := &stage{world: fixtures.World{Scale: o.scale, Seed: o.seed}}
	if o.dsn != "" {
		cfg, err := pgx.ParseConfig(o.dsn.Reveal())
		if err != nil {
			return s, &pgvigil.Hint{Err: fmt.Errorf("read --dsn: %w", withoutDSN(err)), Advice: "write it like postgres://user@host/database"}
		}
		s.owner, s.watch, s.database = o.dsn.Reveal(), o.dsn.Reveal(), cfg.Database
		return s, s.prepare(ctx, false)
	}
	in, err := pgserver.Find(ctx, 0)
	if err != nil {
		return s, err
	}
	s.server, err = pgserver.Start(ctx, in, pgserver.Options{Settings: demoSettings})
	if err != nil {
		return s, err
	}
	if err := execute(ctx, s.server.DSN("postgres"), "CREATE DATABASE "+worldDatabase); err != nil {
		return s, err
	}
	s.database, s.owner = worldDatabase, s.server.DSN(worldDatabase)
	s.watch = fmt.Sprintf("host=%s port=%d user=%s dbname=%s", s.server.Dir, s.server.Port, watchRole, worldDatabase)
	return s, s.prepare(ctx, true)
}

func (s *stage) prepare(ctx context.Context, ownServer bool) error {
	err := execute(ctx, s.owner, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT count(*) FROM pg_stat_statements")
	var refused *pgconn.PgError
	switch {
	case err != nil && !errors.As(err, &refused):
		return &pgvigil.Hint{Err: err, Advice: "check that the server of --dsn runs and can be reached"}
	case err != nil:
		return &pgvigil.Hint{
			Err:    err,
			Advice: "give a database whose server has shared_preload_libraries = 'pg_stat_statements' and a role that may create extensions",
		}
	}
	if ownServer {
		role := "CREATE ROLE " + watchRole + " LOGIN; GRANT pg_monitor, pg_read_all_data TO " + watchRole
		if err := execute(ctx, s.owner, role); err != nil {
			return err
		}
	}
	// HypoPG is used where it is to be had; its absence is no error.
	s.hypopg = execute(ctx, s.owner, "CREATE EXTENSION IF NOT EXISTS hypopg") == nil
	return nil
}

// scratchDSN returns a database with the same world in which indexes may be
// built, loading it on first use; "" where HypoPG makes it unnecessary or the
// server is the user's.
func (s *stage) scratchDSN(ctx context.Context) (string, error) {
	if s.hypopg || s.server == nil || s.scratch != "" {
		return s.scratch, nil
	}
	if err := execute(ctx, s.server.DSN("postgres"), "CREATE DATABASE "+scratchDatabase); err != nil {
		return "", err
	}
	dsn := s.server.DSN(scratchDatabase)
	if err := fixtures.Load(ctx, dsn, s.world, func(string) {}); err != nil {
		return "", err
	}
	s.scratch = dsn
	return dsn, nil
}

func (s *stage) close() error {
	if s.server == nil {
		return nil
	}
	return s.server.Stop()
}

// version says what the stage runs on.
func (s *stage) version() string {
	if s.server == nil {
		return "your server"
	}
	return "PostgreSQL " + s.server.Install.Version
}

// execute runs a script of ours over a connection of its own.
func execute(ctx context.Context, dsn, script string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to the demo's database: %w", withoutDSN(err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, script, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("run %q: %w", oneLine(script, 60), err)
	}
	return nil
}

// withoutDSN drops the connection string that a parse error quotes.
func withoutDSN(err error) error {
	if _, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		return errors.New("the connection string cannot be read")
	}
	return err
}
