-- one row per piece of maintenance under way: what, on which table, how far (blocks; of copy and base backup bytes)
SELECT 'vacuum', pid, datid, relid, phase, heap_blks_scanned::float8, heap_blks_total::float8
FROM pg_stat_progress_vacuum
UNION ALL
SELECT 'analyze', pid, datid, relid, phase, sample_blks_scanned, sample_blks_total
FROM pg_stat_progress_analyze
UNION ALL
SELECT 'create index', pid, datid, relid, phase, blocks_done, blocks_total
FROM pg_stat_progress_create_index
UNION ALL
SELECT 'cluster', pid, datid, relid, phase, heap_blks_scanned, heap_blks_total
FROM pg_stat_progress_cluster
UNION ALL
SELECT 'copy', pid, datid, relid, lower(command), bytes_processed, bytes_total
FROM pg_stat_progress_copy
UNION ALL
SELECT 'base backup', pid, 0, 0, phase, backup_streamed, COALESCE(backup_total, 0)
FROM pg_stat_progress_basebackup
