-- the lives of a server's counters that the passes of a window saw begin; one in force outlives its pass
SELECT i.kind, i.since, i.proof, COALESCE(p.passed_at, i.since)
FROM incarnations i LEFT JOIN passes p ON p.id = i.pass_id
WHERE i.server_id = $1 AND COALESCE(p.passed_at, i.since) >= $2 AND COALESCE(p.passed_at, i.since) < $3
ORDER BY 4, i.kind, i.since, i.proof
