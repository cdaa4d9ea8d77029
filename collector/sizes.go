package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// sizesPerPass is how many files of a database a pass measures at most. To ask
// for a length, a backend has to open the relation: in a fresh one that costs
// some 70 µs and 6 kB, with 50,000 relations seconds and 300 MB.
const sizesPerPass = 500

// length is what is remembered of a relation's file.
type length struct {
	bytes  pgvigil.Bytes
	pass   int64   // number of the visit that measured it
	writes float64 // rows written to the table until then
	pages  int64   // relpages at that time
}

// lengths are what is remembered of the files of one database.
type lengths struct {
	visits int64
	of     map[pgvigil.OID]length
}

// file is one relation whose length matters now.
type file struct {
	id     pgvigil.OID
	pages  int64 // relpages
	writes float64
}

// readSizes measures the files that were written since they were measured last,
// those that were never measured first, and of these the largest. A relation
// that is not measured keeps the length that it had, or has that of the last
// vacuum or analyze. Where a lock is held, nothing waits: lock_timeout ends it.
func (v *visit) readSizes(ctx context.Context) error {
	known := v.memory.lengthsOf(v.db.OID)
	known.visits++
	files := v.files()
	if due := known.due(files); len(due) > 0 {
		err := v.fetchSizes(ctx, known, due)
		if sqlState(err) == stateLockTimeout {
			v.warn("sizes-unread", fmt.Sprintf("file sizes in database %s are those of an earlier pass, or of the last vacuum or analyze: a lock is held on a table", v.db.Name), "")
			err = nil
		}
		if err != nil {
			return fmt.Errorf("read sizes: %w", err)
		}
	}
	known.forget(files)
	v.applySizes(known)
	return nil
}

func (m *memory) lengthsOf(db pgvigil.OID) *lengths {
	if m.lengths[db] == nil {
		m.lengths[db] = &lengths{of: map[pgvigil.OID]length{}}
	}
	return m.lengths[db]
}

// files lists everything that has a file: tables, their TOAST, indexes.
func (v *visit) files() []file {
	list := make([]file, 0, len(v.tables)+len(v.indexes))
	writes := make(map[pgvigil.OID]float64, len(v.tables))
	for i := range v.tables {
		t := &v.tables[i]
		n := t.Counters.Inserted + t.Counters.Updated + t.Counters.Deleted
		writes[t.Key.RelID] = n
		if t.Kind != "p" {
			list = append(list, file{t.Key.RelID, t.counted, n})
		}
		if t.TOAST.RelID != 0 {
			list = append(list, file{t.TOAST.RelID, t.TOAST.Pages, t.TOAST.Live + t.TOAST.Dead})
		}
	}
	for i := range v.indexes {
		x := &v.indexes[i]
		if !x.partitioned {
			list = append(list, file{x.Key.RelID, x.Pages, writes[x.TableID]})
		}
	}
	return list
}

// due returns the files to measure in this visit, the most urgent first.
func (l *lengths) due(files []file) []file {
	var due []file
	for _, f := range files {
		if was, ok := l.of[f.id]; !ok || was.writes != f.writes || was.pages != f.pages {
			due = append(due, f)
		}
	}
	slices.SortFunc(due, func(a, b file) int { // visits count from 1, so 0 is never
		return cmp.Or(cmp.Compare(l.of[a.id].pass, l.of[b.id].pass), cmp.Compare(max(b.pages, 1), max(a.pages, 1)), cmp.Compare(b.writes, a.writes))
	})
	return due[:min(len(due), sizesPerPass)]
}

func (v *visit) fetchSizes(ctx context.Context, known *lengths, due []file) error {
	ids := make([]int64, len(due))
	byID := make(map[pgvigil.OID]file, len(due))
	for i, f := range due {
		ids[i], byID[f.id] = int64(f.id), f
	}
	rows, err := v.conn.Query(ctx, load("sizes"), ids)
	if err != nil {
		return err
	}
	var id pgvigil.OID
	var bytes *pgvigil.Bytes
	_, err = pgx.ForEachRow(rows, []any{&id, &bytes}, func() error {
		if bytes != nil { // else it was dropped meanwhile
			known.of[id] = length{*bytes, known.visits, byID[id].writes, byID[id].pages}
		}
		return nil
	})
	return err
}

// forget drops what is remembered of files that are gone.
func (l *lengths) forget(files []file) {
	if len(l.of) <= len(files) {
		return
	}
	here := make(map[pgvigil.OID]bool, len(files))
	for _, f := range files {
		here[f.id] = true
	}
	for id := range l.of {
		if !here[id] {
			delete(l.of, id)
		}
	}
}

// applySizes lays lengths over the rows.
func (v *visit) applySizes(known *lengths) {
	for i := range v.tables {
		t := &v.tables[i]
		t.Pages, t.heapBytes = v.size(known, t.Key.RelID, t.counted)
		if t.TOAST.RelID != 0 {
			var bytes pgvigil.Bytes
			t.TOAST.Pages, bytes = v.size(known, t.TOAST.RelID, t.TOAST.Pages)
			t.heapBytes += bytes
		}
	}
	for i := range v.indexes {
		x := &v.indexes[i]
		x.Pages, x.bytes = v.size(known, x.Key.RelID, x.Pages)
	}
}

// size returns pages and bytes by the file's length, else by relpages.
func (v *visit) size(known *lengths, id pgvigil.OID, relPages int64) (int64, pgvigil.Bytes) {
	if l, ok := known.of[id]; ok {
		return int64(l.bytes) / v.blockSize, l.bytes
	}
	return relPages, pgvigil.Bytes(relPages * v.blockSize)
}
