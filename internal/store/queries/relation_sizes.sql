-- the sizes of the tables and indexes of a server in a window, and the last of each before it
SELECT dbid, relid, measured_at, pages, live, dead, bloat_share, bloat_bytes, bloat_method, bloat_error
FROM (
	SELECT *, row_number() OVER (PARTITION BY dbid, relid, measured_at < $2 ORDER BY pass_id DESC) AS age
	FROM relation_sizes WHERE server_id = $1 AND measured_at < $3
) AS sized
WHERE measured_at >= $2 OR age = 1
ORDER BY pass_id
