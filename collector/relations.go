package collector

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// moment is a time as the driver scans it.
type moment = time.Time

// visit is the part of a pass that looks into one database.
type visit struct {
	*pass
	conn *pgx.Conn
	db   *pgvigil.DatabaseRead
	// tables and indexes are the rows read, in the order of db's lists.
	tables  []tableRow
	indexes []indexRow
	due     bool // the catalog was read completely
}

// tableRow is a table with what only the collector needs of it.
type tableRow struct {
	pgvigil.Table
	shape     tableSign
	heapBytes pgvigil.Bytes // of the main fork and of TOAST
	// toastChunks is the best count of live chunks; NaN if nobody ever counted.
	toastChunks float64
	counted     int64 // relpages: the length when RelTuples was counted
}

// indexRow is an index with what only the collector needs of it.
type indexRow struct {
	pgvigil.Index
	rows       float64 // reltuples; -1 unknown
	fillFactor int     // 0 default
	dedup      bool    // not switched off
	bytes      pgvigil.Bytes
	// partitioned says that it stands for those of the partitions and has no file.
	partitioned bool
}

// tableSign changes when a table gets another column or check.
type tableSign struct{ attributes, checks int }

// read reads tables, indexes and catalog, fits them together, and confirms
// what bloats.
func (v *visit) read(ctx context.Context) error {
	if err := v.readRelations(ctx); err != nil {
		return err
	}
	if err := v.readCatalog(ctx); err != nil {
		return err
	}
	v.readObjects(ctx)
	v.assemble()
	v.try(ctx, "bloat-unconfirmed", "confirm bloat in database "+v.db.Name, v.confirm)
	return nil
}

// readRelations reads counters, and then the lengths of files.
func (v *visit) readRelations(ctx context.Context) error {
	rows, err := v.conn.Query(ctx, load("tables"))
	if err != nil {
		return err
	}
	if v.tables, err = pgx.CollectRows(rows, v.scanTable); err != nil {
		return fmt.Errorf("read tables: %w", err)
	}
	if rows, err = v.conn.Query(ctx, load("indexes")); err != nil {
		return err
	}
	if v.indexes, err = pgx.CollectRows(rows, v.scanIndex); err != nil {
		return fmt.Errorf("read indexes: %w", err)
	}
	return v.readSizes(ctx)
}

func (v *visit) scanTable(row pgx.CollectableRow) (tableRow, error) {
	var t tableRow
	var options []string
	var vacuum, analyze *moment
	var fetched, hit, fetchedTuples float64
	var chunks *float64
	c := &t.Counters
	err := row.Scan(&t.Key.RelID, &t.Schema, &t.Name, &t.Kind, &t.Parent, &t.shape.attributes, &t.shape.checks,
		&t.counted, &t.RelTuples, &options, &t.FrozenXID, &t.MultiXID, &vacuum, &analyze,
		&c.SeqScans, &c.SeqTuples, &fetchedTuples, &c.Inserted, &c.Updated, &c.Deleted, &c.HotUpdated,
		&c.LiveTuples, &c.DeadTuples, &c.ModSinceAn, &c.InsSinceVac,
		&c.Vacuums, &c.AutoVacuums, &c.Analyzes, &c.AutoAnalyzes, &fetched, &hit,
		&t.TOAST.RelID, &t.TOAST.Pages, &t.TOAST.Live, &t.TOAST.Dead, &chunks)
	t.Key.DBID = v.db.OID
	t.LastVacuum, t.LastAnalyze = utc(vacuum), utc(analyze)
	t.toastChunks = orNaN(chunks)
	t.Options = options
	t.FillFactor = option(options, "fillfactor", 100)
	c.IndexTuples = fetchedTuples // the indexes add theirs
	c.HeapBlocksHit, c.HeapBlocksRead = hit, fetched-hit
	return t, err
}

func (v *visit) scanIndex(row pgx.CollectableRow) (indexRow, error) {
	var i indexRow
	var options []string
	var fetched, hit float64
	err := row.Scan(&i.Key.RelID, &i.TableID, &i.Schema, &i.Name, &i.Table, &i.Method, &i.Unique, &i.Primary, &i.Valid,
		&i.Parent, &i.partitioned, &i.Pages, &i.rows, &options, &i.Scans, &i.TuplesRd, &i.TuplesFt, &fetched, &hit)
	i.Key.DBID = v.db.OID
	i.BlocksHit, i.BlocksRd = hit, fetched-hit
	i.fillFactor = option(options, "fillfactor", 0)
	i.dedup = !strings.Contains(strings.Join(options, " "), "deduplicate_items=off") &&
		!strings.Contains(strings.Join(options, " "), "deduplicate_items=false")
	return i, err
}

// option returns a storage parameter of a relation.
func option(options []string, name string, otherwise int) int {
	for _, o := range options {
		if value, ok := strings.CutPrefix(o, name+"="); ok {
			if n, err := strconv.Atoi(value); err == nil {
				return n
			}
		}
	}
	return otherwise
}

// assemble adds the counters and sizes of indexes to their tables and lays the
// catalog over both.
func (v *visit) assemble() {
	at := make(map[pgvigil.OID]*tableRow, len(v.tables))
	for i := range v.tables {
		t := &v.tables[i]
		t.TotalBytes = t.heapBytes
		at[t.Key.RelID] = t
	}
	for i := range v.indexes {
		if t := at[v.indexes[i].TableID]; t != nil {
			t.addIndex(&v.indexes[i])
		}
	}
	c := v.catalog()
	v.db.Tables = make([]pgvigil.Table, 0, len(v.tables))
	for i := range v.tables {
		v.db.Tables = append(v.db.Tables, c.table(&v.tables[i], v.blockSize))
		v.db.Constraints = append(v.db.Constraints, c.tables[v.tables[i].Key.RelID].constraints...)
	}
	v.db.Indexes = make([]pgvigil.Index, 0, len(v.indexes))
	for i := range v.indexes {
		v.db.Indexes = append(v.db.Indexes, c.index(&v.indexes[i], at[v.indexes[i].TableID], v.blockSize))
	}
}

func (t *tableRow) addIndex(i *indexRow) {
	c := &t.Counters
	c.IndexScans += i.Scans
	c.IndexTuples += i.TuplesFt
	c.IdxBlocksHit += i.BlocksHit
	c.IdxBlocksRead += i.BlocksRd
	t.TotalBytes += i.bytes
}

// liveRows is the best count of rows: the counters' where they were ever set by
// a vacuum or analyze, else the catalog's; NaN if nobody ever counted.
func (t *tableRow) liveRows() float64 {
	switch {
	case !t.LastVacuum.IsZero() || !t.LastAnalyze.IsZero():
		return t.Counters.LiveTuples
	case t.RelTuples >= 0:
		return t.RelTuples
	}
	return math.NaN()
}

// stale is how many rows changed since the columns were analyzed, as a share of
// those there are. Where nobody counted (a standby, a crash since), it is how
// much the file has grown or shrunk.
func (t *tableRow) stale() float64 {
	if t.LastAnalyze.IsZero() {
		return math.Abs(float64(t.Pages-t.counted)) / math.Max(1, float64(t.Pages))
	}
	n := &t.Counters
	share := n.ModSinceAn / math.Max(1, n.LiveTuples)
	if n.Updated+n.Deleted == 0 && t.LastVacuum.Before(t.LastAnalyze) {
		// What a transaction inserts before it analyzes itself is counted as changed
		// since, but the analysis has seen it.
		share = math.Min(share, math.Abs(n.LiveTuples-t.RelTuples)/math.Max(1, n.LiveTuples))
	}
	return share
}

// partitionMap maps the names of partitions, lower-cased, with and without
// their schema, to the topmost parent's. A bare name that means several tables
// is left out.
func partitionMap(tables []pgvigil.Table) map[string]string {
	byID := make(map[pgvigil.OID]*pgvigil.Table, len(tables))
	bare := map[string]int{}
	for i := range tables {
		byID[tables[i].Key.RelID] = &tables[i]
		bare[strings.ToLower(tables[i].Name)]++
	}
	parts := map[string]string{}
	for i := range tables {
		t := &tables[i]
		root := t
		for root.Parent != 0 && byID[root.Parent] != nil {
			root = byID[root.Parent]
		}
		if root == t {
			continue
		}
		parts[strings.ToLower(t.Schema+"."+t.Name)] = strings.ToLower(root.Schema + "." + root.Name)
		if name := strings.ToLower(t.Name); bare[name] == 1 {
			parts[name] = strings.ToLower(root.Name)
		}
	}
	return parts
}
