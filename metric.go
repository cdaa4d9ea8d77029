package pgvigil

import "math"

// Metric is one counter of pg_stat_statements. The Metrics table is the one
// list that a new column has to be added to: collector, history, intervals and
// exports are driven by it.
type Metric uint8

// The counters, in the order of pg_stat_statements. Times are milliseconds,
// blocks are server blocks (8 KiB unless built otherwise), WAL is bytes.
const (
	Plans Metric = iota
	PlanMS
	Calls
	ExecMS
	// ExecSqMS is the sum over all calls of squared execution time, ms². It is
	// derived (SumOfSquares), so that it can be subtracted and added like any
	// other counter; NaN in an interval in which rounding hides what it grew by.
	ExecSqMS
	Rows
	SharedHit
	SharedRead
	SharedDirtied
	SharedWritten
	LocalHit
	LocalRead
	LocalDirtied
	LocalWritten
	TempRead
	TempWritten
	SharedReadMS
	SharedWriteMS
	LocalReadMS
	LocalWriteMS
	TempReadMS
	TempWriteMS
	WALRecords
	WALFPI
	WALBytes
	WALBuffersFull
	JITFunctions
	JITGenerationMS
	JITInliningMS
	JITOptimizationMS
	JITEmissionMS
	JITDeformMS
	ParallelToLaunch
	ParallelLaunched
	metricCount
)

// MetricCount is the number of metrics, the length of Counters.
const MetricCount = int(metricCount)

// MetricInfo describes one metric.
type MetricInfo struct {
	// Name is the column in the history and in exports.
	Name string
	// Expr is the column of pg_stat_statements, by extension version: the last
	// entry whose Since is not above the extension's holds. That of ExecSqMS is
	// the standard deviation that it is derived from.
	Expr []MetricExpr
}

// MetricExpr is how one range of extension versions spells a metric.
type MetricExpr struct {
	Since string // extension version, "1.8"
	SQL   string
}

func since(v, sql string) MetricExpr { return MetricExpr{v, sql} }

// Metrics describes each metric; index it by Metric. A metric that the
// extension does not have yet is read as NaN, which means unknown, never zero.
var Metrics = [metricCount]MetricInfo{
	Plans:             {"plans", []MetricExpr{since("1.8", "plans")}},
	PlanMS:            {"plan_ms", []MetricExpr{since("1.8", "total_plan_time")}},
	Calls:             {"calls", []MetricExpr{since("1.8", "calls")}},
	ExecMS:            {"exec_ms", []MetricExpr{since("1.8", "total_exec_time")}},
	ExecSqMS:          {"exec_sq_ms", []MetricExpr{since("1.8", "stddev_exec_time")}},
	Rows:              {"rows", []MetricExpr{since("1.8", "rows")}},
	SharedHit:         {"shared_hit", []MetricExpr{since("1.8", "shared_blks_hit")}},
	SharedRead:        {"shared_read", []MetricExpr{since("1.8", "shared_blks_read")}},
	SharedDirtied:     {"shared_dirtied", []MetricExpr{since("1.8", "shared_blks_dirtied")}},
	SharedWritten:     {"shared_written", []MetricExpr{since("1.8", "shared_blks_written")}},
	LocalHit:          {"local_hit", []MetricExpr{since("1.8", "local_blks_hit")}},
	LocalRead:         {"local_read", []MetricExpr{since("1.8", "local_blks_read")}},
	LocalDirtied:      {"local_dirtied", []MetricExpr{since("1.8", "local_blks_dirtied")}},
	LocalWritten:      {"local_written", []MetricExpr{since("1.8", "local_blks_written")}},
	TempRead:          {"temp_read", []MetricExpr{since("1.8", "temp_blks_read")}},
	TempWritten:       {"temp_written", []MetricExpr{since("1.8", "temp_blks_written")}},
	SharedReadMS:      {"shared_read_ms", []MetricExpr{since("1.8", "blk_read_time"), since("1.11", "shared_blk_read_time")}},
	SharedWriteMS:     {"shared_write_ms", []MetricExpr{since("1.8", "blk_write_time"), since("1.11", "shared_blk_write_time")}},
	LocalReadMS:       {"local_read_ms", []MetricExpr{since("1.11", "local_blk_read_time")}},
	LocalWriteMS:      {"local_write_ms", []MetricExpr{since("1.11", "local_blk_write_time")}},
	TempReadMS:        {"temp_read_ms", []MetricExpr{since("1.10", "temp_blk_read_time")}},
	TempWriteMS:       {"temp_write_ms", []MetricExpr{since("1.10", "temp_blk_write_time")}},
	WALRecords:        {"wal_records", []MetricExpr{since("1.8", "wal_records")}},
	WALFPI:            {"wal_fpi", []MetricExpr{since("1.8", "wal_fpi")}},
	WALBytes:          {"wal_bytes", []MetricExpr{since("1.8", "wal_bytes")}},
	WALBuffersFull:    {"wal_buffers_full", []MetricExpr{since("1.12", "wal_buffers_full")}},
	JITFunctions:      {"jit_functions", []MetricExpr{since("1.10", "jit_functions")}},
	JITGenerationMS:   {"jit_generation_ms", []MetricExpr{since("1.10", "jit_generation_time")}},
	JITInliningMS:     {"jit_inlining_ms", []MetricExpr{since("1.10", "jit_inlining_time")}},
	JITOptimizationMS: {"jit_optimization_ms", []MetricExpr{since("1.10", "jit_optimization_time")}},
	JITEmissionMS:     {"jit_emission_ms", []MetricExpr{since("1.10", "jit_emission_time")}},
	JITDeformMS:       {"jit_deform_ms", []MetricExpr{since("1.11", "jit_deform_time")}},
	ParallelToLaunch:  {"parallel_to_launch", []MetricExpr{since("1.12", "parallel_workers_to_launch")}},
	ParallelLaunched:  {"parallel_launched", []MetricExpr{since("1.12", "parallel_workers_launched")}},
}

// String returns the metric's name in the history.
func (m Metric) String() string { return Metrics[m].Name }

// Counters are values of all metrics: cumulative in a snapshot, differences in
// an interval. NaN means that the extension does not count it.
type Counters [metricCount]float64

// Sub returns c - before, metric by metric.
func (c Counters) Sub(before Counters) Counters {
	for i := range c {
		c[i] -= before[i]
	}
	return c
}

// Add returns c + d, metric by metric. A metric that only one of them counts
// keeps that one's value; but squares of some of the calls are none of all.
func (c Counters) Add(d Counters) Counters {
	for i := range c {
		switch {
		case Metric(i) == ExecSqMS:
			c[i] += d[i]
		case math.IsNaN(d[i]):
		case math.IsNaN(c[i]):
			c[i] = d[i]
		default:
			c[i] += d[i]
		}
	}
	return c
}

// Blocks returns the shared and local blocks touched, hit or read.
func (c Counters) Blocks() float64 {
	return c[SharedHit] + c[SharedRead] + c[LocalHit] + c[LocalRead]
}

// Temp returns the temporary blocks read and written.
func (c Counters) Temp() float64 { return c[TempRead] + c[TempWritten] }

// SumOfSquares returns the sum of the squares of n values with a sum and a
// standard deviation.
func SumOfSquares(n, sum, sd float64) float64 {
	if !(n > 0) {
		return 0
	}
	mean := sum / n
	return n * (sd*sd + mean*mean)
}

// SD returns the standard deviation of execution time over the calls, in ms.
// It is 0 for fewer than two calls, NaN where rounding hides the sum of squares;
// what rounding made negative is clamped.
func (c Counters) SD() float64 {
	n := c[Calls]
	if !(n >= 2) {
		return 0
	}
	mean := c[ExecMS] / n
	return math.Sqrt(math.Max(0, c[ExecSqMS]/n-mean*mean))
}

// PerCall returns a metric divided by calls, NaN without calls.
func (c Counters) PerCall(m Metric) float64 {
	if !(c[Calls] > 0) {
		return math.NaN()
	}
	return c[m] / c[Calls]
}
