package pgvigil

import (
	"math"
	"time"
)

// VerdictKind says what kind of change a verdict is about.
type VerdictKind string

// The kinds of verdicts.
const (
	KindRegression  VerdictKind = "regression"
	KindIncident    VerdictKind = "incident"
	KindImprovement VerdictKind = "improvement"
	KindTraffic     VerdictKind = "traffic"
	KindNew         VerdictKind = "new"
)

// Cause is why a series left its baseline, coarse; CauseDetail is the finer word.
type Cause string

// The causes.
const (
	CausePlan       Cause = "plan"
	CauseContention Cause = "contention"
	CauseSpill      Cause = "spill"
	CauseIO         Cause = "io"
	CauseBloat      Cause = "bloat"
	CauseRows       Cause = "rows"
	CauseTraffic    Cause = "traffic"
	CauseDatabase   Cause = "database"
	CauseUnknown    Cause = "unknown"
)

// The finer causes.
const (
	DetailIndexDropped    = "index dropped"
	DetailIndexInvalid    = "index invalid"
	DetailNoIndex         = "no index"
	DetailPruningLost     = "pruning lost"
	DetailStaleStatistics = "stale statistics"
	DetailGenericPlan     = "generic plan"
	DetailPlanChanged     = "plan changed"
	DetailNPlusOne        = "n+1"
	DetailListGrowth      = "list growth"
	DetailLockQueue       = "lock queue"
	DetailHotRow          = "hot row"
	DetailLongTransaction = "long transaction"
	DetailHOTLost         = "hot lost"
	DetailRetentionOff    = "retention off"
	DetailSetting         = "setting changed"
	DetailNeighbour       = "noisy neighbour"
	DetailTimeout         = "timing out"
	DetailNeverEnds       = "never ends"
	DetailConnections     = "connections"
	DetailCheckpoints     = "checkpoints"
	DetailSlowReads       = "slow reads"
	DetailMaintenance     = "maintenance"
	DetailHeldBack        = "vacuum held back"
	DetailVacuumOutrun    = "vacuum outrun"
	DetailDeadlocks       = "deadlocks"
	DetailSLRU            = "slru"
	DetailSyncStandby     = "synchronous standby"
	DetailSchema          = "schema changed"
)

// Regression is the verdict that a series left its baseline (or that the
// server suffers, of KindIncident), with the numbers that convict it.
type Regression struct {
	Kind   VerdictKind
	Series SeriesKey
	// Queries are the fingerprints that an incident touches, worst first.
	Queries []Fingerprint
	// Onset is the estimated start of the change, Detected when it was convicted
	// (by data up to then, no later).
	Onset    time.Time
	Detected time.Time
	// Factor is ms per call after over before; of traffic, calls.
	Factor float64
	// Before and After are per call.
	Before Profile
	After  Profile
	Band   Band // of ms per call
	// ExtraMSPerHour is what the change costs.
	ExtraMSPerHour float64
	// LoadShare is the series' part of the server's execution time, in [0, 1].
	LoadShare float64
	// Confidence that it is real, in [0, 1].
	Confidence  float64
	Cause       Cause
	CauseDetail string
	// Causes are all that were weighed, likeliest first.
	Causes []CauseEvidence
	// Rule is the sentence that convicted it, with its numbers.
	Rule string
	// Events near the onset.
	Events   []Event
	Coverage Coverage
	Warnings []Warning
}

// Profile is what one call of a series costs.
type Profile struct {
	MS           float64
	PlanMS       float64
	Blocks       float64
	Rows         float64
	TempBlocks   float64
	WALBytes     float64
	HitRatio     float64
	CallsPerHour float64
}

// CauseEvidence is one possible cause with what speaks for and against it.
type CauseEvidence struct {
	Cause   Cause
	Detail  string
	Score   float64 // higher is likelier; comparable within one verdict only
	For     []string
	Against []string
}

// Profile returns what one call of c costs; span is the time that c covers.
// Without calls, all but CallsPerHour is NaN.
func (c Counters) Profile(span time.Duration) Profile {
	n := c[Calls]
	if !(n > 0) {
		n = math.NaN()
	}
	return Profile{
		MS: c[ExecMS] / n, PlanMS: c[PlanMS] / n, Blocks: c.Blocks() / n, Rows: c[Rows] / n,
		TempBlocks: c.Temp() / n, WALBytes: c[WALBytes] / n,
		HitRatio:     (c[SharedHit] + c[LocalHit]) / c.Blocks(),
		CallsPerHour: c[Calls] / span.Hours(),
	}
}
