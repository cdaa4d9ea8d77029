-- one row per process of $1, with the age of its snapshot; and one per process of $1 that another waits for, which is told to stop
WITH a AS MATERIALIZED (
    SELECT pid, backend_xmin, wait_event_type, application_name
    FROM pg_stat_get_activity(NULL)
    WHERE wait_event_type = 'Lock' OR pid = ANY ($1::int[])
), waiter AS MATERIALIZED (
    SELECT b.pid, min(a.pid) AS waiter, min(a.application_name) AS application
    FROM a
    CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) b(pid)
    WHERE a.wait_event_type = 'Lock' AND b.pid = ANY ($1::int[])
    GROUP BY b.pid
)
SELECT pid, COALESCE(age(backend_xmin), 0), 0, '' FROM a WHERE pid = ANY ($1::int[])
UNION ALL
SELECT pid, 0, CASE WHEN pg_cancel_backend(pid) THEN waiter ELSE 0 END, COALESCE(application, '') FROM waiter
