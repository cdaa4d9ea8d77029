-- the intervals of all statements of a server in a window
SELECT i.statement_id, i.pass_id, i.start_at, i.end_at, i.flags, :i.metrics
FROM :intervals i WHERE i.server_id = $1 AND i.end_at >= $2 AND i.end_at < $3
