package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/pgvigil/pgvigil/internal/store"
)

// file is an open history file; it implements store.Database.
type file struct {
	path string
	opts Options
	db   atomic.Pointer[sql.DB]
	// mending is held while the file is opened anew.
	mending sync.Mutex
}

// owned are the files that this process has open. The operating system's lock
// keeps out other processes only, and closing a second handle would drop it.
var owned sync.Map

// claim makes path ours within this process.
func claim(path string) (*file, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the history %s: %w", path, err)
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(dir, filepath.Base(abs))
	}
	if _, taken := owned.LoadOrStore(abs, true); taken {
		return nil, locked(path)
	}
	return &file{path: abs}, nil
}

func (f *file) release() { owned.Delete(f.path) }

func (f *file) DB() *sql.DB { return f.db.Load() }

func (f *file) Migrations() fs.FS {
	sub, _ := fs.Sub(migrations, "migrations") // the name is valid: cannot fail
	return sub
}

// Begin has nothing to do: the process is alone, and store writes one at a time.
func (f *file) Begin(context.Context, *sql.Tx) error { return nil }

// Append uses DuckDB's appender, which takes part in the connection's transaction.
func (f *file) Append(ctx context.Context, conn *sql.Conn, t store.Table) error {
	return conn.Raw(func(raw any) error {
		a, err := duckdb.NewAppenderWithColumns(raw.(driver.Conn), "", "", t.Name, t.Columns)
		if err != nil {
			return err
		}
		for i, row := range t.Rows {
			if err = asValues(a, row); err != nil {
				err = fmt.Errorf("row %d: %w", i, err)
				break
			}
		}
		if err != nil {
			return errors.Join(err, a.Clear(), a.Close())
		}
		return a.CloseWithCancel(ctx)
	})
}

func asValues(a *duckdb.Appender, row []any) error {
	values := make([]driver.Value, len(row))
	for i, v := range row {
		values[i] = v
	}
	return a.AppendRow(values...)
}

// Recover opens the file anew if err says that DuckDB gave it up, as it does
// when the disk was full.
func (f *file) Recover(ctx context.Context, err error) bool {
	if !dead(err) {
		return false
	}
	f.mending.Lock()
	defer f.mending.Unlock()
	old := f.db.Load()
	if old.PingContext(ctx) == nil && alive(ctx, old) {
		return true // somebody else mended it meanwhile
	}
	_ = old.Close() // it is dead: nothing to be learned from how it ends
	fresh, err := connect(ctx, f.path, f.opts, false)
	if err != nil {
		return false
	}
	f.db.Store(fresh)
	return true
}

func alive(ctx context.Context, db *sql.DB) bool {
	var one int
	return db.QueryRowContext(ctx, "SELECT 1").Scan(&one) == nil
}

// dead says that after err no connection to the file works any more.
func dead(err error) bool {
	var e *duckdb.Error
	return errors.As(err, &e) && (e.Type == duckdb.ErrorTypeFatal || strings.Contains(e.Msg, "database has been invalidated"))
}

// Scrub reads every value of the file: a block that was damaged on the disk is
// noticed when it is read, and not before.
func (f *file) Scrub(ctx context.Context) error {
	tables, err := f.tables(ctx)
	if err != nil {
		return fmt.Errorf("list the tables: %w", err)
	}
	for _, table := range tables {
		var sum sql.NullString
		if err := f.DB().QueryRowContext(ctx, `SELECT bit_xor(hash(t)) FROM "`+table+`" AS t`).Scan(&sum); err != nil {
			return fmt.Errorf("read table %s: %w", table, err)
		}
	}
	return nil
}

func (f *file) tables(ctx context.Context) (names []string, err error) {
	rows, err := f.DB().QueryContext(ctx, "SELECT table_name FROM duckdb_tables() ORDER BY 1")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Tidy writes the log into the file and gives free blocks back.
func (f *file) Tidy(ctx context.Context) error {
	if _, err := f.DB().ExecContext(ctx, "CHECKPOINT"); err != nil {
		return fmt.Errorf("write a checkpoint: %w", err)
	}
	return nil
}

func (f *file) Close() error {
	defer f.release()
	if err := f.DB().Close(); err != nil {
		return fmt.Errorf("close the history %s: %w", f.path, err)
	}
	return nil
}
