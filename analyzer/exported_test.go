package analyzer

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const header = "series_id,t,dur_s,calls,total_ms,sd_ms,rows,blks_hit,blks_read,blks_dirtied,blks_written,temp_blks,wal_bytes,flag\n"

// exportDir writes files by name below a new directory.
func exportDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		data := []byte(text)
		if strings.HasSuffix(name, ".gz") {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(data)
			_ = z.Close()
			data = b.Bytes()
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// regressedSeries is an export of eight series, of which series 3 gets slower at
// interval 300 of n.
func regressedSeries(n int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString(header)
	const start = 1767571200
	for s := range 8 {
		for i := range n {
			calls := 200 + rng.IntN(50)
			ms, blocks := 2*math.Exp(0.1*rng.NormFloat64()), 10.0
			if s == 3 && i >= 300 {
				ms, blocks = ms*3, 40
			}
			fmt.Fprintf(&b, "%d,%d,600,%d,%.3f,%.3f,%d,%.0f,0,0,0,0,0,0\n", s, start+600*i, calls, ms*float64(calls), ms, calls, blocks*float64(calls))
		}
	}
	return b.String()
}

func TestExportedSeriesAreJudged(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"plain, no other files": {"series/a.csv": regressedSeries(400)},
		"packed, with the rest": {
			"series/a.csv.gz": regressedSeries(400), "deploys.csv": "db_id,t\nx,1767751200\n",
			"series_meta.csv": "series_id,db_id,class\n0,x,hot\n3,x,hot\n", "labels.csv": "not,to,be,read\n\"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := Exported(t.Context(), exportDir(t, files))
			if err != nil {
				t.Fatalf("Exported failed: %v", err)
			}
			if len(rows) != 1 {
				t.Fatalf("Exported = %+v; want one row", rows)
			}
			r := rows[0]
			r.Factor, r.Confidence = math.Round(r.Factor), 1
			onset := time.Unix(1767571200+300*600, 0).UTC()
			want := Row{SeriesID: "3", Detected: r.Detected, Onset: onset, Kind: "regression", Factor: 3, Cause: "plan", Confidence: 1, Severity: "page", CauseDetail: "plan"}
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("row differs (-want +got):\n%s", diff)
			}
			if late := r.Detected.Sub(onset); late > 4*time.Hour {
				t.Errorf("detected %s after the onset; want at most 4 h", late)
			}
		})
	}
}

func TestCuttingTheInputLeavesEarlierRows(t *testing.T) {
	lines := strings.SplitAfter(regressedSeries(400), "\n")
	whole, err := Exported(t.Context(), exportDir(t, map[string]string{"series/a.csv": strings.Join(lines, "")}))
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int64{1767571200 + 310*600, 1767571200 + 330*600, 1767571200 + 399*600} {
		var kept []string
		for i, l := range lines {
			var at int64
			if i > 0 && l != "" {
				_, _ = fmt.Sscanf(strings.SplitN(l, ",", 3)[1], "%d", &at)
			}
			if at+600 <= cut {
				kept = append(kept, l)
			}
		}
		got, err := Exported(t.Context(), exportDir(t, map[string]string{"series/a.csv": strings.Join(kept, "")}))
		if err != nil {
			t.Fatal(err)
		}
		var want []Row
		for _, r := range whole {
			if r.Detected.Unix() <= cut {
				want = append(want, r)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rows up to %d differ when the rest is cut (-whole +cut):\n%s", cut, diff)
		}
	}
}

func TestBadExportsAreRefusedWithFileAndRow(t *testing.T) {
	row := func(s string) map[string]string {
		return map[string]string{"series/a.csv": header + "1,600,600,5,1,0,0,0,0,0,0,0,0,0\n" + s + "\n"}
	}
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"not a number":            {row("1,1200,600,5,NaN,0,0,0,0,0,0,0,0,0"), "a.csv: row 2: total_ms is NaN"},
		"infinite":                {row("1,1200,600,5,Inf,0,0,0,0,0,0,0,0,0"), "a.csv: row 2: total_ms is Inf"},
		"a word":                  {row("1,1200,600,many,1,0,0,0,0,0,0,0,0,0"), `a.csv: row 2: calls is "many"`},
		"time without calls":      {row("1,1200,600,0,1,0,0,0,0,0,0,0,0,0"), "a.csv: row 2: total_ms is 1 with no calls"},
		"negative":                {row("1,1200,600,5,1,0,-3,0,0,0,0,0,0,0"), "a.csv: row 2: rows is negative (-3)"},
		"huge":                    {row("1,1200,600,5,1,0,1e300,0,0,0,0,0,0,0"), "a.csv: row 2: rows is huge (1e300)"},
		"no duration":             {row("1,1200,0,5,1,0,0,0,0,0,0,0,0,0"), "a.csv: row 2: dur_s is 0"},
		"a duplicate":             {row("1,600,600,5,1,0,0,0,0,0,0,0,0,0"), "a.csv: row 2: series 1: t is 600 after a row of 600"},
		"late":                    {row("1,0,600,5,1,0,0,0,0,0,0,0,0,0"), "a.csv: row 2: series 1: t is 0 after a row of 600"},
		"a time of no calendar":   {row("1,99999999999999,600,5,1,0,0,0,0,0,0,0,0,0"), "a.csv: row 2: t is"},
		"no series":               {row(",1200,600,5,1,0,0,0,0,0,0,0,0,0"), "a.csv: row 2: series_id is empty"},
		"an unknown flag":         {row("1,1200,600,5,1,0,0,0,0,0,0,0,0,9"), "a.csv: row 2: flag is 9"},
		"a short row":             {row("1,1200,600"), "a.csv: row 2: record on line 3: wrong number of fields"},
		"a missing column":        {map[string]string{"series/a.csv": "series_id,t\n1,2\n"}, "a.csv: no column dur_s"},
		"an empty file":           {map[string]string{"series/a.csv": ""}, "a.csv: header: the file is empty"},
		"not packed":              {map[string]string{"series/a.csv": header, "series/b.csv.txt": "", "deploys.csv": "db_id,t\n1,x\n"}, `deploys.csv: row 1: t is "x"`},
		"no folder":               {map[string]string{"a.csv": header}, "read exported series"},
		"no series in the folder": {map[string]string{"series/readme.txt": ""}, "holds no *.csv"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Exported(t.Context(), exportDir(t, tt.files))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Exported = %v; want an error with %q", err, tt.want)
			}
		})
	}
}

func TestVerdictsAreWrittenAsCSV(t *testing.T) {
	var b strings.Builder
	rows := []Row{{SeriesID: "7", Detected: time.Unix(1200, 0), Onset: time.Unix(600, 0), Kind: "regression", Factor: 2.5, Cause: "plan", Confidence: 0.97, Severity: "ticket", CauseDetail: "plan"}}
	if err := WriteCSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	want := "series_id,detected_t,onset_t,kind,factor,cause,confidence,severity,cause_detail\n7,1200,600,regression,2.500,plan,0.970,ticket,plan\n"
	if b.String() != want {
		t.Errorf("WriteCSV wrote %q; want %q", b.String(), want)
	}
}

func FuzzExportedCSV(f *testing.F) {
	f.Add(header + "1,600,600,5,1,0,0,0,0,0,0,0,0,0\n")
	f.Add(header + "\"1\n,600")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		ex := newExport()
		if err := readRows("a.csv", strings.NewReader(text), seriesColumns, ex.seriesRows("a.csv")); err != nil {
			return
		}
		if _, err := ex.judge(t.Context()); err != nil {
			t.Errorf("judge refused what the reader let in: %v", err)
		}
	})
}
