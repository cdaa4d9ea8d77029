-- one row per index: state and counters
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
       c.relkind = 'I',
       c.relpages,
       c.reltuples,
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
WHERE t.relkind IN ('r', 'p', 'm')
  AND t.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY i.indexrelid
