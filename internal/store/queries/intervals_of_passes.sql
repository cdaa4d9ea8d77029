-- the intervals of some successive passes of a server
SELECT i.statement_id, i.pass_id, i.start_at, i.end_at, i.flags, :i.metrics
FROM :intervals i WHERE i.server_id = $1 AND i.pass_id >= $2 AND i.pass_id <= $3 AND i.end_at >= $4 AND i.end_at <= $5
