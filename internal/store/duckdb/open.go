package duckdb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options bound what DuckDB takes. Zero values mean the defaults.
type Options struct {
	store.Options
	// Memory is DuckDB's memory limit; what needs more goes to disk beside the
	// file. The default is 512 MiB.
	Memory pgvigil.Bytes
	// Threads is how many threads a query may use. The default is 2.
	Threads int
	// Connections is how many queries run at the same time. The default is 4.
	Connections int
}

func (o Options) withDefaults() Options {
	if o.Memory == 0 {
		o.Memory = 512 << 20
	}
	if o.Threads == 0 {
		o.Threads = 2
	}
	if o.Connections == 0 {
		o.Connections = 4
	}
	return o
}

// Open opens the history in a file, which is created if it is not there; its
// directory must be. The errors are those of package store, with a remedy. A
// file that is refused is not changed.
func Open(ctx context.Context, path string, o Options) (*store.SQL, error) {
	o = o.withDefaults()
	f, err := claim(path)
	if err != nil {
		return nil, err
	}
	f.opts = o
	if err := f.open(ctx); err != nil {
		f.release()
		return nil, refused(path, err)
	}
	h, err := store.Open(ctx, f, o.Options)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return h, nil
}

// open looks at the file first without writing to it, and then opens it. An
// empty file is as good as none, but DuckDB would not take it.
func (f *file) open(ctx context.Context) error {
	info, err := os.Stat(f.path)
	switch {
	case err != nil: // connect will say if that is more than a file to be made
	case info.Mode().IsRegular() && info.Size() == 0:
		err = os.Remove(f.path)
	default:
		err = f.inspect(ctx)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := connect(ctx, f.path, f.opts, false)
	if err != nil {
		return err
	}
	f.db.Store(db)
	return nil
}

// inspect says what is wrong with a file that is there.
func (f *file) inspect(ctx context.Context) (err error) {
	db, err := connect(ctx, f.path, f.opts, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var tables, ours int
	err = db.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (table_name = 'schema_versions') FROM duckdb_tables()").Scan(&tables, &ours)
	if err != nil {
		return fmt.Errorf("list its tables: %w", err)
	}
	if tables > 0 && ours == 0 {
		return errForeign
	}
	if ours == 0 {
		return nil
	}
	known, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	var version int
	if err := db.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM schema_versions").Scan(&version); err != nil {
		return fmt.Errorf("read the version of its schema: %w", err)
	}
	if version > len(known) {
		return fmt.Errorf("its schema has version %d, this program knows %d: %w", version, len(known), store.ErrNewer)
	}
	return nil
}

// connect opens a pool of connections to a file.
func connect(ctx context.Context, path string, o Options, readOnly bool) (*sql.DB, error) {
	dsn, err := dataSource(path, o, readOnly)
	if err != nil {
		return nil, err
	}
	connector, err := duckdb.NewConnector(dsn, nil)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(o.Connections)
	db.SetMaxIdleConns(o.Connections)
	// For all connections, and for good: no later statement can undo it.
	if _, err := db.ExecContext(ctx, "SET GLOBAL lock_configuration = true"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func dataSource(path string, o Options, readOnly bool) (string, error) {
	if strings.ContainsAny(path, "?%#") {
		return "", errName
	}
	settings := url.Values{
		"access_mode":                  {map[bool]string{true: "READ_ONLY", false: "READ_WRITE"}[readOnly]},
		"autoinstall_known_extensions": {"false"},
		"autoload_known_extensions":    {"false"},
		"enable_external_access":       {"false"},
		"memory_limit":                 {strconv.FormatInt(int64(o.Memory)>>10, 10) + "KiB"},
		"threads":                      {strconv.Itoa(o.Threads)},
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, err)
	}
	return abs + "?" + settings.Encode(), nil
}
