package pgvigil

import "time"

// ServerMetric names one cumulative counter of a server as a whole, as the
// history and the API spell it.
type ServerMetric string

// The counters of a server. Times are milliseconds, sizes bytes.
const (
	CheckpointsTimed     ServerMetric = "checkpoints_timed"
	CheckpointsRequested ServerMetric = "checkpoints_requested"
	CheckpointWriteMS    ServerMetric = "checkpoint_write_ms"
	CheckpointSyncMS     ServerMetric = "checkpoint_sync_ms"
	CheckpointBuffers    ServerMetric = "checkpoint_buffers"
	BackendBuffers       ServerMetric = "backend_buffers" // written by sessions themselves
	BuffersAllocated     ServerMetric = "buffers_allocated"
	ServerWALRecords     ServerMetric = "wal_records"
	ServerWALFPI         ServerMetric = "wal_fpi" // full-page images
	ServerWALBytes       ServerMetric = "wal_bytes"
	WALFull              ServerMetric = "wal_buffers_full"
	WALWriteMS           ServerMetric = "wal_write_ms"
	WALSyncMS            ServerMetric = "wal_sync_ms"
	IOReadBytes          ServerMetric = "io_read_bytes" // by sessions and their workers
	IOReadMS             ServerMetric = "io_read_ms"
	IOBulkReadBytes      ServerMetric = "io_bulk_read_bytes"   // of IOReadBytes, by large sequential scans
	IOVacuumReadBytes    ServerMetric = "io_vacuum_read_bytes" // by vacuum, automatic or not
	IOEvictions          ServerMetric = "io_evictions"
	SubtransReads        ServerMetric = "subtrans_reads" // pages of pg_subtrans from disk
	SubtransLookups      ServerMetric = "subtrans_lookups"
	MultiXactReads       ServerMetric = "multixact_reads"
	MultiXactLookups     ServerMetric = "multixact_lookups"
)

// ServerCounters are values of some server metrics: cumulative in a snapshot,
// differences in a point. A metric that is absent is unknown, never zero.
type ServerCounters map[ServerMetric]float64

// ServerResets says when each view of server counters began anew, by its name;
// zero if the view does not tell.
type ServerResets map[string]time.Time

// Has says whether all of the metrics are known.
func (c ServerCounters) Has(list ...ServerMetric) bool {
	for _, m := range list {
		if _, ok := c[m]; !ok {
			return false
		}
	}
	return true
}

// ServerMetricInfo describes one server metric.
type ServerMetricInfo struct {
	Metric ServerMetric
	// Expr is where it stands, by major version: the last entry whose Since is
	// not above the server's holds.
	Expr []ServerExpr
}

// ServerExpr is how one range of server versions counts a metric.
type ServerExpr struct {
	Since int // major version, from 14
	View  string
	SQL   string // over the view; "" where the version does not count it
}

// ServerMetrics is the one list that a new server metric has to be added to.
// Metrics of one view begin anew together.
var ServerMetrics = []ServerMetricInfo{
	{CheckpointsTimed, []ServerExpr{{14, "pg_stat_bgwriter", "checkpoints_timed"}, {17, "pg_stat_checkpointer", "num_timed"}}},
	{CheckpointsRequested, []ServerExpr{{14, "pg_stat_bgwriter", "checkpoints_req"}, {17, "pg_stat_checkpointer", "num_requested"}}},
	{CheckpointWriteMS, []ServerExpr{{14, "pg_stat_bgwriter", "checkpoint_write_time"}, {17, "pg_stat_checkpointer", "write_time"}}},
	{CheckpointSyncMS, []ServerExpr{{14, "pg_stat_bgwriter", "checkpoint_sync_time"}, {17, "pg_stat_checkpointer", "sync_time"}}},
	{CheckpointBuffers, []ServerExpr{{14, "pg_stat_bgwriter", "buffers_checkpoint"}, {17, "pg_stat_checkpointer", "buffers_written"}}},
	{BackendBuffers, []ServerExpr{{14, "pg_stat_bgwriter", "buffers_backend"}, {17, "pg_stat_io", "sum(writes) FILTER (WHERE " + bySessions + ")"}}},
	{BuffersAllocated, []ServerExpr{{14, "pg_stat_bgwriter", "buffers_alloc"}}},
	{ServerWALRecords, []ServerExpr{{14, "pg_stat_wal", "wal_records"}}},
	{ServerWALFPI, []ServerExpr{{14, "pg_stat_wal", "wal_fpi"}}},
	{ServerWALBytes, []ServerExpr{{14, "pg_stat_wal", "wal_bytes"}}},
	{WALFull, []ServerExpr{{14, "pg_stat_wal", "wal_buffers_full"}}},
	{WALWriteMS, []ServerExpr{{14, "pg_stat_wal", "wal_write_time"}, {18, "pg_stat_io", "sum(write_time) FILTER (WHERE object = 'wal')"}}},
	{WALSyncMS, []ServerExpr{{14, "pg_stat_wal", "wal_sync_time"}, {18, "pg_stat_io", "sum(fsync_time) FILTER (WHERE object = 'wal')"}}},
	{IOReadBytes, []ServerExpr{{16, "pg_stat_io", "sum(reads * op_bytes) FILTER (WHERE " + bySessions + ")"}, {18, "pg_stat_io", "sum(read_bytes) FILTER (WHERE " + bySessions + ")"}}},
	{IOReadMS, []ServerExpr{{16, "pg_stat_io", "sum(read_time) FILTER (WHERE " + bySessions + ")"}}},
	{IOBulkReadBytes, []ServerExpr{{16, "pg_stat_io", "sum(reads * op_bytes) FILTER (WHERE context = 'bulkread')"}, {18, "pg_stat_io", "sum(read_bytes) FILTER (WHERE context = 'bulkread')"}}},
	{IOVacuumReadBytes, []ServerExpr{{16, "pg_stat_io", "sum(reads * op_bytes) FILTER (WHERE " + byVacuum + ")"}, {18, "pg_stat_io", "sum(read_bytes) FILTER (WHERE " + byVacuum + ")"}}},
	{IOEvictions, []ServerExpr{{16, "pg_stat_io", "sum(evictions) FILTER (WHERE " + bySessions + ")"}}},
	{SubtransReads, []ServerExpr{{14, "pg_stat_slru", "sum(blks_read) FILTER (WHERE " + ofSubtrans + ")"}}},
	{SubtransLookups, []ServerExpr{{14, "pg_stat_slru", "sum(blks_read + blks_hit) FILTER (WHERE " + ofSubtrans + ")"}}},
	{MultiXactReads, []ServerExpr{{14, "pg_stat_slru", "sum(blks_read) FILTER (WHERE " + ofMultiXact + ")"}}},
	{MultiXactLookups, []ServerExpr{{14, "pg_stat_slru", "sum(blks_read + blks_hit) FILTER (WHERE " + ofMultiXact + ")"}}},
}

// Whose rows of pg_stat_io and pg_stat_slru count; PostgreSQL 17 renamed the latter.
const (
	bySessions  = "object = 'relation' AND context <> 'vacuum' AND backend_type IN ('client backend', 'background worker')"
	byVacuum    = "object = 'relation' AND (context = 'vacuum' OR backend_type = 'autovacuum worker')"
	ofSubtrans  = "name IN ('Subtrans', 'subtransaction')"
	ofMultiXact = "name IN ('MultiXactMember', 'MultiXactOffset', 'multixact_member', 'multixact_offset')"
)

// On returns the expression for a major version; false if that does not count it.
func (i ServerMetricInfo) On(major int) (ServerExpr, bool) {
	var found ServerExpr
	for _, e := range i.Expr {
		if major >= e.Since {
			found = e
		}
	}
	return found, found.SQL != ""
}
