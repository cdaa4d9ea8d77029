package collector

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// settingNames are the settings that may explain a regression, or that advice
// is about.
var settingNames = []string{
	"autovacuum", "autovacuum_analyze_scale_factor", "autovacuum_analyze_threshold", "autovacuum_freeze_max_age",
	"autovacuum_max_workers", "autovacuum_naptime", "autovacuum_vacuum_cost_delay", "autovacuum_vacuum_cost_limit",
	"autovacuum_vacuum_insert_scale_factor", "autovacuum_vacuum_scale_factor", "autovacuum_vacuum_threshold",
	"autovacuum_work_mem", "bgwriter_lru_maxpages", "block_size", "checkpoint_completion_target", "checkpoint_timeout",
	"compute_query_id", "constraint_exclusion", "cpu_index_tuple_cost", "cpu_operator_cost", "cpu_tuple_cost",
	"cursor_tuple_fraction", "data_checksums", "deadlock_timeout", "default_statistics_target",
	"default_transaction_isolation", "effective_cache_size", "effective_io_concurrency", "enable_async_append",
	"enable_bitmapscan", "enable_gathermerge", "enable_hashagg", "enable_hashjoin", "enable_incremental_sort",
	"enable_indexonlyscan", "enable_indexscan", "enable_material", "enable_memoize", "enable_mergejoin",
	"enable_nestloop", "enable_parallel_append", "enable_parallel_hash", "enable_partition_pruning",
	"enable_partitionwise_aggregate", "enable_partitionwise_join", "enable_seqscan", "enable_sort", "enable_tidscan",
	"fillfactor", "from_collapse_limit", "fsync", "full_page_writes", "geqo", "geqo_threshold", "hash_mem_multiplier",
	"hot_standby_feedback", "huge_pages", "idle_in_transaction_session_timeout", "idle_session_timeout", "io_method",
	"io_workers", "jit", "jit_above_cost", "jit_inline_above_cost", "jit_optimize_above_cost", "join_collapse_limit",
	"lc_messages", "lock_timeout", "log_destination", "log_line_prefix", "log_lock_waits", "log_min_duration_statement", "log_temp_files", "log_timezone", "maintenance_work_mem",
	"max_connections", "max_parallel_maintenance_workers", "max_parallel_workers", "max_parallel_workers_per_gather",
	"max_prepared_transactions", "max_standby_streaming_delay", "max_wal_size", "max_worker_processes",
	"min_parallel_index_scan_size", "min_parallel_table_scan_size", "min_wal_size", "parallel_setup_cost",
	"parallel_tuple_cost", "pg_stat_statements.max", "pg_stat_statements.save", "pg_stat_statements.track",
	"pg_stat_statements.track_planning", "pg_stat_statements.track_utility", "plan_cache_mode", "random_page_cost",
	"recursive_worktable_factor", "reserved_connections", "seq_page_cost", "server_version", "shared_buffers",
	"statement_timeout", "superuser_reserved_connections", "synchronous_commit", "temp_buffers", "temp_file_limit",
	"track_activity_query_size", "track_counts", "track_functions", "track_io_timing", "track_wal_io_timing",
	"transaction_timeout", "vacuum_buffer_usage_limit", "vacuum_cost_delay", "vacuum_cost_limit", "wal_buffers",
	"wal_compression", "wal_level", "work_mem",
}

// overrides are settings of databases and roles; those that our own session is
// under hide what the server gives to others.
type override struct {
	pgvigil.Setting
	ours bool
}

// readSettings reads the settings that new sessions get, and what databases
// and roles override.
func (p *pass) readSettings(ctx context.Context) error {
	rows, err := p.conn.Query(ctx, load("scoped_settings"), settingNames)
	if err != nil {
		return err
	}
	overrides, err := pgx.CollectRows(rows, scanOverride)
	if err != nil {
		return err
	}
	if rows, err = p.conn.Query(ctx, load("settings"), settingNames); err != nil {
		return err
	}
	server, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s pgvigil.Setting, err error) {
		err = row.Scan(&s.Name, &s.Value, &s.Unit, &s.Source, &s.Pending)
		return s, err
	})
	if err != nil {
		return err
	}
	for _, s := range server {
		hidden := slices.ContainsFunc(overrides, func(o override) bool { return o.ours && o.Name == s.Name })
		if !hidden {
			p.snap.Settings = append(p.snap.Settings, s)
		}
	}
	for _, o := range overrides {
		p.snap.Settings = append(p.snap.Settings, o.Setting)
	}
	p.warnSettings(server)
	return nil
}

func scanOverride(row pgx.CollectableRow) (override, error) {
	var o override
	var database, role string
	err := row.Scan(&o.Name, &o.Value, &database, &role, &o.ours)
	switch {
	case database != "" && role != "":
		o.Scope, o.Source = "database="+database+" role="+role, "database user"
	case database != "":
		o.Scope, o.Source = "database="+database, "database"
	default:
		o.Scope, o.Source = "role="+role, "user"
	}
	return o, err
}

// warnSettings names settings without which the counters are blind.
func (p *pass) warnSettings(server []pgvigil.Setting) {
	if !p.snap.Statements.OK {
		return
	}
	for _, s := range server {
		switch {
		case s.Name == "compute_query_id" && s.Value == "off":
			p.warn("query-ids-off", "compute_query_id is off, so no statement is counted", "ALTER SYSTEM SET compute_query_id = auto")
		case s.Name == "pg_stat_statements.track" && s.Value == "none":
			p.warn("tracking-off", "pg_stat_statements.track is none, so no statement is counted", "ALTER SYSTEM SET pg_stat_statements.track = top")
		}
	}
}
