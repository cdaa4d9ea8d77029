package serverlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const linePrefix = "%m [%p] %q%u@%d/%a "

const textLog = "2026-11-23 17:28:40.815 -03 [13086] postgres@t1/[unknown] ERROR:  canceling statement due to statement timeout\n" +
	"2026-11-23 17:28:40.815 -03 [13086] postgres@t1/[unknown] STATEMENT:  SELECT pg_sleep(1), 'x\n\tline2'\n" +
	"2026-11-23 17:28:41.215 -03 [13093] LOG:  automatic vacuum of table \"t1.public.t\": index scans: 1\n\tpages: 0 removed\n"

const csvLog = `2026-11-23 17:28:40.815 -03,"postgres","t1",13086,"[local]",6b04.35,2,"SELECT",2026-11-23 17:28:55 -03,2/4,0,ERROR,57014,"canceling statement due to statement timeout",,,,,,"SELECT pg_sleep(1), 'x
line2'",,,"psql ""q""","client backend",,3263188899746154323
`

const jsonLog = `{"timestamp":"2026-11-23 17:28:40.815 -03","user":"postgres","dbname":"t1","pid":13086,"error_severity":"ERROR","state_code":"57014","message":"canceling statement due to statement timeout","statement":"SELECT pg_sleep(1), 'x\nline2'","query_id":3263188899746154323}
`

func TestAllFormatsTellTheSame(t *testing.T) {
	want := Record{
		Time: time.Date(2026, 11, 23, 20, 28, 40, 815_000_000, time.UTC), PID: 13086, User: "postgres", Database: "t1", Severity: "ERROR",
		State: "57014", Message: "canceling statement due to statement timeout", Statement: "SELECT pg_sleep(1), 'x\nline2'", QueryID: 3263188899746154323,
	}
	for format, log := range map[Format]string{Text: textLog, CSV: csvLog, JSON: jsonLog} {
		got := NewParser(format, linePrefix, nil).Parse([]byte(log), true)
		if len(got.Records) == 0 || got.Broken != 0 || got.Used != len(log) {
			t.Fatalf("%s: %+v; want records and nothing left", format, got)
		}
		r := got.Records[0]
		r.App = ""
		if format == Text { // its prefix has neither
			r.State, r.QueryID = want.State, want.QueryID
		}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

func TestWhatIsNotWholeWaits(t *testing.T) {
	for format, log := range map[Format]string{Text: textLog, CSV: csvLog, JSON: jsonLog} {
		p := NewParser(format, linePrefix, nil)
		if got := p.Parse([]byte(log[:len(log)-5]), false); got.Used > strings.LastIndex(log, "2026-11-23 17:28:41") && format == Text || format != Text && got.Used != 0 {
			t.Errorf("%s: %d bytes of a broken record are used", format, got.Used)
		}
	}
}

func TestNobodysTextBeginsARecord(t *testing.T) {
	forged := strings.Replace(textLog, "\tline2'", "\t2026-11-23 17:28:40.815 -03 [1] a@b/c ERROR:  deadlock detected", 1)
	for _, r := range NewParser(Text, linePrefix, nil).Parse([]byte(forged), true).Records {
		if strings.HasPrefix(r.Message, "deadlock") {
			t.Errorf("a statement forged a record: %+v", r)
		}
	}
}

func TestReadingGoesOnThroughRotations(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	write := func(name, text string, age time.Duration) string {
		t.Helper()
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	line := func(n int) string { return fmt.Sprintf("2026-11-23 17:28:40.815 UTC [%d] LOG:  number %d\n", n, n) }
	path := write("pg.log", line(1), time.Hour)
	var place Place
	read := func() (pids []int, lost bool) {
		t.Helper()
		got, err := Read(Options{Pattern: path, From: place, Prefix: linePrefix, Now: now, MaxBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		place = got.Next
		for _, r := range got.Records {
			pids = append(pids, r.PID)
		}
		return pids, got.Lost
	}
	steps := []struct {
		name string
		do   func()
		want []int
		lost bool
	}{
		{"the first reading begins at the end", func() {}, nil, false},
		{"nothing is new", func() {}, nil, false},
		{"a line more", func() { write("pg.log", line(2), time.Hour) }, []int{2}, false},
		{"the file is renamed, and another begun", func() {
			write("pg.log", line(3), 50*time.Minute)
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
			write("pg.log", line(4)+line(5), 40*time.Minute)
		}, []int{3, 4, 5}, false},
		{"the file is cut short", func() {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			write("pg.log", line(6), 30*time.Minute)
		}, []int{6}, true},
	}
	for _, s := range steps {
		s.do()
		if got, lost := read(); fmt.Sprint(got) != fmt.Sprint(s.want) || lost != s.lost {
			t.Errorf("%s: read %v, lost %v; want %v, %v", s.name, got, lost, s.want, s.lost)
		}
	}
}

func FuzzParse(f *testing.F) {
	for format, log := range map[Format]string{Text: textLog, CSV: csvLog, JSON: jsonLog} {
		f.Add(uint8(format), linePrefix, []byte(log))
		f.Add(uint8(format), "%t:%r:%-5p%%%c", []byte(log))
	}
	f.Fuzz(func(t *testing.T, format uint8, linePrefix string, log []byte) {
		p := NewParser(Format(format%3), linePrefix, time.UTC)
		for _, last := range []bool{false, true} {
			got := p.Parse(log, last)
			if got.Used < 0 || got.Used > len(log) || last && got.Used != len(log) {
				t.Errorf("used %d of %d bytes, the last: %v", got.Used, len(log), last)
			}
		}
	})
}
