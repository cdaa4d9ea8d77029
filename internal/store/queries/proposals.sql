-- the proposals that a filter lets through, newest first, those of one moment as they were ranked
SELECT id, body FROM proposals
WHERE ($1 = CAST(0 AS bigint) OR id = $1) AND ($2 = CAST(0 AS bigint) OR server_id = $2) AND ($3 = CAST(0 AS bigint) OR alert_id = $3) AND drafted >= $4 AND drafted < $5
ORDER BY drafted DESC, id
