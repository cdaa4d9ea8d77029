-- one row per entry without its text: key, when it was entered (seconds), and the counters that the extension has
SELECT userid, dbid, queryid, :toplevel, :since, :metrics
FROM :schema.pg_stat_statements(false)
