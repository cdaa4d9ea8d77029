-- one row per constraint of the tables $1 (all if NULL): definition, NULL where reading it would wait
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation
    FROM pg_locks
    WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT k.conrelid,
       k.conname,
       k.contype::text,
       CASE WHEN l.relation IS NULL AND lf.relation IS NULL THEN pg_get_constraintdef(k.oid) END,
       k.convalidated,
       k.confrelid
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_constraint up ON up.oid = k.conparentid
LEFT JOIN locked l ON l.relation = k.conrelid
LEFT JOIN locked lf ON lf.relation = k.confrelid
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
  AND up.conrelid IS DISTINCT FROM k.conrelid
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND ($1::bigint[] IS NULL OR k.conrelid = ANY ($1::bigint[]::oid[]))
ORDER BY k.conrelid, k.conname
