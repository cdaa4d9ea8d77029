package collector

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// readObjects reads the sequences and extensions of a database, which change
// rarely, when its catalog is due. In between they are those of the last read.
func (v *visit) readObjects(ctx context.Context) {
	c := v.catalog()
	if !c.objectsAt.Equal(c.readAt) {
		c.objectsAt = c.readAt
		v.try(ctx, "sequences-unread", "read the sequences of "+v.db.Name, func(ctx context.Context) error { return v.readSequences(ctx, c) })
		v.try(ctx, "extensions-unread", "read the extensions of "+v.db.Name, func(ctx context.Context) error { return v.readExtensions(ctx, c) })
	}
	v.db.Sequences, v.db.Extensions, v.db.DefinitionsAt = c.sequences, c.extensions, c.definedAt
}

// readSequences keeps what was known when a lock ends the read.
func (v *visit) readSequences(ctx context.Context, c *catalog) error {
	rows, err := v.conn.Query(ctx, load("sequences"))
	if err != nil {
		return err
	}
	hidden := 0
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (pgvigil.Sequence, error) {
		s, readable, err := scanSequence(row)
		if !readable {
			hidden++
		}
		s.Key.DBID = v.db.OID
		return s, err
	})
	if sqlState(err) == stateLockTimeout {
		return nil
	}
	if err != nil {
		return err
	}
	c.sequences = list
	if hidden > 0 {
		v.warn("sequences-hidden", fmt.Sprintf("the numbers of %d sequences in database %s are hidden from the role, so nobody will be told before they run out", hidden, v.db.Name),
			"GRANT pg_read_all_data TO "+pgx.Identifier{v.user}.Sanitize())
	}
	return nil
}

func scanSequence(row pgx.CollectableRow) (s pgvigil.Sequence, readable bool, err error) {
	var lowest, highest, column int64
	var last *int64
	err = row.Scan(&s.Key.RelID, &s.Schema, &s.Name, &s.Table, &s.Column, &s.Type, &lowest, &highest, &s.Step,
		&s.Cycles, &column, &last, &readable)
	s.First, s.Limit = lowest, highest
	if s.Step < 0 {
		s.First, s.Limit = highest, lowest
		column = -column - 1
	}
	if s.Step > 0 && column < s.Limit || s.Step < 0 && column > s.Limit {
		s.Limit, s.Outgrows = column, true
	}
	if last != nil {
		s.Last, s.Known = *last, true
	}
	return s, readable, err
}

func (v *visit) readExtensions(ctx context.Context, c *catalog) error {
	rows, err := v.conn.Query(ctx, load("extensions"))
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e pgvigil.Extension, err error) {
		err = row.Scan(&e.Name, &e.Schema, &e.Version, &e.Available)
		return e, err
	})
	if err == nil {
		c.extensions = list
	}
	return err
}
