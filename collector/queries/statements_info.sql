-- one row: the server's clock, evictions, the last reset and the limit of entries
SELECT clock_timestamp(), i.dealloc, i.stats_reset, current_setting('pg_stat_statements.max', true)
FROM :schema.pg_stat_statements_info i
