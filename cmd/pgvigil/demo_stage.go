package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/fixtures"
	"github.com/pgvigil/pgvigil/internal/conninfo"
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
	"shared_buffers":                    "256MB",
	"autovacuum_naptime":                "15s",
	"pg_stat_statements.track":          "top",
	"pg_stat_statements.track_planning": "on", // tells a statement that is planned no more
	"track_functions":                   "none",
	"deadlock_timeout":                  "200ms",
}

// openStage starts a server, or takes the user's database. The caller closes it,
// also after an error.
func openStage(ctx context.Context, o demoOptions) (*stage, error) {
	s := &stage{world: fixtures.World{Scale: o.scale, Seed: o.seed}}
	if o.dsn != "" {
		info, err := flagDSN("--dsn", o.dsn.Reveal())
		if err != nil {
			return s, err
		}
		s.owner, s.watch = o.dsn.Reveal(), o.dsn.Reveal()
		s.database = cmp.Or(info.Param("dbname"), os.Getenv("PGDATABASE"))
		if err := fixtures.Empty(ctx, s.owner); err != nil {
			return s, err
		}
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

// prepare makes ready what watching needs: the extension, and on a server of
// the demo's own the role. HypoPG is used where it is to be had; its absence is
// no error.
func (s *stage) prepare(ctx context.Context, ownServer bool) error {
	// One transaction: a server that does not load it keeps no trace of us.
	err := execute(ctx, s.owner, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT count(*) FROM pg_stat_statements")
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == notPreloaded {
		return remedied(err, "give a server with shared_preload_libraries = 'pg_stat_statements', or leave --dsn out")
	}
	if err != nil {
		return remedied(err, "let a superuser run CREATE EXTENSION pg_stat_statements in the database of --dsn")
	}
	if ownServer {
		role := "CREATE ROLE " + watchRole + " LOGIN; GRANT pg_monitor, pg_read_all_data TO " + watchRole
		if err := execute(ctx, s.owner, role); err != nil {
			return err
		}
	}
	s.hypopg = execute(ctx, s.owner, "CREATE EXTENSION IF NOT EXISTS hypopg") == nil
	return nil
}

// notPreloaded is the SQLSTATE of a library that the server did not load.
const notPreloaded = "55000"

// remedied adds advice to an error that the server gave; one of connecting has
// its own.
func remedied(err error, advice string) error {
	if pgvigil.Advice(err) != "" {
		return err
	}
	return &pgvigil.Hint{Err: err, Advice: advice}
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

// whoseDemo is whose connections these are, in errors.
const whoseDemo = "the demo's database"

// executeTimeout bounds a script of the demo's own; the longest creates an
// index for each partition.
const executeTimeout = "5min"

// execute runs a script of ours over a connection of its own.
func execute(ctx context.Context, dsn, script string) error {
	config, err := conninfo.Read(whoseDemo, pgvigil.Secret(dsn))
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = "pgvigil-demo"
	config.RuntimeParams["statement_timeout"] = executeTimeout
	config.RuntimeParams["lock_timeout"] = executeTimeout
	conn, err := conninfo.Connect(ctx, whoseDemo, config, 0)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, script, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("run %q: %w", oneLine(script, 60), err)
	}
	return nil
}
