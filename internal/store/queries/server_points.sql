-- what a server did in a window, and how it stood
SELECT start_at, end_at, flags, state, :server_metrics
FROM server_points WHERE server_id = $1 AND end_at >= $2 AND end_at < $3 ORDER BY pass_id
