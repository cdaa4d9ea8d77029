-- the sizes of the tables and indexes of a server in a window
SELECT dbid, relid, measured_at, pages, live, dead, bloat_share, bloat_bytes, bloat_method, bloat_error
FROM relation_sizes WHERE server_id = $1 AND measured_at >= $2 AND measured_at < $3 ORDER BY pass_id
