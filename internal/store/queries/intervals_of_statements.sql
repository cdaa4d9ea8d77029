-- the intervals of some statements in a window
SELECT i.statement_id, i.pass_id, i.start_at, i.end_at, i.flags, :i.metrics
FROM :intervals i WHERE i.statement_id IN (:ids) AND i.end_at >= $1 AND i.end_at < $2
