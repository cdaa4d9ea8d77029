package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/interval"
)

// Servers implements History.
func (h *SQL) Servers(ctx context.Context) ([]pgvigil.ServerInfo, error) {
	var list []pgvigil.ServerInfo
	err := h.read(ctx, func(q querier) error {
		list = nil
		return each(ctx, q, ask("servers"), func(rows *sql.Rows) error {
			var s pgvigil.ServerInfo
			var cluster int64
			err := rows.Scan(&s.ID, &cluster, &s.Server.Target, &s.Server.Timeline, &s.Server.Version,
				(*moment)(&s.Server.PostmasterStart), &s.Server.InRecovery, (*moment)(&s.FirstSeen), (*moment)(&s.LastSeen))
			if err != nil {
				return fmt.Errorf("read a server: %w", err)
			}
			s.Server.SystemID = pgvigil.SystemID(cluster)
			list = append(list, s)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read servers: %w", err)
	}
	return list, nil
}

func serverIDs(ctx context.Context, q querier) ([]pgvigil.ServerID, error) {
	var ids []pgvigil.ServerID
	err := each(ctx, q, ask("server_ids"), func(rows *sql.Rows) error {
		var id pgvigil.ServerID
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("read a server: %w", err)
		}
		ids = append(ids, id)
		return nil
	})
	return ids, err
}

// catalog returns the databases and settings as last read.
func (h *SQL) catalog(ctx context.Context, id pgvigil.ServerID) (catalogState, error) {
	var last catalogState
	err := h.read(ctx, func(q querier) error {
		var body []byte
		err := q.QueryRowContext(ctx, text("last_catalog"), int64(id)).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the last catalog: %w", err)
		}
		return unpack(body, &last)
	})
	return last, err
}

// Catalog implements History.
func (h *SQL) Catalog(ctx context.Context, id pgvigil.ServerID) ([]pgvigil.DatabaseRead, error) {
	last, err := h.catalog(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	list := make([]pgvigil.DatabaseRead, len(last.Databases))
	for i := range last.Databases {
		list[i] = last.Databases[i].Read
	}
	return list, nil
}

// Settings implements History.
func (h *SQL) Settings(ctx context.Context, id pgvigil.ServerID) ([]pgvigil.Setting, error) {
	last, err := h.catalog(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return last.Settings, nil
}

// Relations implements History.
func (h *SQL) Relations(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.RelationSeries, error) {
	b := relationBook{server: id, at: map[pgvigil.RelationKey]int{}}
	from, to := bounds(w)
	err := h.read(ctx, func(q querier) error {
		b.list, b.at = nil, map[pgvigil.RelationKey]int{}
		if err := each(ctx, q, ask("relations", int64(id)), b.name); err != nil {
			return err
		}
		if err := each(ctx, q, ask("relation_intervals", int64(id), from, to), b.interval); err != nil {
			return err
		}
		return each(ctx, q, ask("relation_sizes", int64(id), from, to), b.size)
	})
	if err != nil {
		return nil, fmt.Errorf("read relations: %w", err)
	}
	return b.inUse(from), nil
}

// relationBook gathers relations from three tables.
type relationBook struct {
	server pgvigil.ServerID
	list   []pgvigil.RelationSeries
	at     map[pgvigil.RelationKey]int
}

func (b *relationBook) of(k pgvigil.RelationKey) *pgvigil.RelationSeries {
	i, ok := b.at[k]
	if !ok {
		i = len(b.list)
		b.at[k] = i
		b.list = append(b.list, pgvigil.RelationSeries{Key: k})
	}
	return &b.list[i]
}

func (b *relationBook) name(rows *sql.Rows) error {
	var k pgvigil.RelationKey
	var kind, schema, name string
	var parent pgvigil.OID
	if err := rows.Scan(&k.DBID, &k.RelID, &kind, &schema, &name, &parent); err != nil {
		return fmt.Errorf("read the name of a relation: %w", err)
	}
	r := b.of(k)
	r.Kind, r.Schema, r.Name, r.Parent = kind, schema, name, parent
	return nil
}

func (b *relationBook) interval(rows *sql.Rows) error {
	iv, _, err := scanRelationInterval(rows)
	iv.Server = b.server
	r := b.of(iv.Key)
	r.Intervals = append(r.Intervals, iv)
	return err
}

func scanRelationInterval(rows *sql.Rows) (iv pgvigil.RelationInterval, pass int64, err error) {
	dest := []any{&pass, &iv.Key.DBID, &iv.Key.RelID, (*moment)(&iv.Start), (*moment)(&iv.End), &iv.Flags}
	for _, m := range interval.TableMetrics {
		dest = append(dest, (*real)(m.Of(&iv.Table)))
	}
	if err = rows.Scan(dest...); err != nil {
		err = fmt.Errorf("read an interval of a relation: %w", err)
	}
	return iv, pass, err
}

func (b *relationBook) size(rows *sql.Rows) error {
	var k pgvigil.RelationKey
	var p pgvigil.SizePoint
	var bloat pgvigil.Bloat
	var size sql.NullInt64
	var method sql.NullString
	err := rows.Scan(&k.DBID, &k.RelID, (*moment)(&p.At), &p.Pages, (*real)(&p.Live), (*real)(&p.Dead),
		(*real)(&bloat.Share), &size, &method, (*real)(&bloat.Error))
	if err != nil {
		return fmt.Errorf("read the size of a relation: %w", err)
	}
	if method.Valid {
		bloat.Bytes, bloat.Method = pgvigil.Bytes(size.Int64), method.String
		p.Bloat = &bloat
	}
	r := b.of(k)
	r.Sizes = append(r.Sizes, p)
	return nil
}

// inUse returns the relations that the window shows something of; a size from
// before it alone may be that of a table long gone.
func (b *relationBook) inUse(from time.Time) []pgvigil.RelationSeries {
	var list []pgvigil.RelationSeries
	for _, r := range b.list {
		if n := len(r.Sizes); len(r.Intervals) > 0 || n > 0 && !r.Sizes[n-1].At.Before(from) {
			list = append(list, r)
		}
	}
	return list
}

// DatabasePoints implements History.
func (h *SQL) DatabasePoints(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.DatabasePoint, error) {
	var list []pgvigil.DatabasePoint
	from, to := bounds(w)
	err := h.read(ctx, func(q querier) error {
		list = nil
		return each(ctx, q, ask("database_points", int64(id), from, to), func(rows *sql.Rows) error {
			var p pgvigil.DatabasePoint
			dest := []any{&p.DBID, (*moment)(&p.Start), (*moment)(&p.End)}
			for _, m := range interval.DatabaseMetrics {
				dest = append(dest, (*real)(m.Of(&p.Stats)))
			}
			dest = append(dest, &p.Stats.Backends, &p.Stats.SizeBytes, &p.Stats.XIDAge, &p.Stats.MultiXactAge, (*moment)(&p.Stats.Reset))
			if err := rows.Scan(dest...); err != nil {
				return fmt.Errorf("read a point of a database: %w", err)
			}
			list = append(list, p)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read databases: %w", err)
	}
	return list, nil
}

// Sessions implements History.
func (h *SQL) Sessions(ctx context.Context, id pgvigil.ServerID, w pgvigil.Window) ([]pgvigil.SessionSample, error) {
	var list []pgvigil.SessionSample
	from, to := bounds(w)
	err := h.read(ctx, func(q querier) error {
		list = nil
		return each(ctx, q, ask("sessions", int64(id), from, to), func(rows *sql.Rows) error {
			var at moment
			var body []byte
			if err := rows.Scan(&at, &body); err != nil {
				return fmt.Errorf("read a sample of sessions: %w", err)
			}
			var s pgvigil.SessionSample
			err := unpack(body, &s)
			list = append(list, s)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return list, nil
}
