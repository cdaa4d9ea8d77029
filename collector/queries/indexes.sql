-- one row per index: state, file size if $1 and nobody locks it or its table, counters
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation
    FROM pg_locks
    WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT i.indexrelid,
       i.indrelid,
       n.nspname,
       c.relname,
       t.relname,
       am.amname,
       i.indisunique,
       i.indisprimary,
       i.indisvalid AND i.indisready AND i.indislive,
       COALESCE(h.inhparent, 0),
       c.relpages,
       c.reltuples,
       CASE WHEN $1::bool AND c.relkind = 'i' AND l.relation IS NULL AND lt.relation IS NULL
            THEN pg_relation_size(c.oid) END,
       COALESCE(c.reloptions, '{}'),
       pg_stat_get_numscans(c.oid)::float8,
       pg_stat_get_tuples_returned(c.oid)::float8,
       pg_stat_get_tuples_fetched(c.oid)::float8,
       pg_stat_get_blocks_fetched(c.oid)::float8,
       pg_stat_get_blocks_hit(c.oid)::float8
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid AND c.relispartition
LEFT JOIN locked l ON l.relation = c.oid
LEFT JOIN locked lt ON lt.relation = t.oid
WHERE t.relkind IN ('r', 'p', 'm')
  AND t.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY i.indexrelid
