package collector

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/conninfo"
)

// applicationName is what every connection calls itself.
const applicationName = "pgvigil"

// idleTimeout ends a session that its client forgot.
const idleTimeout = 5 * time.Minute

// startup holds what every connection begins with. The formats make sure that
// no setting of a role or database changes how values are spelled.
// default_transaction_read_only is reported back, which proves that the server
// took them all.
var startup = map[string]string{
	"application_name":              applicationName,
	"search_path":                   "pg_catalog",
	"default_transaction_read_only": "on",
	"client_encoding":               "UTF8",
	"datestyle":                     "ISO, MDY",
	"intervalstyle":                 "postgres",
	"timezone":                      "UTC",
	"extra_float_digits":            "1",
	"bytea_output":                  "hex",
}

// Connect opens a connection to one database of a target ("" for the one that
// the DSN names) under the rule of the house: search_path is pg_catalog,
// transactions are read-only, JIT is off, statements, locks and idling have
// timeouts, and TLS verifies the server's name off loopback unless the DSN or
// PGSSLMODE says otherwise. The caller closes it.
//
// Values travel as text in one round trip a query and nothing is prepared by
// name. Errors are one sentence without the DSN or any part of its password,
// mostly a *pgvigil.Hint.
func Connect(ctx context.Context, t pgvigil.Target, database string) (*pgx.Conn, error) {
	return connect(ctx, t, database, nil)
}

// connect is Connect for a connection whose statements are timed.
func connect(ctx context.Context, t pgvigil.Target, database string, tracer pgx.QueryTracer) (*pgx.Conn, error) {
	config, err := connConfig(t, database)
	if err != nil {
		return nil, err
	}
	config.Tracer = tracer
	timeouts := withDefaults(t.Timeouts)
	ctx, cancel := context.WithTimeout(ctx, timeouts.Connect)
	defer cancel()
	conn, err := conninfo.Connect(ctx, t.Name, config, timeouts.Connect)
	if err != nil {
		return nil, err
	}
	if err := settle(ctx, conn, timeouts); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx)) // the error before is the one that counts
		return nil, conninfo.Explain(t.Name, config, err)
	}
	return conn, nil
}

// connConfig reads the target's DSN and lays the rule of the house over it.
func connConfig(t pgvigil.Target, database string) (*pgx.ConnConfig, error) {
	config, err := conninfo.Read(t.Name, t.DSN)
	if err != nil {
		return nil, err
	}
	if database != "" {
		config.Database = database
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	maps.DeleteFunc(config.RuntimeParams, func(name, _ string) bool {
		_, ours := startup[strings.ToLower(name)]
		return ours
	})
	maps.Copy(config.RuntimeParams, startup)
	return config, nil
}

// settle sets what must not come with the startup packet: so pg_settings still
// tells as reset_val what the server gives to others.
func settle(ctx context.Context, conn *pgx.Conn, timeouts pgvigil.Timeouts) error {
	if conn.PgConn().ParameterStatus("default_transaction_read_only") != "on" {
		return conninfo.ErrPooler
	}
	_, err := conn.Exec(ctx, fmt.Sprintf("SET jit = off; SET statement_timeout = %d; SET lock_timeout = %d;"+
		" SET idle_in_transaction_session_timeout = %d; SET idle_session_timeout = %d",
		timeouts.Statement.Milliseconds(), timeouts.Lock.Milliseconds(),
		timeouts.Statement.Milliseconds(), idleTimeout.Milliseconds()), pgx.QueryExecModeSimpleProtocol)
	return err
}

// withDefaults fills in the timeouts that a target does not name.
func withDefaults(t pgvigil.Timeouts) pgvigil.Timeouts {
	fill := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	fill(&t.Connect, pgvigil.DefaultTimeouts.Connect)
	fill(&t.Statement, pgvigil.DefaultTimeouts.Statement)
	fill(&t.Lock, pgvigil.DefaultTimeouts.Lock)
	fill(&t.Pass, pgvigil.DefaultTimeouts.Pass)
	return t
}
