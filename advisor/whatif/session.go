package whatif

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/foreign"
)

var (
	//go:embed queries/common_values.sql
	commonValuesSQL string
	//go:embed queries/highest_value.sql
	highestValueSQL string
	//go:embed queries/hypopg_schema.sql
	hypopgSchemaSQL string
	//go:embed queries/identity.sql
	identitySQL string
)

// Options say what a judge may do.
type Options struct {
	// TrustedRoles are roles, beside superusers, whose functions planning may
	// run: the planner runs immutable functions, with the rights of our
	// connection, even in a read-only transaction.
	TrustedRoles []string
}

// prepared is the one name under which statements are prepared: new names each
// time would evict entries of pg_stat_statements.
const prepared = "pgvigil_whatif"

// session plans foreign text over one connection, which it does not own.
type session struct {
	conn    *pgx.Conn
	foreign foreign.Checker
	checked map[string]verdict // by role and text
	calls   int
}

func newSession(conn *pgx.Conn, o Options) *session {
	return &session{conn: conn, foreign: foreign.New(conn, o.TrustedRoles), checked: map[string]verdict{}}
}

// begin starts the transaction that all planning happens in; the caller rolls
// it back. mode is "READ ONLY" or "READ WRITE".
func (s *session) begin(ctx context.Context, mode string) error {
	if _, err := s.conn.Exec(ctx, "BEGIN "+mode); err != nil {
		return fmt.Errorf("begin what-if: %w", err)
	}
	const settings = `SELECT pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true),
		pg_catalog.set_config('jit', 'off', true), pg_catalog.set_config('search_path', 'pg_catalog', true)`
	if _, err := s.conn.Exec(ctx, settings); err != nil {
		return errors.Join(fmt.Errorf("prepare what-if: %w", err), s.rollback(ctx))
	}
	return nil
}

func (s *session) rollback(ctx context.Context) error {
	if err := s.run(ctx, "ROLLBACK"); err != nil {
		return fmt.Errorf("roll back what-if: %w", err)
	}
	return nil
}

// plan plans one statement within the transaction; known maps the names of the
// indexes in place to their positions. Locks are released at once. The error
// is about the connection; what concerns the statement is in Plan.Refused.
func (s *session) plan(ctx context.Context, st Statement, known map[string]int) (Plan, error) {
	v, err := s.check(ctx, st)
	if v.refused != nil || err != nil {
		return Plan{Refused: v.refused}, err
	}
	sql := bind(repair(st.Text), st.Bound)
	raw, warnings, err := s.explain(ctx, sql, v.path)
	if bad, ok := errors.AsType[*pgconn.PgError](err); ok {
		return Plan{Refused: refusal(bad)}, nil
	}
	if err != nil {
		return Plan{}, fmt.Errorf("plan a statement: %w", err)
	}
	n, err := parsePlan(raw)
	if err != nil {
		return Plan{Refused: err}, nil
	}
	p := n.plan(known)
	p.Warnings = warnings
	return p, nil
}

// explain returns the generic plan of sql as JSON. A parameter whose type
// cannot be told is taken for text, and the warnings say so.
func (s *session) explain(ctx context.Context, sql, path string) ([]byte, []pgvigil.Warning, error) {
	var warnings []pgvigil.Warning
	types := make([]string, highest(sql))
	for i := range types {
		types[i] = "unknown"
	}
	for range len(types) + 1 {
		raw, err := s.try(ctx, sql, path, types)
		n := untyped(err)
		if n == 0 || n > len(types) || types[n-1] == "text" {
			return raw, warnings, err
		}
		types[n-1] = "text"
		warnings = append(warnings, pgvigil.Warning{
			Code: "parameter-type",
			Text: fmt.Sprintf("the type of $%d cannot be told from the text; it was planned as text", n),
		})
	}
	return nil, warnings, fmt.Errorf("plan a statement: its parameters have no types")
}

func untyped(err error) int {
	var bad *pgconn.PgError
	if !errors.As(err, &bad) || bad.Code != "42P18" {
		return 0
	}
	return highest(bad.Message)
}

// try prepares, explains and deallocates within a savepoint, which alone has
// the statement's search_path.
func (s *session) try(ctx context.Context, sql, path string, types []string) (raw []byte, err error) {
	prepare, execute := "PREPARE "+prepared, "EXECUTE "+prepared
	if len(types) > 0 {
		prepare += " (" + strings.Join(types, ", ") + ")"
		execute += " (NULL" + strings.Repeat(", NULL", len(types)-1) + ")"
	}
	if _, err := s.conn.Exec(ctx, "SAVEPOINT pgvigil"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.run(ctx, "ROLLBACK TO SAVEPOINT pgvigil")) }()
	if _, err := s.conn.Exec(ctx, "SELECT pg_catalog.set_config('search_path', $1, true)", path); err != nil {
		return nil, err
	}
	// The extended protocol takes one statement only, whatever the text holds.
	if err := s.conn.PgConn().ExecParams(ctx, prepare+" AS "+sql, nil, nil, nil, nil).Read().Err; err != nil {
		return nil, err
	}
	raw, err = s.explainPrepared(ctx, execute)
	if err != nil {
		// DEALLOCATE needs a transaction that is not aborted.
		err = errors.Join(err, s.run(ctx, "ROLLBACK TO SAVEPOINT pgvigil"))
	}
	return raw, errors.Join(err, s.run(ctx, "DEALLOCATE "+prepared))
}

func (s *session) explainPrepared(ctx context.Context, execute string) ([]byte, error) {
	s.calls++
	res := s.conn.PgConn().ExecParams(ctx, "EXPLAIN (FORMAT JSON) "+execute, nil, nil, nil, nil).Read()
	if res.Err != nil {
		return nil, res.Err
	}
	if len(res.Rows) != 1 {
		return nil, fmt.Errorf("explain: %d rows, want 1", len(res.Rows))
	}
	return slices.Clone(res.Rows[0][0]), nil
}

// run sends a command that has to reach the server even when ctx is over.
func (s *session) run(ctx context.Context, command string) error {
	if s.conn.IsClosed() {
		return nil
	}
	_, err := s.conn.Exec(context.WithoutCancel(ctx), command)
	return err
}

// refusal explains an error of the server to people, without the literals
// that its message may quote.
func refusal(bad *pgconn.PgError) error {
	switch bad.Code {
	case "42501":
		return &pgvigil.Hint{
			Err:    fmt.Errorf("plan the statement: %s", bad.Message),
			Advice: "grant the right to pgvigil's role (GRANT pg_read_all_data TO role covers SELECT; UPDATE, DELETE and FOR UPDATE need their own GRANT ON TABLE)",
		}
	case "42P01":
		return fmt.Errorf("plan the statement: %s", bad.Message)
	case "55P03", "57014":
		return fmt.Errorf("plan the statement: the server was busy (%s)", bad.Code)
	}
	return fmt.Errorf("plan the statement: the server refused it (SQLSTATE %s)", bad.Code)
}

// CommonValues returns the most common values of a column.
func (s *session) CommonValues(ctx context.Context, schema, table, column string) ([]Value, error) {
	rows, err := s.conn.Query(ctx, commonValuesSQL, schema, table, column)
	if err != nil {
		return nil, fmt.Errorf("read common values: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Value, err error) {
		err = row.Scan(&v.Text, &v.Share)
		return v, err
	})
}

// HighestValue returns the highest value of a column by its histogram.
func (s *session) HighestValue(ctx context.Context, schema, table, column string) (v string, err error) {
	if err := s.conn.QueryRow(ctx, highestValueSQL, schema, table, column).Scan(&v); err != nil {
		return "", fmt.Errorf("read the highest value: %w", err)
	}
	return v, nil
}
