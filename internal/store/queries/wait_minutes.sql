-- the minutes of sampling that overlap a window
SELECT minute, samples, cost_ms, body FROM wait_minutes
WHERE server_id = $1 AND minute > $2 AND minute < $3 ORDER BY minute, pass_id
