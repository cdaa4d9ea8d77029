package pgvigil

import "time"

// EventKind says what changed.
type EventKind string

// The kinds of events.
const (
	EventMark           EventKind = "mark" // pgvigil mark
	EventDeploy         EventKind = "deploy"
	EventIndexCreated   EventKind = "index created"
	EventIndexDropped   EventKind = "index dropped"
	EventIndexInvalid   EventKind = "index invalid"
	EventTableCreated   EventKind = "table created"
	EventTableDropped   EventKind = "table dropped"
	EventColumnCreated  EventKind = "column created"
	EventColumnDropped  EventKind = "column dropped"
	EventSettingChanged EventKind = "setting changed"
	EventReset          EventKind = "statistics reset"
	EventRestart        EventKind = "restart"
	EventPlanChanged    EventKind = "plan changed"
	EventAnalyzed       EventKind = "analyzed"
	EventVacuumed       EventKind = "vacuumed"
	EventDeadlock       EventKind = "deadlock"
	EventCancelled      EventKind = "statements cancelled"
	EventTempFiles      EventKind = "temporary files"
	EventRoleChanged    EventKind = "role changed" // primary or standby
	EventProposalDone   EventKind = "proposal applied"

	EventTableRenamed        EventKind = "table renamed"
	EventTableChanged        EventKind = "table options changed"
	EventColumnChanged       EventKind = "column changed"
	EventConstraintCreated   EventKind = "constraint created"
	EventConstraintDropped   EventKind = "constraint dropped"
	EventConstraintValidated EventKind = "constraint validated"
	EventPartitionAttached   EventKind = "partition attached"
	EventPartitionDetached   EventKind = "partition detached"
	EventExtensionCreated    EventKind = "extension created"
	EventExtensionDropped    EventKind = "extension dropped"
	EventExtensionUpdated    EventKind = "extension updated"
	EventUserCreated         EventKind = "user created" // a role of the cluster
	EventUserDropped         EventKind = "user dropped"
	EventUserChanged         EventKind = "user changed"
)

// Event is a change seen on a target that may explain a regression.
type Event struct {
	ID     int64
	Server ServerID
	DBID   OID // 0 for the whole server
	// At is when it happened, or the snapshot that first showed it.
	At time.Time
	// Since is the last snapshot that did not show it; zero if At is exact.
	Since  time.Time
	Kind   EventKind
	Object string // schema.name, setting, or version
	Table  string // unqualified name of the table concerned, if any
	Before string
	After  string
	// Source is "catalog", "counters", "user", "log", or a PlanSource.
	Source string
	// Count is how many alike happened between the same two snapshots and are
	// told as one, from 2 on; else 0.
	Count int
	// Fingerprint is the query that it is about, 0 for none.
	Fingerprint Fingerprint
}
