package pgvigil

import "time"

// Snapshot is what one pass read of one target: cumulative counters, sizes,
// catalog, activity and settings. It holds no literal of a user's SQL: texts
// are normalised before they get here.
type Snapshot struct {
	Server Server
	// At is the server's clock when the statement counters were read. All
	// intervals are measured by it.
	At time.Time
	// Clock is pgvigil's clock at the same moment; the two tell a clock jump
	// on either side.
	Clock time.Time
	// Took is how long the pass took.
	Took time.Duration

	Statements StatementsRead
	// Queries are the texts fetched in this pass, described. Keys that were
	// known before are absent.
	Queries   map[StatementKey]Query
	Databases []DatabaseRead
	Sessions  []Session
	Locks     []LockWait
	Settings  []Setting
	// Waits is what was sampled since the last snapshot; empty without a sampler.
	Waits Waits
	// Footprint is what the pass may have cost others.
	Footprint Footprint
	// Counters are those of the server as a whole, Resets when each view of
	// them began anew, by its name.
	Counters ServerCounters
	Resets   ServerResets
	State    ServerState
	// Roles are those of the cluster; nil when they were not read.
	Roles []Role
	// Plans are those that the pass learned of, or why there is none.
	Plans []Plan
	// Log is what was read of the server's log, Events what it told.
	Log    LogRead
	Events []Event
	// Notes are what the collector wants to find again at its next pass, by
	// name; they are kept with the pass or not at all.
	Notes map[string][]byte
	// Warnings say what the pass could not read and why.
	Warnings []Warning
}

// StatementKey identifies one entry of pg_stat_statements.
type StatementKey struct {
	UserID   OID
	DBID     OID
	QueryID  int64
	TopLevel bool
}

// StatementsRead is one complete read of pg_stat_statements; a partial read is
// never handed on.
type StatementsRead struct {
	// OK says that the read is there and complete. Without it (extension
	// missing, timeout) the other parts of the snapshot still hold.
	OK bool
	// Extension is the extension's version, "1.10"; it, not the server's
	// version, decides which metrics there are.
	Extension string
	// Reset is stats_reset of pg_stat_statements_info; zero if unknown (1.8).
	Reset time.Time
	// Dealloc counts evictions of least-executed entries since Reset; -1 if
	// unknown.
	Dealloc int64
	// Max is pg_stat_statements.max.
	Max int
	// List holds all entries, own ones included.
	List []Statement
}

// Statement is one entry with its cumulative counters.
type Statement struct {
	Key      StatementKey
	Counters Counters
	// Since is when the entry was (re-)entered, stats_since of PostgreSQL 17+;
	// zero before.
	Since time.Time
}

// DatabaseRead is what a pass read of one database.
type DatabaseRead struct {
	OID   OID
	Name  string
	Stats DatabaseStats
	// Visited says that the pass connected to it; without it, only Stats hold.
	Visited bool
	// DefinitionsAt is when columns, constraints, sequences and extensions were
	// last read completely, by the server's clock; zero if with each visit.
	DefinitionsAt time.Time
	Tables        []Table
	Indexes       []Index
	Constraints   []Constraint
	Sequences     []Sequence
	Extensions    []Extension
}

// DatabaseStats are the cumulative counters of pg_stat_database.
type DatabaseStats struct {
	Reset        time.Time // stats_reset; zero if never
	Backends     int       // connections now
	Commits      float64
	Rollbacks    float64
	BlocksHit    float64
	BlocksRead   float64
	TempFiles    float64
	TempBytes    float64
	Deadlocks    float64
	ActiveMS     float64 // active_time, 14+
	IdleInTxMS   float64 // idle_in_transaction_time, 14+
	SizeBytes    Bytes
	XIDAge       int64
	MultiXactAge int64
}

// Bytes is a size in bytes.
type Bytes int64

// RelationKey identifies a table or index in a server.
type RelationKey struct {
	DBID  OID
	RelID OID
}

// Table is one table, partition or partitioned parent with its sizes and
// cumulative counters.
type Table struct {
	Key    RelationKey
	Schema string
	Name   string
	// Kind is r (table), p (partitioned), m (materialized view).
	Kind string
	// Parent is the partitioned table that this one is a partition of, 0 if none.
	Parent OID
	// PartitionKey is pg_get_partkeydef of a partitioned table.
	PartitionKey string
	// PartitionBound is pg_get_expr of relpartbound of a partition.
	PartitionBound string
	// Pages is the length of the main fork by the size functions or, where
	// they would wait, relpages.
	Pages      int64
	TotalBytes Bytes   // with indexes and TOAST; 0 if unknown
	RelTuples  float64 // reltuples; -1 never analyzed
	FillFactor int     // 100 unless set
	Columns    []Column
	Counters   TableCounters
	// LastVacuum and the others are the later of manual and automatic; zero if never.
	LastVacuum  time.Time
	LastAnalyze time.Time
	FrozenXID   int64 // age(relfrozenxid), its TOAST table's if that is older
	MultiXID    int64 // age of relminmxid, likewise
	TOAST       TOAST
	// Options are its storage parameters, "autovacuum_enabled=false".
	Options []string
	Bloat   *Bloat
}

// TOAST is the table that holds what does not fit into the rows of another.
type TOAST struct {
	RelID OID // 0 if there is none
	Pages int64
	Live  float64 // chunks
	Dead  float64
	Bloat *Bloat
}

// Column is a live column of a table.
type Column struct {
	Num      int
	Name     string
	Type     string // format_type
	NotNull  bool
	AvgWidth int     // avg_width of pg_stats; 0 unknown
	NullFrac float64 // of pg_stats; NaN unknown
	Distinct float64 // n_distinct of pg_stats; NaN unknown
	// Correlation of pg_stats; NaN unknown.
	Correlation float64
}

// TableCounters are the cumulative counters of pg_stat_all_tables and
// pg_statio_all_tables. NaN means unknown.
type TableCounters struct {
	SeqScans       float64
	SeqTuples      float64
	IndexScans     float64
	IndexTuples    float64
	Inserted       float64
	Updated        float64
	Deleted        float64
	HotUpdated     float64
	LiveTuples     float64 // a gauge
	DeadTuples     float64 // a gauge
	ModSinceAn     float64 // a gauge: n_mod_since_analyze
	InsSinceVac    float64 // a gauge: n_ins_since_vacuum
	Vacuums        float64
	AutoVacuums    float64
	Analyzes       float64
	AutoAnalyzes   float64
	HeapBlocksHit  float64
	HeapBlocksRead float64
	IdxBlocksHit   float64
	IdxBlocksRead  float64
}

// Index is one index with its definition and cumulative counters.
type Index struct {
	Key     RelationKey
	TableID OID
	Schema  string
	Name    string
	Table   string // unqualified
	Def     string // pg_get_indexdef
	Method  string // btree, hash, gin, ...
	// Keys are the key columns or expressions in order, Include the payload.
	Keys      []string
	Include   []string
	Predicate string // of a partial index
	Unique    bool
	Primary   bool
	Valid     bool
	// Constraint is the name of the constraint that it enforces.
	Constraint string
	// Parent is the partitioned index that this one is attached to, 0 if none.
	Parent    OID
	Pages     int64
	Scans     float64
	TuplesRd  float64
	TuplesFt  float64
	BlocksHit float64
	BlocksRd  float64
	Bloat     *Bloat
}

// Constraint is one constraint of a table.
type Constraint struct {
	TableID   OID
	Name      string
	Kind      string // p, u, f, c, x
	Def       string
	Validated bool
	// RefTableID is the referenced table of a foreign key.
	RefTableID OID
}

// Bloat is what a rewrite would free, estimated or measured.
type Bloat struct {
	// Share is the part of the pages that a rewrite would free, in [0, 1].
	Share float64
	Bytes Bytes
	// Method is how it was got: "estimate", "pgstattuple_approx", ...
	Method string
	// Error is the typical absolute error of Share by this method.
	Error float64
	// At is when it was measured; zero for an estimate, which is as of the pass.
	At time.Time
}

// Session is one backend of pg_stat_activity as sampled.
type Session struct {
	PID         int
	DBID        OID
	UserID      OID
	User        string // its name; "" unknown
	Application string
	State       string
	WaitType    string
	WaitEvent   string
	QueryID     int64 // 14+, 0 unknown
	// Fingerprint of the text of the session, 0 unknown.
	Fingerprint Fingerprint
	// Query is the normal form of its text.
	Query        string
	Tags         map[string]string
	BackendType  string
	XactStart    time.Time
	QueryStart   time.Time
	StateChange  time.Time
	BackendXmin  int64 // age in transactions, 0 none
	BlockedBy    []int // PIDs; only for those that wait on a lock
	OwnedByUs    bool
	BackendStart time.Time
}

// LockWait is one edge of the blocking tree.
type LockWait struct {
	Waiter   int // PID
	Blocker  int // PID
	Mode     string
	LockType string
	Relation string // schema.name where known
	Since    time.Time
}

// Setting is one row of pg_settings that matters.
type Setting struct {
	Name   string
	Value  string
	Unit   string
	Source string
	// Pending says that a restart is needed for it.
	Pending bool
	// Scope is "" for the server, else "database=x", "role=y".
	Scope string
}
