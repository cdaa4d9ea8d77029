-- the activity of a server in a window
SELECT sampled_at, body FROM session_samples WHERE server_id = $1 AND sampled_at >= $2 AND sampled_at < $3 ORDER BY pass_id
