-- one row: the server's clock; extension 1.8 tells neither evictions nor resets
SELECT clock_timestamp(), NULL::bigint, NULL::timestamptz, current_setting('pg_stat_statements.max', true)
