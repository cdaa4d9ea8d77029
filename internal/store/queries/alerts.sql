-- the alerts that a filter lets through, those that lived within a window, newest first
SELECT id, body FROM alerts
WHERE ($1 = CAST(0 AS bigint) OR id = $1) AND ($2 = CAST(0 AS bigint) OR server_id = $2)
    AND ($3 = CAST('' AS text) OR target = $3) AND (live OR NOT CAST($4 AS boolean))
    AND (closed IS NULL OR closed >= $5) AND opened < $6
ORDER BY opened DESC, id DESC
