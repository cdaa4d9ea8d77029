package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// migrate applies the numbered migrations that the database has not seen, each
// in a transaction, and adds a column for each metric that it does not have.
func (h *SQL) migrate(ctx context.Context) error {
	files, err := fs.Glob(h.db.Migrations(), "*.sql") // sorted by name, so by number
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	return h.write(ctx, func(tx *txn) error {
		version, err := tx.version(ctx)
		if err != nil {
			return err
		}
		if version > len(files) {
			return &pgvigil.Hint{
				Err:    fmt.Errorf("open the history: %w: its schema has version %d, this program knows %d", ErrNewer, version, len(files)),
				Advice: "use the pgvigil that wrote it, or a later one",
			}
		}
		for i, name := range files[version:] {
			if err := h.apply(ctx, tx, name, version+i+1); err != nil {
				return err
			}
		}
		return tx.addMetrics(ctx)
	})
}

// version returns the number of the last migration applied, 0 for an empty
// database.
func (tx *txn) version(ctx context.Context) (int, error) {
	_, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_versions (version integer NOT NULL, name text NOT NULL)")
	if err != nil {
		return 0, fmt.Errorf("create the table of versions: %w", err)
	}
	var version int
	err = tx.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM schema_versions").Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read the version of the schema: %w", err)
	}
	return version, nil
}

func (h *SQL) apply(ctx context.Context, tx *txn, name string, number int) error {
	if n, err := strconv.Atoi(strings.SplitN(name, "_", 2)[0]); err != nil || n != number {
		return fmt.Errorf("migration %s: want number %d", name, number)
	}
	script, err := fs.ReadFile(h.db.Migrations(), name)
	if err != nil {
		return fmt.Errorf("read migration %s: %w", name, err)
	}
	for statement := range strings.SplitSeq(string(script), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("apply migration %s: %w", name, err)
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO schema_versions (version, name) VALUES ($1, $2)", number, name)
	if err != nil {
		return fmt.Errorf("note migration %s: %w", name, err)
	}
	return nil
}

// addMetrics adds columns for metrics that are newer than the database, so
// that a new metric needs no migration.
func (tx *txn) addMetrics(ctx context.Context) error {
	for table, metrics := range map[string][]string{
		"intervals_recent": plainMetricColumns, "intervals_closed": plainMetricColumns, "server_points": serverColumns,
	} {
		have, err := tx.columns(ctx, table)
		if err != nil {
			return err
		}
		for _, m := range metrics {
			if slices.Contains(have, m) {
				continue
			}
			alter := "ALTER TABLE " + table + " ADD COLUMN " + strconv.Quote(m) + " double precision"
			if _, err := tx.ExecContext(ctx, alter); err != nil {
				return fmt.Errorf("add column %s to %s: %w", m, table, err)
			}
		}
	}
	return nil
}

func (tx *txn) columns(ctx context.Context, table string) (names []string, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", table, err)
	}
	defer func() { err = errors.Join(err, rows.Close(), rows.Err()) }()
	return rows.Columns()
}
