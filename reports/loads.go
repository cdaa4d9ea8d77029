package reports

import (
	"fmt"
	"math"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// loadTable is "where the time goes" of one server.
type loadTable struct {
	Heading string
	Caption string
	Marked  bool // rows are marked against a previous window
	Rows    []loadRow
}

// loadRow is one series in the table of loads.
type loadRow struct {
	Query  queryView
	Place  string
	Mark   badge
	Own    badge // of the statements of pgvigil itself
	Share  string
	Width  string // of the share's bar
	Total  string
	Calls  string
	Mean   string
	SD     string
	Blocks string
	Rows   string
	Hit    string
	Spark  spark
	Source string // where the numbers are from, for those who point at the row
}

func (l layout) loads(s *Server) *loadTable {
	if len(s.Loads) == 0 {
		return nil
	}
	t := &loadTable{Heading: l.heading(s), Marked: !s.Previous.From.IsZero()}
	shown := 0.0
	for _, load := range s.Loads {
		shown += load.Share
		t.Rows = append(t.Rows, l.loadRow(s, load))
	}
	t.Caption = fmt.Sprintf("The %s that took most execution and planning time, of %s with calls; together %s of the server's time.",
		count(len(s.Loads), "query", "queries"), thousands(float64(s.SeriesSeen)), percent(shown))
	if t.Marked {
		t.Caption += " Marks compare time per call with the " + length(s.Previous.To.Sub(s.Previous.From)) + " before."
	} else {
		t.Caption += " The history does not reach back far enough to mark what is new."
	}
	if main := s.mainDatabase(); len(s.Databases) > 1 {
		t.Caption += " In database " + plain(s.database(main), maxName) + " where none is named."
	}
	return t
}

// mainDatabase is the one whose loads are dearest.
func (s *Server) mainDatabase() pgvigil.OID {
	share, main := make(map[pgvigil.OID]float64), pgvigil.OID(0)
	for _, load := range s.Loads {
		db := load.Series.DBID
		share[db] += load.Share
		if main == 0 || share[db] > share[main] {
			main = db
		}
	}
	return main
}

func (l layout) loadRow(s *Server, load Load) loadRow {
	c := load.Counters
	total := c[pgvigil.ExecMS]
	if finite(c[pgvigil.PlanMS]) {
		total += c[pgvigil.PlanMS]
	}
	row := loadRow{
		Query:  queryOf(s.query(load.Series.Fingerprint), load.Series.Fingerprint),
		Mark:   markBadge(load),
		Share:  percent(load.Share),
		Width:  percentOf(math.Min(1, math.Max(0, load.Share))),
		Total:  millis(total),
		Calls:  number(c[pgvigil.Calls]),
		Mean:   millis(c.PerCall(pgvigil.ExecMS)),
		SD:     millis(c.SD()),
		Blocks: number(math.Round(c.Blocks() / c[pgvigil.Calls])),
		Rows:   significant(c.PerCall(pgvigil.Rows)),
		Hit:    percent(hitRatio(c)),
		Source: fmt.Sprintf("%s calls in %s of %s", number(c[pgvigil.Calls]), count(load.Trend.Intervals, "interval", "intervals"), load.Series.Fingerprint),
	}
	if c[pgvigil.Calls] < 2 {
		row.SD = "\u2013"
	}
	if s.query(load.Series.Fingerprint).Tags["application"] == "pgvigil" {
		row.Own = badge{"pgvigil\u2019s own", toneMute}
	}
	if db := load.Series.DBID; db != s.mainDatabase() {
		row.Place = plain(s.database(db), maxName)
	}
	values := make([]float64, len(load.Trend.Points))
	for i, p := range load.Trend.Points {
		values[i] = p.Counters[pgvigil.ExecMS]
	}
	row.Spark = sparkOf(values, true, millis)
	row.Spark.Alt = "Execution time in each " + length(load.Trend.Step) + ": " + row.Spark.Alt
	return row
}

// markBadge says how a load compares with the previous window.
func markBadge(l Load) badge {
	factor := times(l.Counters.PerCall(pgvigil.ExecMS) / l.Before.PerCall(pgvigil.ExecMS))
	switch l.Mark {
	case MarkNew:
		return badge{"new", toneWarn}
	case MarkSlower:
		return badge{"slower " + factor, toneBad}
	case MarkFaster:
		return badge{"faster " + factor, toneGood}
	}
	return badge{}
}

// hitRatio is the part of shared blocks that were found in the buffers; NaN
// without any.
func hitRatio(c pgvigil.Counters) float64 {
	return c[pgvigil.SharedHit] / (c[pgvigil.SharedHit] + c[pgvigil.SharedRead])
}

// database names a database, by its number where the name is not known.
func (s *Server) database(id pgvigil.OID) string {
	if name, ok := s.Databases[id]; ok {
		return name
	}
	return fmt.Sprintf("database %d", id)
}

// several says whether a list is about more than one database.
func several[T any](list []T, db func(T) pgvigil.OID) bool {
	return slices.ContainsFunc(list, func(v T) bool { return db(v) != db(list[0]) })
}
