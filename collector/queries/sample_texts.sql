-- one row per session of $1: what tells its text apart, and the text
SELECT a.datid,
       a.query_id,
       CASE WHEN a.query_id IS NULL THEN hashtextextended(a.query, 0) END,
       a.query
FROM pg_stat_get_activity(NULL) a
WHERE a.pid = ANY ($1::int[])
