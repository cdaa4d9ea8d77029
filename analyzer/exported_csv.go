package analyzer

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// export is a directory of exported series in memory.
type export struct {
	samples []exportedSample
	names   map[pgvigil.Fingerprint]string // series_id by our number
	ids     map[string]pgvigil.Fingerprint
	db      map[string]int                // number of a database by series_id, then by db_id
	marks   map[int][]int64               // deploys by database, Unix seconds, ascending
	newest  map[pgvigil.Fingerprint]int64 // t of each series' last row
	dbs     map[string]int                // number of a database by its db_id
}

// exportedSample is one row of an export.
type exportedSample struct {
	series                                             pgvigil.Fingerprint
	db                                                 int
	t, dur                                             int64 // seconds
	calls, ms, sd, rows, hit, read, dirtied, temp, wal float64
	flag                                               int
}

// flagGap marks a row that spans a gap of the collector. One mean of hours says
// little about a shift, and exports disagree on which of its ends t is: such
// rows are left out.
const flagGap = 1

// end is when the interval was read: a partial one after a reset began late,
// so it ended with its period.
func (s exportedSample) end(period int64) int64 { return s.t + max(s.dur, period) }

// period is the usual length of an interval in seconds.
func (ex *export) period() int64 {
	if len(ex.samples) == 0 {
		return 1
	}
	var durs []int64
	for i := 0; i < len(ex.samples); i += max(1, len(ex.samples)/1000) {
		durs = append(durs, ex.samples[i].dur)
	}
	slices.Sort(durs)
	return durs[len(durs)/2]
}

// readExport reads DIR/series/*.csv[.gz], and deploys.csv and series_meta.csv
// where they are. It opens nothing else.
func readExport(dir string) (*export, error) {
	ex := newExport()
	if err := optional(readTable(filepath.Join(dir, "series_meta.csv"), []string{"series_id", "db_id"}, ex.meta)); err != nil {
		return nil, err
	}
	if err := optional(readTable(filepath.Join(dir, "deploys.csv"), []string{"db_id", "t"}, ex.deploy)); err != nil {
		return nil, err
	}
	for _, m := range ex.marks {
		slices.Sort(m)
	}
	files, err := seriesFiles(filepath.Join(dir, "series"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := readTable(f, seriesColumns, ex.seriesRows(filepath.Base(f))); err != nil {
			return nil, err
		}
	}
	return ex, nil
}

func newExport() *export {
	return &export{
		names: map[pgvigil.Fingerprint]string{}, ids: map[string]pgvigil.Fingerprint{}, newest: map[pgvigil.Fingerprint]int64{},
		db: map[string]int{}, marks: map[int][]int64{}, dbs: map[string]int{},
	}
}

// seriesRows takes the rows of one file.
func (ex *export) seriesRows(file string) func([]string) error {
	return func(v []string) error { return ex.row(file, v) }
}

func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func seriesFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("read exported series: %w", err), Advice: "name a directory that holds series/*.csv or series/*.csv.gz"}
	}
	var files []string
	for _, e := range entries {
		if n := e.Name(); !e.IsDir() && (strings.HasSuffix(n, ".csv") || strings.HasSuffix(n, ".csv.gz")) {
			files = append(files, filepath.Join(dir, n))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("read exported series: %s holds no *.csv or *.csv.gz", dir)
	}
	return files, nil
}

// readTable calls take with the named columns of each row of a CSV file.
func readTable(path string, columns []string, take func([]string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("read %s: %w", filepath.Base(path), err)
		}
		defer func() { _ = z.Close() }() // a reader: nothing is lost
		r = z
	}
	return readRows(filepath.Base(path), r, columns, take)
}

// readRows is readTable on an open file; name is for errors.
func readRows(name string, r io.Reader, columns []string, take func([]string) error) error {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return fmt.Errorf("read %s: header: %w", name, noEOF(err))
	}
	at := make([]int, len(columns))
	for i, want := range columns {
		if at[i] = slices.Index(header, want); at[i] < 0 {
			return fmt.Errorf("read %s: no column %s", name, want)
		}
	}
	vals := make([]string, len(columns))
	for n := 1; ; n++ {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: row %d: %w", name, n, err)
		}
		for i, j := range at {
			vals[i] = rec[j]
		}
		if err := take(vals); err != nil {
			return fmt.Errorf("read %s: row %d: %w", name, n, err)
		}
	}
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	return err
}

// database returns the number of a database.
func (ex *export) database(id string) int {
	n, ok := ex.dbs[id]
	if !ok {
		n = len(ex.dbs)
		ex.dbs[id] = n
	}
	return n
}

func (ex *export) meta(v []string) error {
	if v[0] == "" || v[1] == "" {
		return errors.New("series_id or db_id is empty")
	}
	if _, ok := ex.db[v[0]]; ok {
		return fmt.Errorf("series %s is there twice", v[0])
	}
	ex.db[v[0]] = ex.database(v[1])
	return nil
}

func (ex *export) deploy(v []string) error {
	t, err := parseTime("t", v[1])
	if err != nil {
		return err
	}
	db := ex.database(v[0])
	ex.marks[db] = append(ex.marks[db], t)
	return nil
}

var seriesColumns = []string{
	"series_id", "t", "dur_s", "calls", "total_ms", "sd_ms", "rows", "blks_hit", "blks_read",
	"blks_dirtied", "blks_written", "temp_blks", "wal_bytes", "flag",
}

// row takes one interval.
func (ex *export) row(file string, v []string) error {
	if v[0] == "" {
		return errors.New("series_id is empty")
	}
	var num [12]float64 // from dur_s on
	for i := range num {
		x, err := parseNumber(seriesColumns[i+2], v[i+2])
		if err != nil {
			return err
		}
		num[i] = x
	}
	t, err := parseTime("t", v[1])
	if err != nil {
		return err
	}
	s := exportedSample{
		series: ex.id(v[0]), t: t, dur: int64(num[0]), calls: num[1], ms: num[2], sd: num[3], rows: num[4],
		hit: num[5], read: num[6], dirtied: num[7], temp: num[9], wal: num[10], flag: int(num[11]),
	}
	if err := s.check(); err != nil {
		return err
	}
	if before, ok := ex.newest[s.series]; ok && t <= before {
		return fmt.Errorf("series %s: t is %d after a row of %d (late or duplicate)", v[0], t, before)
	}
	ex.newest[s.series] = t
	s.db = ex.databaseOf(v[0], file)
	if s.calls > 0 && s.flag != flagGap {
		ex.samples = append(ex.samples, s)
	}
	return nil
}

// databaseOf returns the number of a series' database: as series_meta.csv says,
// else one for each file.
func (ex *export) databaseOf(series, file string) int {
	if db, ok := ex.db[series]; ok {
		return db
	}
	return ex.database("file " + file)
}

func (s exportedSample) check() error {
	switch {
	case s.dur <= 0:
		return fmt.Errorf("dur_s is %d, not positive", s.dur)
	case s.calls == 0 && s.ms > 0:
		return fmt.Errorf("total_ms is %g with no calls", s.ms)
	case s.flag > 2:
		return fmt.Errorf("flag is %d, want 0, 1 or 2", s.flag)
	}
	return nil
}

// id numbers the series in order of appearance; 0 stays unknown.
func (ex *export) id(name string) pgvigil.Fingerprint {
	id, ok := ex.ids[name]
	if !ok {
		id = pgvigil.Fingerprint(len(ex.ids) + 1)
		ex.ids[strings.Clone(name)] = id
		ex.names[id] = strings.Clone(name)
	}
	return id
}

// hugest is above what any counter of a real interval reaches.
const hugest = 1e15

func parseNumber(column, s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is %q, not a number", column, s)
	case math.IsNaN(x) || math.IsInf(x, 0):
		return 0, fmt.Errorf("%s is %s, not a finite number", column, s)
	case x < 0:
		return 0, fmt.Errorf("%s is negative (%s)", column, s)
	case x > hugest:
		return 0, fmt.Errorf("%s is huge (%s)", column, s)
	}
	return x, nil
}

// parseTime reads Unix seconds from 1970 to 9999.
func parseTime(column, s string) (int64, error) {
	t, err := strconv.ParseInt(s, 10, 64)
	if err != nil || t < 0 || t > 253402300799 {
		return 0, fmt.Errorf("%s is %q, not Unix seconds", column, s)
	}
	return t, nil
}
