-- what each series cost in a window, dearest first
SELECT s.dbid, s.fingerprint, :sums
FROM :intervals i JOIN statements s ON s.id = i.statement_id
WHERE i.server_id = $1 AND i.end_at >= $2 AND i.end_at < $3
GROUP BY s.dbid, s.fingerprint
ORDER BY coalesce(sum(i.exec_ms), 0) + coalesce(sum(i.plan_ms), 0) DESC, s.dbid, s.fingerprint
LIMIT $4
