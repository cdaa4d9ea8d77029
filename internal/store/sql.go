package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"
)

// SQL is a History in a database that speaks SQL. Writes are made one at a
// time, each in a transaction; reads go on beside them.
type SQL struct {
	db      Database
	opts    Options
	writing sync.Mutex
	closed  bool // guarded by writing
}

// Options are what histories have in common.
type Options struct {
	// CloseAfter is how old a day's intervals must be to be re-clustered by
	// statement; 0 means 24 hours.
	CloseAfter time.Duration
	// Keep is how long the history is kept; 0 means for ever.
	Keep time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.CloseAfter == 0 {
		o.CloseAfter = 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Database is what a kind of database has to supply.
type Database interface {
	// DB returns the connections that are in use now.
	DB() *sql.DB
	// Migrations returns the numbered .sql files of the schema.
	Migrations() fs.FS
	// Begin runs first in each writing transaction; it keeps other writers out
	// for as long.
	Begin(ctx context.Context, tx *sql.Tx) error
	// Append adds rows to a table, in the transaction that is open on conn.
	Append(ctx context.Context, conn *sql.Conn, t Table) error
	// Recover mends the connections after err, if it is one that they do not
	// survive, and says whether the operation is worth another try.
	Recover(ctx context.Context, err error) bool
	// Explain adds to an error of the database what it means, and what to do.
	Explain(err error) error
	// Scrub reads all there is and returns the error of what cannot be read.
	Scrub(ctx context.Context) error
	// Tidy gives space back and refreshes statistics after a compaction.
	Tidy(ctx context.Context) error
	Close() error
}

// Table is rows for one table. Values are nil, int64, float64, bool, string,
// time.Time or []byte; []any rows have the length of Columns.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]any
}

// Open brings the schema of a database up to date and returns the history in
// it. Closing the history closes the database; after an error it is left open.
func Open(ctx context.Context, db Database, o Options) (*SQL, error) {
	h := &SQL{db: db, opts: o.withDefaults()}
	if err := h.migrate(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

// Close ends the use of the history; a write that is under way ends first. To
// close it again does nothing.
func (h *SQL) Close() error {
	h.writing.Lock()
	defer h.writing.Unlock()
	if h.closed {
		return nil
	}
	h.closed = true
	return h.db.Close()
}

// txn is a writing transaction.
type txn struct {
	*sql.Tx
	conn *sql.Conn
	db   Database
}

// write runs f in a transaction, which is undone if f returns an error or ctx
// ends before f does.
func (h *SQL) write(ctx context.Context, f func(tx *txn) error) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	err := h.transact(ctx, f)
	if err != nil && ctx.Err() == nil && h.db.Recover(ctx, err) {
		err = h.transact(ctx, f)
	}
	return h.explain(err)
}

func (h *SQL) explain(err error) error {
	if err == nil {
		return nil
	}
	return h.db.Explain(err)
}

func (h *SQL) transact(ctx context.Context, f func(tx *txn) error) error {
	conn, err := h.db.DB().Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the history: %w", err)
	}
	defer func() { _ = conn.Close() }() // gives it back; ErrBadConn if it was abandoned
	// The transaction must not end by itself when ctx does: what is appended
	// afterwards would be outside of it.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return fmt.Errorf("begin to write the history: %w", err)
	}
	if err = h.db.Begin(ctx, tx); err == nil {
		err = f(&txn{tx, conn, h.db})
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		abandon(conn, tx)
		return err
	}
	if err = tx.Commit(); err != nil {
		return fmt.Errorf("commit to the history: %w", err)
	}
	return nil
}

// abandon undoes a transaction. A connection that cannot do so is not used again.
func abandon(conn *sql.Conn, tx *sql.Tx) {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// append adds rows to a table, none if there are none.
func (tx *txn) append(ctx context.Context, t Table) error {
	if len(t.Rows) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := tx.db.Append(ctx, tx.conn, t); err != nil {
		return fmt.Errorf("write %s: %w", t.Name, err)
	}
	return nil
}

// exec runs a named statement.
func (tx *txn) exec(ctx context.Context, name string, args ...any) error {
	if _, err := tx.ExecContext(ctx, text(name), args...); err != nil {
		return fmt.Errorf("run %s: %w", name, err)
	}
	return nil
}

// nextID returns the next free id of a table.
func (tx *txn) nextID(ctx context.Context, table string) (int64, error) {
	var id int64
	err := tx.QueryRowContext(ctx, textOf("next_id", ":table", table)).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("number a row of %s: %w", table, err)
	}
	return id, nil
}

// querier is a transaction or the database itself.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// read runs f over the database, once more if the connections had to be mended.
func (h *SQL) read(ctx context.Context, f func(q querier) error) error {
	err := f(h.db.DB())
	if err != nil && ctx.Err() == nil && h.db.Recover(ctx, err) {
		err = f(h.db.DB())
	}
	return h.explain(err)
}

// request is a query with its arguments.
type request struct {
	sql  string
	args []any
}

// ask names a query.
func ask(name string, args ...any) request { return request{text(name), args} }

// of puts a list of numbers into the query.
func (r request) of(ids string) request {
	r.sql = strings.ReplaceAll(r.sql, ":ids", ids)
	return r
}

// each runs a query and calls f for every row.
func each(ctx context.Context, q querier, r request, f func(*sql.Rows) error) (err error) {
	rows, err := q.QueryContext(ctx, r.sql, r.args...)
	if err != nil {
		return fmt.Errorf("%s: %w", purpose(r.sql), err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", purpose(r.sql), err)
	}
	return nil
}
