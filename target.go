package pgvigil

import (
	"fmt"
	"time"
)

// Target is what the configuration names: the address of one server, the
// databases to look into, and the labels that route its alerts.
type Target struct {
	// Name is unique in a configuration and stands in every alert and report.
	Name string
	// DSN is a libpq connection string or URL, password included.
	DSN Secret
	// Databases are shell patterns (path.Match) of databases to look into;
	// empty means all that allow connections, templates aside.
	Databases []string
	// ExcludeDatabases are shell patterns that win over Databases.
	ExcludeDatabases []string
	// Labels travel with every alert; "owner" routes it.
	Labels map[string]string
	// Log is the path of the server's log, or a shell pattern of the paths of its
	// files; "" reads none.
	Log string
	// Timeouts bound every connection and statement of a pass.
	Timeouts Timeouts
}

// Timeouts bound what pgvigil does on a target, so that nobody waits for it.
type Timeouts struct {
	Connect   time.Duration // until a connection is usable
	Statement time.Duration // statement_timeout of each statement
	Lock      time.Duration // lock_timeout of each statement
	Pass      time.Duration // the whole pass
}

// DefaultTimeouts are used where the configuration names none.
var DefaultTimeouts = Timeouts{
	Connect:   5 * time.Second,
	Statement: 10 * time.Second,
	Lock:      100 * time.Millisecond,
	Pass:      45 * time.Second,
}

// OID is a Postgres object identifier. 0 is invalid.
type OID uint32

// SystemID is a cluster's system identifier: equal on a primary and on its
// physical standbys.
type SystemID uint64

func (id SystemID) String() string { return fmt.Sprintf("%d", uint64(id)) }

// Version is a server's version as in server_version_num: 150018 is 15.18.
type Version int

// Major returns 15 for 150018.
func (v Version) Major() int { return int(v) / 10000 }

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major(), int(v)%10000) }

// Server is one postmaster of a cluster as a pass found it. The target's name
// and the system identifier together are its identity in the history: a
// promoted standby behind the same address is another role of the same server,
// a rebuilt cluster is another server.
type Server struct {
	Target   string
	SystemID SystemID
	Timeline int
	Version  Version
	// PostmasterStart tells a restart, and a primary from its standby.
	PostmasterStart time.Time
	InRecovery      bool
}

// ServerID is the history's own number of a server, stable over restarts.
type ServerID int64

// Incarnation names a span in which a server's counters only grow. Statement
// counters and table counters have separate ones: an immediate stop zeroes the
// latter and keeps the former (PostgreSQL 15). No interval crosses one.
type Incarnation struct {
	Kind  IncarnationKind
	Since time.Time // the reset or start that began it, by the server's clock
	// Proof says what told it apart, for example "stats_reset moved".
	Proof string
	// Seen is the pass that showed it; the history fills it in.
	Seen time.Time
}

// FirstRead is the proof of what the first pass over a server begins: no reset.
const FirstRead = "first read"

// IncarnationKind says which counters an incarnation is about.
type IncarnationKind string

// The kinds of counters with lives of their own; each view of a server's
// counters has one.
const (
	OfStatements IncarnationKind = "statements"
	OfTables     IncarnationKind = "tables"
	OfServer     IncarnationKind = "server"
)
