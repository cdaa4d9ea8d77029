-- one row per partitioned table or partition among $1 (all if NULL): key and bound, NULL where reading them would wait
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation
    FROM pg_locks
    WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT c.oid,
       CASE WHEN c.relkind <> 'p' THEN '' WHEN l.relation IS NULL THEN pg_get_partkeydef(c.oid) END,
       CASE WHEN NOT c.relispartition THEN '' WHEN l.relation IS NULL THEN pg_get_expr(c.relpartbound, c.oid) END
FROM pg_class c
LEFT JOIN locked l ON l.relation = c.oid
WHERE c.relkind IN ('r', 'p')
  AND (c.relkind = 'p' OR c.relispartition)
  AND c.relpersistence <> 't'
  AND ($1::bigint[] IS NULL OR c.oid = ANY ($1::bigint[]::oid[]))
ORDER BY c.oid
