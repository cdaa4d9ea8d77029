package interval

import (
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Moment is one moment by the server's clock and by ours.
type Moment struct {
	At    time.Time // the server's
	Clock time.Time // ours; zero if unknown
}

// State is what has to be remembered of a server from one snapshot to the
// next. It is made of plain exported fields, so that it can be stored.
type State struct {
	Server pgvigil.Server
	// Last is when the last snapshot was taken.
	Last Moment
	// Lengths are the last few distances between snapshots, oldest first; they
	// tell the period, and by it a pause that nobody recorded.
	Lengths    []time.Duration
	Statements Statements
	Databases  []Database
	Settings   []pgvigil.Setting
	Whole      Server
	// Roles are as last read, at RolesAt.
	Roles   []pgvigil.Role
	RolesAt time.Time
}

// Statements is the last complete read of the statements.
type Statements struct {
	Moment // zero if there was none
	Read   pgvigil.StatementsRead
	// Partial says that the role could not see the entries of other roles.
	Partial bool
}

// Database is what is remembered of one database.
type Database struct {
	// Read holds the statistics of the last snapshot and the tables, indexes
	// and constraints of the last visit.
	Read pgvigil.DatabaseRead
	// Seen is when Read.Stats were read, Visited when the tables were; zero if never.
	Seen    Moment
	Visited Moment
	// Gap says that a pass failed since the last visit.
	Gap bool
}

// partialCodes are the collector's warnings that say so.
var partialCodes = []string{"no-stats-rights", "statements-hidden"}

func partial(s *pgvigil.Snapshot) bool {
	return slices.ContainsFunc(s.Warnings, func(w pgvigil.Warning) bool { return slices.Contains(partialCodes, w.Code) })
}

// keptLengths is how many distances tell the period.
const keptLengths = 8

// period returns the usual distance between snapshots, 0 if not yet known.
func (s *State) period() time.Duration {
	if len(s.Lengths) < 3 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.Lengths))
	return sorted[len(sorted)/2]
}

// missed returns how many passes should have been within length and were not:
// none up to 1.75 periods.
func (s *State) missed(length time.Duration) int {
	p := s.period()
	if p <= 0 || float64(length) < 1.75*float64(p) {
		return 0
	}
	return int(float64(length)/float64(p)+0.5) - 1
}

func (s *State) database(oid pgvigil.OID) *Database {
	i := slices.IndexFunc(s.Databases, func(d Database) bool { return d.Read.OID == oid })
	if i < 0 {
		return nil
	}
	return &s.Databases[i]
}
