-- one row per waiting backend and one that blocks it; a row lock's relation is the one whose tuple the waiter holds
SELECT w.pid,
       b.pid,
       w.mode,
       w.locktype,
       COALESCE(w.database, t.database, 0),
       COALESCE(w.relation, t.relation, 0),
       w.waitstart
FROM pg_locks w
CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) b(pid)
LEFT JOIN LATERAL (
    SELECT h.database, h.relation
    FROM pg_locks h
    WHERE h.pid = w.pid AND h.granted AND h.locktype = 'tuple'
    LIMIT 1
) t ON w.relation IS NULL
WHERE NOT w.granted
ORDER BY w.pid, b.pid
