package whatif

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/conninfo"
	"github.com/pgvigil/pgvigil/query"
)

// Scratch judges with real indexes on a scratch database that holds the same
// schema and data as the watched one. It proves what HypoPG cannot (GIN, true
// sizes), and takes the time that building indexes takes.
type Scratch struct {
	*session
	// built are the indexes made so far by their definition; Close drops them.
	built map[string]built
}

type built struct {
	schema string // of the table, and so of the index
	name   string
	parts  []string // names, its own and those of its partitions
	size   pgvigil.Bytes
	err    error
}

// NewScratch connects to the scratch database. Watched is a connection to the
// database that is never written to: if both are the same, NewScratch refuses.
// A nil watched connection skips that check; only tests may do so. Connecting,
// locks and statements have timeouts.
func NewScratch(ctx context.Context, dsn pgvigil.Secret, watched *pgx.Conn, o Options) (*Scratch, error) {
	config, err := conninfo.Read(scratchName, dsn)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "pgvigil"
	config.RuntimeParams["search_path"] = "pg_catalog"
	config.RuntimeParams["lock_timeout"] = millis(scratchLock)
	config.RuntimeParams["statement_timeout"] = millis(scratchStatement)
	conn, err := conninfo.Connect(ctx, scratchName, config, scratchConnect)
	if err != nil {
		return nil, err
	}
	s := &Scratch{session: newSession(conn, o), built: map[string]built{}}
	if err := s.differs(ctx, watched); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return s, nil
}

// scratchName is whose connection it is, in errors.
const scratchName = "the scratch database"

// Limits of the scratch connection. The longest statement builds an index.
const (
	scratchConnect   = 5 * time.Second
	scratchLock      = 5 * time.Second
	scratchStatement = 10 * time.Minute
)

// millis is a duration as Postgres takes it for a setting.
func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// differs refuses to work on the watched database itself. A physical copy has
// the same system identifier, but another postmaster.
func (s *Scratch) differs(ctx context.Context, watched *pgx.Conn) error {
	if watched == nil {
		return nil
	}
	ours, err := identity(ctx, s.conn)
	if err != nil {
		return err
	}
	theirs, err := identity(ctx, watched)
	if err != nil {
		return err
	}
	if ours == theirs {
		return &pgvigil.Hint{
			Err:    errors.New("use the scratch database: it is the watched database itself"),
			Advice: "name a copy; indexes are created and dropped in it",
		}
	}
	return nil
}

func identity(ctx context.Context, conn *pgx.Conn) (id [3]string, err error) {
	if err := conn.QueryRow(ctx, identitySQL).Scan(&id[0], &id[1], &id[2]); err != nil {
		return id, fmt.Errorf("tell the databases apart: %w", err)
	}
	return id, nil
}

// Method returns "scratch database".
func (s *Scratch) Method() string { return "scratch database" }

// Cost implements Judge. An index is built once and hidden afterwards from the
// calls that do not ask for it: it is dropped in their transaction, which is
// rolled back.
func (s *Scratch) Cost(ctx context.Context, statements []Statement, indexes []Index) (res Result, err error) {
	before := s.calls
	res = newResult(len(statements), len(indexes))
	known := map[string]int{}
	for i, x := range indexes {
		b, err := s.build(ctx, x)
		if err != nil {
			return res, err
		}
		res.Sizes[i], res.Unproven[i] = b.size, b.err
		for _, name := range b.parts {
			known[name] = i
		}
	}
	if err := s.begin(ctx, "READ WRITE"); err != nil {
		return res, err
	}
	defer func() {
		err = errors.Join(err, s.rollback(ctx))
		res.Calls = s.calls - before
	}()
	if err := s.hide(ctx, known); err != nil {
		return res, err
	}
	for i, st := range statements {
		if res.Plans[i], err = s.plan(ctx, st, known); err != nil {
			return res, err
		}
	}
	return res, nil
}

// build makes the index unless it is there.
func (s *Scratch) build(ctx context.Context, x Index) (built, error) {
	key := x.Definition()
	if b, ok := s.built[key]; ok {
		return b, nil
	}
	b := built{schema: x.Schema, name: fmt.Sprintf("pgvigil_whatif_%d_%d", s.conn.PgConn().PID(), len(s.built))}
	x.Name, x.Unique = b.name, false
	if err := s.qualifyClasses(ctx, &x); err != nil {
		return b, err
	}
	refused, err := s.untrustedIndex(ctx, x, x.SQL(DDL{}))
	if refused == nil && err == nil {
		_, err = s.conn.Exec(ctx, x.SQL(DDL{}))
	}
	var bad *pgconn.PgError
	switch {
	case refused != nil:
		b.err = refused
	case errors.As(err, &bad):
		b.err = fmt.Errorf("the scratch database cannot hold %s: %s", key, query.Mask(bad.Message))
	case err != nil:
		return b, fmt.Errorf("build an index on the scratch database: %w", err)
	default:
		if err := s.measure(ctx, x, &b); err != nil {
			return b, err
		}
	}
	s.built[key] = b
	return b, nil
}

//go:embed queries/index_size.sql
var indexSizeSQL string

//go:embed queries/class_schema.sql
var classSchemaSQL string

// qualifyClasses finds the schemas of operator classes: only superusers make
// those, so any of that name will do.
func (s *Scratch) qualifyClasses(ctx context.Context, x *Index) error {
	x.Keys = slices.Clone(x.Keys)
	for i, k := range x.Keys {
		if k.Class == "" {
			continue
		}
		var schema string
		err := s.conn.QueryRow(ctx, classSchemaSQL, k.Class, x.Method).Scan(&schema)
		if errors.Is(err, pgx.ErrNoRows) {
			continue // CREATE INDEX says what is missing
		}
		if err != nil {
			return fmt.Errorf("look for an operator class: %w", err)
		}
		x.Keys[i].Class = Quote(schema, k.Class)
	}
	return nil
}

// measure reads the size of a new index and the names of its parts.
func (s *Scratch) measure(ctx context.Context, x Index, b *built) error {
	if hasExpression(x) {
		// Only ANALYZE tells the planner how an expression's values are spread.
		if _, err := s.conn.Exec(ctx, "ANALYZE "+Quote(x.Schema, x.Table)); err != nil {
			return fmt.Errorf("analyze the scratch table: %w", err)
		}
	}
	if err := s.conn.QueryRow(ctx, indexSizeSQL, Quote(x.Schema, x.Name)).Scan(&b.size, &b.parts); err != nil {
		return fmt.Errorf("measure an index: %w", err)
	}
	return nil
}

func hasExpression(x Index) bool {
	for _, k := range x.Keys {
		if k.Expr != "" {
			return true
		}
	}
	return false
}

// hide drops, in the transaction only, what was built for other calls.
func (s *Scratch) hide(ctx context.Context, known map[string]int) error {
	for _, b := range s.built {
		if _, wanted := known[b.name]; wanted || b.err != nil {
			continue
		}
		if _, err := s.conn.Exec(ctx, "DROP INDEX "+Quote(b.schema, b.name)); err != nil {
			return fmt.Errorf("hide an index of the scratch database: %w", err)
		}
	}
	return nil
}

// Close drops what was built and ends the connection.
func (s *Scratch) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, b := range s.built {
		if b.err != nil || s.conn.IsClosed() {
			continue
		}
		if _, err := s.conn.Exec(ctx, "DROP INDEX "+Quote(b.schema, b.name)); err != nil {
			errs = append(errs, fmt.Errorf("drop an index of the scratch database: %w", err))
		}
	}
	return errors.Join(append(errs, s.conn.Close(ctx))...)
}
