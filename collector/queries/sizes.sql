-- one row per relation of $1 that is still there and not locked exclusively: its file's length in bytes
WITH locked AS MATERIALIZED (
    SELECT relation
    FROM pg_locks
    WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT w.id, pg_relation_size(w.id::oid)
FROM unnest($1::bigint[]) w(id)
JOIN pg_class c ON c.oid = w.id::oid
WHERE NOT EXISTS (SELECT FROM locked l WHERE l.relation = c.oid)
