-- what the tables and indexes of a server did in a window
SELECT pass_id, dbid, relid, start_at, end_at, flags, :relation_metrics
FROM relation_intervals WHERE server_id = $1 AND end_at >= $2 AND end_at < $3 ORDER BY pass_id, dbid, relid
