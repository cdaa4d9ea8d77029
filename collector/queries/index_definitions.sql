-- one row per index of the tables $1 (all if NULL): definition and predicate, NULL where reading them would wait
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation
    FROM pg_locks
    WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT i.indexrelid,
       i.indrelid,
       CASE WHEN l.relation IS NULL AND li.relation IS NULL THEN pg_get_indexdef(i.indexrelid) END,
       CASE WHEN i.indpred IS NULL THEN ''
            WHEN l.relation IS NULL THEN pg_get_expr(i.indpred, i.indrelid) END,
       i.indnkeyatts::int,
       COALESCE(k.conname, '')
FROM pg_index i
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN locked l ON l.relation = i.indrelid
LEFT JOIN locked li ON li.relation = i.indexrelid
WHERE t.relkind IN ('r', 'p', 'm')
  AND t.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND ($1::bigint[] IS NULL OR i.indrelid = ANY ($1::bigint[]::oid[]))
ORDER BY i.indexrelid
