-- one row per client backend and autovacuum worker but our own
SELECT a.pid,
       COALESCE(a.datid, 0),
       COALESCE(a.usesysid, 0),
       COALESCE(a.usename, ''),
       COALESCE(a.application_name, ''),
       COALESCE(a.state, ''),
       COALESCE(a.wait_event_type, ''),
       COALESCE(a.wait_event, ''),
       COALESCE(a.query_id, 0),
       COALESCE(a.query, ''),
       COALESCE(a.backend_type, ''),
       a.xact_start,
       a.query_start,
       a.state_change,
       a.backend_start,
       COALESCE(age(a.backend_xmin), 0),
       COALESCE(a.application_name = 'pgvigil' AND a.usename = current_user, false)
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid()
  AND COALESCE(a.backend_type, 'client backend') IN ('client backend', 'autovacuum worker')
ORDER BY a.pid
