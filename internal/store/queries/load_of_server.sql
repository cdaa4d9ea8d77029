-- what all top-level statements of a server cost in a window, ms
SELECT coalesce(sum(i.exec_ms), 0) + coalesce(sum(i.plan_ms), 0)
FROM :intervals i JOIN statements s ON s.id = i.statement_id
WHERE i.server_id = $1 AND i.end_at >= $2 AND i.end_at < $3 AND s.toplevel
