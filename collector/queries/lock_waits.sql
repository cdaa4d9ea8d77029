-- one row per backend that waits for a lock (the $1 that wait longest) and one that blocks it; a row lock's relation is the one whose tuple the waiter holds
WITH l AS MATERIALIZED (
    SELECT pid, mode, locktype, database, relation, waitstart, granted
    FROM pg_locks
    WHERE NOT granted OR locktype = 'tuple'
), w AS MATERIALIZED (
    SELECT * FROM l WHERE NOT granted ORDER BY waitstart, pid LIMIT $1::bigint
)
SELECT w.pid,
       b.pid,
       w.mode,
       w.locktype,
       COALESCE(w.database, t.database, 0),
       COALESCE(w.relation, t.relation, 0),
       w.waitstart
FROM w
CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) b(pid)
LEFT JOIN LATERAL (
    SELECT h.database, h.relation
    FROM l h
    WHERE h.pid = w.pid AND h.granted
    LIMIT 1
) t ON w.relation IS NULL
ORDER BY w.pid, b.pid
