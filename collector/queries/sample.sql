-- one row per session that is not idle, or that ended a call after $1; last, with pid 0, the clock and when the query began
SELECT a.pid,
       a.datid,
       a.usesysid,
       a.application_name,
       a.state,
       a.wait_event_type,
       a.wait_event,
       a.query_id,
       CASE WHEN a.query_id IS NULL THEN hashtextextended(a.query, 0) END,
       a.xact_start,
       a.query_start,
       a.state_change,
       a.backend_type
FROM pg_stat_get_activity(NULL) a
WHERE a.state <> 'idle' OR a.state_change > $1::timestamptz
UNION ALL
SELECT 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, statement_timestamp(), clock_timestamp(), NULL
