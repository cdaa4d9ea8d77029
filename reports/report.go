package reports

import (
	"time"

	"github.com/pgvigil/pgvigil"
)

// Report is what a window of the history says, before it is laid out. Numbers
// have the units of the root package.
type Report struct {
	Title     string
	Version   string
	Target    string // "" is all
	Generated time.Time
	Window    pgvigil.Window
	Servers   []Server
}

// Server is one server's part of a report.
type Server struct {
	Info      pgvigil.ServerInfo
	Databases map[pgvigil.OID]string
	// Queries describe every fingerprint that the part names, where known.
	Queries map[pgvigil.Fingerprint]pgvigil.Query
	// Slower are the regressions, most urgent first.
	Slower []Slower
	// Noticed are the verdicts that are no complaint: improvements, traffic,
	// new queries, and what is only suspected yet.
	Noticed   []pgvigil.Alert
	Incidents []pgvigil.Alert
	// Loads are the series that cost most, most first; SeriesSeen is how many
	// had calls at all.
	Loads      []Load
	SeriesSeen int
	// Previous is the window that the marks of Loads compare with; zero when
	// the history does not reach back.
	Previous  pgvigil.Window
	Grown     []Growth
	Bloated   []Bloat
	Proposals []pgvigil.Proposal
	Events    []pgvigil.Event
	// Unplanned say why there is no plan, of what got slower or cost most.
	Unplanned []pgvigil.Plan
	Coverage  pgvigil.Coverage
	// Resets are the lives of counters that began in the window, the first read aside.
	Resets   []pgvigil.Incarnation
	Settings []pgvigil.Setting
	// Ahead is what will break, Course what the server as a whole did.
	Ahead  pgvigil.Outlook
	Course Course
}

// Slower is one regression with the course of its series.
type Slower struct {
	pgvigil.Alert
	// Trend covers the report's window, and more before it where the onset
	// would else stand at its edge.
	Trend Trend
	// Plans are those that it was seen under, and why there were none.
	Plans []pgvigil.Plan
}

// Load is one series' part of a server's time.
type Load struct {
	pgvigil.LoadShare
	// Before are its counters in the previous window.
	Before pgvigil.Counters
	Mark   Mark
	Trend  Trend
}

// Mark says how a series compares with the previous window.
type Mark string

// The marks. Changed ones are by time per call, from a half up.
const (
	MarkNone   Mark = ""
	MarkNew    Mark = "new"
	MarkSlower Mark = "slower"
	MarkFaster Mark = "faster"
)

// Trend is a series in equal steps of time.
type Trend struct {
	From time.Time
	Step time.Duration
	// Points are the steps in order. One without intervals has zero calls.
	Points []pgvigil.Point
	// Intervals is how many intervals were added up.
	Intervals int
}

// Growth is the size of one table over the window: with its partitions, its
// indexes and its TOAST table. Where many tables appeared in a database it is
// that of all of them.
type Growth struct {
	DBID   pgvigil.OID
	Schema string // "" of several tables, like Name
	Name   string
	// Born is when the table, or the first of several, appeared; zero if it was
	// there at First.
	Born time.Time
	// Tables is how many tables appeared together, 0 for one table; Largest
	// names some of them, largest first.
	Tables  int
	Largest []string
	// Partitions is how many partitions were added up, 0 for a plain table.
	Partitions int
	// Parts are the partitions, largest first; none of several tables.
	Parts   []GrowthPart
	Start   pgvigil.Bytes
	End     pgvigil.Bytes
	Indexes pgvigil.Bytes // of End
	TOAST   pgvigil.Bytes // of End
	PerDay  float64       // bytes a day; NaN under an hour of history
	First   time.Time     // of the comparison
	Last    time.Time
	Sizes   []pgvigil.Bytes // in equal steps from First to Last
}

// GrowthPart is one partition of a table, with its indexes and its TOAST table.
type GrowthPart struct {
	Name       string // schema.name
	Start, End pgvigil.Bytes
}

// Bloat is one table or index with its size and what a rewrite would free.
type Bloat struct {
	DBID   pgvigil.OID
	Schema string
	Name   string
	Index  bool
	TOAST  bool // it is of the table's TOAST table
	Size   pgvigil.Bytes
	// Estimate is nil where it is unknown.
	Estimate *pgvigil.Bloat
}
