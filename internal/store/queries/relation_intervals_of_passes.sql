-- what the tables and indexes of a server did in some successive passes
SELECT pass_id, dbid, relid, start_at, end_at, flags, :relation_metrics
FROM relation_intervals WHERE server_id = $1 AND pass_id >= $2 AND pass_id <= $3 ORDER BY pass_id, dbid, relid
