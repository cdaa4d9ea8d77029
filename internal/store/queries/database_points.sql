-- what the databases of a server did in a window
SELECT dbid, start_at, end_at, :database_metrics, backends, size_bytes, xid_age, multixact_age, reset_at
FROM database_points WHERE server_id = $1 AND end_at >= $2 AND end_at < $3 ORDER BY pass_id, dbid
