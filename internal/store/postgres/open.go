package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/conninfo"
	"github.com/pgvigil/pgvigil/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed queries/*.sql
var queries embed.FS

// schema is where the tables are.
const schema = "pgvigil"

// Options are those of every history; zero values mean the defaults.
type Options struct {
	store.Options
	// Connections is how many there are at most. The default is 4.
	Connections int
}

// Open opens the history in the database that dsn names. The schema is created
// if it is not there, which needs the right to create in the database.
func Open(ctx context.Context, dsn pgvigil.Secret, o Options) (*store.SQL, error) {
	config, err := conninfo.Read("the history", dsn)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["search_path"] = schema
	config.RuntimeParams["application_name"] = "pgvigil"
	config.RuntimeParams["jit"] = "off"
	config.RuntimeParams["timezone"] = "UTC"
	db := stdlib.OpenDB(*config)
	if o.Connections == 0 {
		o.Connections = 4
	}
	db.SetMaxOpenConns(o.Connections)
	db.SetMaxIdleConns(o.Connections)
	s := &server{db: db}
	if err := s.createSchema(ctx); err != nil {
		return nil, errors.Join(explain(config, err), db.Close())
	}
	h, err := store.Open(ctx, s, o.Options)
	if err != nil {
		return nil, errors.Join(explain(config, err), db.Close())
	}
	return h, nil
}

// server implements store.Database.
type server struct{ db *sql.DB }

func (s *server) DB() *sql.DB { return s.db }

func (s *server) Migrations() fs.FS {
	sub, _ := fs.Sub(migrations, "migrations") // the name is valid: cannot fail
	return sub
}

// query returns a statement by name.
func query(name string) string {
	body, _ := queries.ReadFile("queries/" + name + ".sql") // embedded, tested
	return string(body)
}

func (s *server) createSchema(ctx context.Context) error {
	var there bool
	if err := s.db.QueryRowContext(ctx, query("schema_exists"), schema).Scan(&there); err != nil {
		return fmt.Errorf("open the history: %w", err)
	}
	if there {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, query("create_schema")); err != nil {
		return fmt.Errorf("create the schema of the history: %w", err)
	}
	return nil
}

// Begin waits until no other process writes the history.
func (s *server) Begin(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, query("lock")); err != nil {
		return fmt.Errorf("wait for other writers: %w", err)
	}
	return nil
}

// Append copies rows in binary form.
func (s *server) Append(ctx context.Context, conn *sql.Conn, t store.Table) error {
	return conn.Raw(func(raw any) error {
		c, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("copy: not a connection of pgx but %T", raw)
		}
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{schema, t.Name}, t.Columns, pgx.CopyFromRows(t.Rows))
		return err
	})
}

// Recover has nothing to mend: the pool replaces connections that broke. One
// more try is worth it when the server went away.
func (s *server) Recover(ctx context.Context, err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "57P01" || pg.Code == "57P02" // admin_shutdown, crash_shutdown
	}
	return pgconn.SafeToRetry(err)
}

// Explain has nothing to add: the server's words are clear.
func (s *server) Explain(err error) error { return err }

// Scrub has nothing to do: the server checks what it reads.
func (s *server) Scrub(context.Context) error { return nil }

// Tidy makes the space of moved rows reusable and tells the planner.
func (s *server) Tidy(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, query("vacuum")); err != nil {
		return fmt.Errorf("vacuum the history: %w", err)
	}
	return nil
}

func (s *server) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the history: %w", err)
	}
	return nil
}

// explain adds the remedy to an error of opening.
func explain(config *pgx.ConnConfig, err error) error {
	var pg *pgconn.PgError
	var refused *pgconn.ConnectError
	switch {
	case pgvigil.Advice(err) != "":
		return err
	case errors.As(err, &refused):
		return conninfo.Explain("the history", config, err)
	case errors.As(err, &pg) && pg.Code == "42501": // insufficient_privilege
		return &pgvigil.Hint{Err: fmt.Errorf("%w: %w", store.ErrUnwritable, err), Advice: "GRANT CREATE ON DATABASE to the role of the history, or create the schema " + schema + " for it"}
	case errors.As(err, &pg) && pg.Code == "25006": // read_only_sql_transaction
		return &pgvigil.Hint{Err: fmt.Errorf("%w: %w", store.ErrUnwritable, err), Advice: "name the primary, not a standby"}
	}
	return err
}
