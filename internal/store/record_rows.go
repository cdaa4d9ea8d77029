package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/interval"
)

// keepStatements writes the intervals, ordered by statement: a replay adds
// them up in the same order and gets the same bits.
func (r *recording) keepStatements(ctx context.Context) error {
	list := r.step.Statements
	slices.SortFunc(list, func(a, b pgvigil.Interval) int { return cmp.Compare(r.labels[a.Key].id, r.labels[b.Key].id) })
	t := Table{Name: "intervals_recent", Columns: slices.Concat(intervalColumns, plainMetricColumns)}
	width := len(t.Columns)
	cells := make([]any, 0, len(list)*width)
	for i := range list {
		iv := &list[i]
		iv.Server = r.server
		cells = append(cells, int64(r.server), r.labels[iv.Key].id, r.pass, iv.Start, iv.End, int64(iv.Flags))
		for _, v := range iv.Counters {
			cells = append(cells, orNull(v))
		}
		t.Rows = append(t.Rows, cells[len(cells)-width:])
	}
	return r.append(ctx, t)
}

// plainMetricColumns are the metrics as Append names them, unquoted.
var plainMetricColumns = func() []string {
	names := make([]string, pgvigil.MetricCount)
	for i, m := range pgvigil.Metrics {
		names[i] = m.Name
	}
	return names
}()

func (r *recording) keepDatabases(ctx context.Context) error {
	if err := r.keepDatabaseNames(ctx); err != nil {
		return err
	}
	t := Table{Name: "database_points", Columns: slices.Concat(
		[]string{"server_id", "pass_id", "dbid", "start_at", "end_at"}, databaseColumns,
		[]string{"backends", "size_bytes", "xid_age", "multixact_age", "reset_at"},
	)}
	for i := range r.step.Databases {
		p := &r.step.Databases[i]
		row := []any{int64(r.server), r.pass, int64(p.DBID), p.Start, p.End}
		for _, m := range interval.DatabaseMetrics {
			row = append(row, orNull(*m.Of(&p.Stats)))
		}
		row = append(row, int64(p.Stats.Backends), int64(p.Stats.SizeBytes), p.Stats.XIDAge, p.Stats.MultiXactAge, timeOrNull(p.Stats.Reset))
		t.Rows = append(t.Rows, row)
	}
	return r.append(ctx, t)
}

func (r *recording) keepDatabaseNames(ctx context.Context) error {
	names := map[pgvigil.OID]string{}
	err := each(ctx, r.Tx, ask("databases", int64(r.server)), func(rows *sql.Rows) error {
		var id pgvigil.OID
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return fmt.Errorf("read a database: %w", err)
		}
		names[id] = name
		return nil
	})
	if err != nil {
		return err
	}
	t := Table{Name: "databases", Columns: []string{"server_id", "dbid", "name", "first_seen"}}
	for i := range r.snap.Databases {
		d := &r.snap.Databases[i]
		old, known := names[d.OID]
		switch name := clean(d.Name); {
		case !known:
			t.Rows = append(t.Rows, []any{int64(r.server), int64(d.OID), name, r.snap.At})
		case old != name:
			if err := r.exec(ctx, "rename_database", int64(r.server), int64(d.OID), name); err != nil {
				return err
			}
		}
	}
	return r.append(ctx, t)
}

func (r *recording) keepRelations(ctx context.Context) error {
	if err := r.keepRelationNames(ctx); err != nil {
		return err
	}
	if err := r.keepSizes(ctx); err != nil {
		return err
	}
	t := Table{Name: "relation_intervals", Columns: slices.Concat(
		[]string{"server_id", "pass_id", "dbid", "relid", "start_at", "end_at", "flags"}, tableColumns,
	)}
	slices.SortFunc(r.step.Relations, func(a, b pgvigil.RelationInterval) int {
		return cmp.Or(cmp.Compare(a.Key.DBID, b.Key.DBID), cmp.Compare(a.Key.RelID, b.Key.RelID))
	})
	for i := range r.step.Relations {
		iv := &r.step.Relations[i]
		iv.Server = r.server
		row := []any{int64(r.server), r.pass, int64(iv.Key.DBID), int64(iv.Key.RelID), iv.Start, iv.End, int64(iv.Flags)}
		for _, m := range interval.TableMetrics {
			row = append(row, orNull(*m.Of(&iv.Table)))
		}
		t.Rows = append(t.Rows, row)
	}
	return r.append(ctx, t)
}

// relation is what the history shows of tables and indexes alike.
type relation struct {
	key                pgvigil.RelationKey
	kind, schema, name string
	pages              int64
	live, dead         float64 // of tables
	bloat              *pgvigil.Bloat
	// parent is what it belongs to: the parent of a partition, the table of an
	// index or of a TOAST table; 0 for none.
	parent pgvigil.OID
}

func (a relation) named(b relation) bool {
	return a.kind == b.kind && a.schema == b.schema && a.name == b.name && a.parent == b.parent
}

func (a relation) sized(b relation) bool {
	if a.pages != b.pages || !alike(a.live, b.live) || !alike(a.dead, b.dead) || (a.bloat == nil) != (b.bloat == nil) {
		return false
	}
	if a.bloat == nil {
		return true
	}
	x, y := a.bloat, b.bloat
	return x.Bytes == y.Bytes && x.Method == y.Method && alike(x.Share, y.Share) && alike(x.Error, y.Error)
}

// alike says that two numbers are equal, or both unknown.
func alike(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// relationsOf lists tables with their TOAST tables, and indexes; those have kind i.
func relationsOf(d *pgvigil.DatabaseRead) []relation {
	list := make([]relation, 0, len(d.Tables)+len(d.Indexes))
	for i := range d.Tables {
		t := &d.Tables[i]
		list = append(list, relation{
			key: t.Key, kind: t.Kind, schema: t.Schema, name: t.Name, pages: t.Pages,
			live: t.Counters.LiveTuples, dead: t.Counters.DeadTuples, bloat: t.Bloat, parent: t.Parent,
		})
		if x := &t.TOAST; x.RelID != 0 && x.Pages > 0 {
			list = append(list, relation{
				key: pgvigil.RelationKey{DBID: t.Key.DBID, RelID: x.RelID}, kind: "t", schema: "pg_toast", name: fmt.Sprintf("pg_toast_%d", t.Key.RelID),
				pages: x.Pages, live: x.Live, dead: x.Dead, bloat: x.Bloat, parent: t.Key.RelID,
			})
		}
	}
	for i := range d.Indexes {
		x := &d.Indexes[i]
		list = append(list, relation{key: x.Key, kind: "i", schema: x.Schema, name: x.Name, pages: x.Pages, bloat: x.Bloat, parent: x.TableID})
	}
	return list
}

// eachVisited calls f for the relations of each database that this pass
// visited, with those of the visit before by key.
func (r *recording) eachVisited(f func(d *pgvigil.DatabaseRead, was map[pgvigil.RelationKey]relation, is []relation) error) error {
	for i := range r.snap.Databases {
		d := &r.snap.Databases[i]
		if !d.Visited {
			continue
		}
		was := map[pgvigil.RelationKey]relation{}
		if r.prev != nil {
			for j := range r.prev.Databases {
				if old := &r.prev.Databases[j].Read; old.OID == d.OID {
					for _, x := range relationsOf(old) {
						was[x.key] = x
					}
				}
			}
		}
		if err := f(d, was, relationsOf(d)); err != nil {
			return err
		}
	}
	return nil
}

func (r *recording) keepRelationNames(ctx context.Context) error {
	t := Table{Name: "relations", Columns: []string{"server_id", "dbid", "relid", "kind", "schema_name", "name", "parent"}}
	err := r.eachVisited(func(d *pgvigil.DatabaseRead, was map[pgvigil.RelationKey]relation, is []relation) error {
		var renamed []pgvigil.OID
		for _, x := range is {
			old, known := was[x.key]
			if known && old.named(x) {
				continue
			}
			renamed = append(renamed, x.key.RelID)
			t.Rows = append(t.Rows, []any{int64(r.server), int64(d.OID), int64(x.key.RelID), clean(x.kind), clean(x.schema), clean(x.name), int64(x.parent)})
		}
		if len(renamed) == 0 || r.prev == nil {
			return nil
		}
		if _, err := r.ExecContext(ctx, textOf("delete_relations", ":ids", idList(renamed)), int64(r.server), int64(d.OID)); err != nil {
			return fmt.Errorf("rename relations: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.append(ctx, t)
}

// keepSizes writes the sizes that changed since the last visit.
func (r *recording) keepSizes(ctx context.Context) error {
	t := Table{Name: "relation_sizes", Columns: []string{
		"server_id", "pass_id", "dbid", "relid", "measured_at", "pages", "live", "dead",
		"bloat_share", "bloat_bytes", "bloat_method", "bloat_error",
	}}
	err := r.eachVisited(func(d *pgvigil.DatabaseRead, was map[pgvigil.RelationKey]relation, is []relation) error {
		for _, x := range is {
			if old, known := was[x.key]; known && old.sized(x) {
				continue
			}
			row := []any{
				int64(r.server), r.pass, int64(d.OID), int64(x.key.RelID), r.snap.At, x.pages,
				orNull(x.live), orNull(x.dead), nil, nil, nil, nil,
			}
			if b := x.bloat; b != nil {
				row[8], row[9], row[10], row[11] = orNull(b.Share), int64(b.Bytes), clean(b.Method), orNull(b.Error)
			}
			t.Rows = append(t.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.append(ctx, t)
}

func (r *recording) keepSessions(ctx context.Context) error {
	if len(r.snap.Sessions) == 0 && len(r.snap.Locks) == 0 {
		return nil
	}
	body, err := pack(pgvigil.SessionSample{At: r.snap.At, Sessions: r.snap.Sessions, Locks: r.snap.Locks})
	if err != nil {
		return err
	}
	return r.append(ctx, Table{
		Name: "session_samples", Columns: []string{"server_id", "pass_id", "sampled_at", "body"},
		Rows: [][]any{{int64(r.server), r.pass, r.snap.At, body}},
	})
}

func (r *recording) keepEvents(ctx context.Context) error {
	if len(r.step.Events) == 0 {
		return nil
	}
	id, err := r.nextID(ctx, "events")
	if err != nil {
		return err
	}
	t := eventTable()
	for i := range r.step.Events {
		e := &r.step.Events[i]
		*e = normal(*e)
		e.Server, e.ID = r.server, id+int64(i)
		t.Rows = append(t.Rows, eventRow(e, r.pass))
	}
	return r.append(ctx, t)
}
