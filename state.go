package pgvigil

import "time"

// ServerState is how a server stood at the moment of a pass: what it has used
// up, what holds it back and what maintenance is under way.
type ServerState struct {
	Connections Connections
	// Holders keep vacuum from removing dead rows, oldest first.
	Holders []Holder
	// Transactions are those open longest, oldest first.
	Transactions []Transaction
	Slots        []Slot
	Replicas     []Replica
	// Behind is how far a standby's replay is behind what it received; 0 on a
	// primary and when all is replayed.
	Behind   time.Duration
	Progress []Progress
	// Sequences are those that have used up most of their range, of all
	// databases, fullest first.
	Sequences []Sequence
}

// Connections are those of clients against the server's limit.
type Connections struct {
	Used     int
	Active   int // of Used, running a statement
	IdleInTx int // of Used, idle in a transaction
	Limit    int // max_connections; 0 unknown
	// Reserved are kept back from ordinary roles, for superusers and, on
	// PostgreSQL 16 and later, for pg_use_reserved_connections.
	Reserved int
}

// Open is how many connections are there for ordinary roles.
func (c Connections) Open() int { return max(0, c.Limit-c.Reserved) }

// HolderKind says what keeps dead rows from being removed.
type HolderKind string

// The kinds of holders.
const (
	HeldBySession  HolderKind = "session"
	HeldByPrepared HolderKind = "prepared transaction"
	HeldBySlot     HolderKind = "replication slot"
	HeldByStandby  HolderKind = "standby"
)

// Holder is something whose snapshot or transaction is so old that rows deleted
// since must be kept.
type Holder struct {
	Kind HolderKind
	// Name is the process of a session, the identifier of a prepared
	// transaction, the slot, or the application of a standby.
	Name     string
	Database string // "" where it holds back all
	State    string // of a session
	// Age is how many transactions began since.
	Age int64
	// Since is when its transaction began; zero if unknown.
	Since time.Time
	// Catalog says that it holds back system catalogs only.
	Catalog bool
}

// Transaction is one that is open.
type Transaction struct {
	PID         int
	DBID        OID
	Application string
	State       string
	Since       time.Time
	Fingerprint Fingerprint // of its last statement, 0 unknown
}

// Slot is one replication slot.
type Slot struct {
	Name     string
	Kind     string // physical, logical
	Database string // of a logical one
	Active   bool
	// Status is wal_status: reserved, extended, unreserved, lost.
	Status string
	// Retained is the WAL that is kept for it; 0 if it keeps none.
	Retained Bytes
	// Safe is how much more WAL may be written before it is lost; -1 without limit.
	Safe Bytes
	// XminAge and CatalogAge are in transactions, 0 for none.
	XminAge    int64
	CatalogAge int64
	// InactiveSince is when its last reader left (17+); zero if unknown.
	InactiveSince time.Time
	// Reason says why it was invalidated (17+).
	Reason string
}

// Replica is one standby as its primary sees it, at the moment of a pass.
type Replica struct {
	Application string
	State       string
	SyncState   string
	ReplayLag   time.Duration
	LagBytes    Bytes
}

// Progress is a piece of maintenance that is under way.
type Progress struct {
	// Kind is vacuum, analyze, create index, cluster, copy or base backup.
	Kind  string
	PID   int
	Key   RelationKey // zero if it concerns the server
	Name  string      // schema.name of the table where known
	Phase string
	// Done and Total are blocks, of copy and base backup bytes; Total is 0 if unknown.
	Done  float64
	Total float64
	Auto  bool      // by an autovacuum worker
	Since time.Time // zero if unknown
}

// Sequence is one sequence with what bounds it.
type Sequence struct {
	Key    RelationKey
	Schema string
	Name   string
	// Table and Column are what it numbers, if anything.
	Table  string // schema.name
	Column string
	// Type is the column's type, else the sequence's own.
	Type string
	// First and Limit bound the numbers: Limit is the sequence's or, if that is
	// nearer, the largest that the column takes.
	First int64
	Limit int64
	Step  int64
	// Outgrows says that the column ends before the sequence does.
	Outgrows bool
	Cycles   bool
	// Last is the last number given out; Known is false where the role may not
	// read it, or none was given out yet.
	Last  int64
	Known bool
}

// Used is the part of the range that is used up, in [0, 1]; 0 if unknown.
func (s Sequence) Used() float64 {
	if !s.Known || s.Limit == s.First {
		return 0
	}
	return max(0, (float64(s.Last)-float64(s.First))/(float64(s.Limit)-float64(s.First)))
}

// Extension is one that a database has.
type Extension struct {
	Name    string
	Schema  string
	Version string
	// Available is the version that the server's files would install.
	Available string
}

// Role is a role of the cluster.
type Role struct {
	Name string
	// Rights are its attributes in words: "login superuser".
	Rights string
}

// ServerPoint is what a server did between two snapshots, and how it stood at
// the second. The first pass over a server has no counters.
type ServerPoint struct {
	Start, End time.Time
	Counters   ServerCounters // differences
	Flags      IntervalFlag   // AfterReset: some are counted from a reset on
	State      ServerState
}
