package analyzer

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/analyzer/change"
)

// Row is one line of what the detector says about exported series.
type Row struct {
	SeriesID    string
	Detected    time.Time // end of the newest interval used
	Onset       time.Time
	Kind        pgvigil.VerdictKind
	Factor      float64
	Cause       pgvigil.Cause
	Confidence  float64
	Severity    pgvigil.Severity
	CauseDetail string
}

// Exported judges the series that dir holds, online: a row rests on intervals
// that ended by its Detected and on no later ones. Rows are in order of time.
// Garbage is refused with the name of the file and the number of the row.
func Exported(ctx context.Context, dir string) ([]Row, error) {
	ex, err := readExport(dir)
	if err != nil {
		return nil, err
	}
	return ex.judge(ctx)
}

// judge runs one detector a database, all of one fleet, through time.
func (ex *export) judge(ctx context.Context) ([]Row, error) {
	fleet := change.NewFleet()
	detectors := map[int]*change.Detector{}
	period := ex.period()
	marks := ex.marks
	var rows []Row
	slices.SortFunc(ex.samples, func(a, b exportedSample) int {
		return cmp.Or(cmp.Compare(a.end(period), b.end(period)), cmp.Compare(a.db, b.db), cmp.Compare(a.series, b.series))
	})
	for i := 0; i < len(ex.samples); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		first := ex.samples[i]
		at := first.end(period)
		pass := change.Pass{At: time.Unix(at, 0).UTC()}
		for ; i < len(ex.samples) && ex.samples[i].end(period) == at && ex.samples[i].db == first.db; i++ {
			pass.Samples = append(pass.Samples, ex.sample(ex.samples[i], at))
		}
		pass.Marks, marks[first.db] = due(marks[first.db], at)
		d := detectors[first.db]
		if d == nil {
			d = change.New(fleet)
			detectors[first.db] = d
		}
		verdicts, err := d.Observe(pass)
		if err != nil {
			return nil, fmt.Errorf("judge exported series: %w", err)
		}
		rows = append(rows, ex.rows(verdicts)...)
	}
	return rows, nil
}

// due splits off the marks up to at.
func due(marks []int64, at int64) ([]change.Mark, []int64) {
	var out []change.Mark
	for len(marks) > 0 && marks[0] <= at {
		out = append(out, change.Mark{At: time.Unix(marks[0], 0).UTC()})
		marks = marks[1:]
	}
	return out, marks
}

func (ex *export) rows(verdicts []change.Verdict) []Row {
	var rows []Row
	for _, v := range verdicts {
		if v.Step != change.Convicted {
			continue
		}
		r := Row{
			Detected: v.At, Onset: v.Onset, Kind: v.Kind, Factor: v.Factor, Cause: v.Cause,
			Confidence: confidence(v), Severity: severity(v), CauseDetail: string(v.Cause),
		}
		if v.Kind != pgvigil.KindIncident {
			r.SeriesID = ex.names[v.Series.Fingerprint]
		}
		rows = append(rows, r)
	}
	return rows
}

// sample makes a detector's sample of one row of the export.
func (ex *export) sample(s exportedSample, end int64) change.Sample {
	nan := math.NaN()
	return change.Sample{
		Key:   pgvigil.SeriesKey{Server: pgvigil.ServerID(s.db + 1), Fingerprint: s.series},
		Start: time.Unix(s.t, 0).UTC(), End: time.Unix(end, 0).UTC(),
		Calls: s.calls, MS: s.ms, SD: s.sd, PlanMS: nan, Rows: s.rows,
		Hit: s.hit, Read: s.read, Dirtied: s.dirtied, Temp: s.temp, WAL: s.wal, Partial: s.flag == 2,
	}
}

// WriteCSV writes rows with a header; times are Unix seconds.
func WriteCSV(w io.Writer, rows []Row) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"series_id", "detected_t", "onset_t", "kind", "factor", "cause", "confidence", "severity", "cause_detail"})
	for _, r := range rows {
		_ = c.Write([]string{
			r.SeriesID, strconv.FormatInt(r.Detected.Unix(), 10), strconv.FormatInt(r.Onset.Unix(), 10), string(r.Kind),
			strconv.FormatFloat(r.Factor, 'f', 3, 64), string(r.Cause),
			strconv.FormatFloat(r.Confidence, 'f', 3, 64), string(r.Severity), r.CauseDetail,
		})
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("write verdicts: %w", err)
	}
	return nil
}
