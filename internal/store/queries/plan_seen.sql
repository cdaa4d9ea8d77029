-- a plan was seen again
UPDATE plans SET last_seen = $7, body = $8
WHERE server_id = $1 AND dbid = $2 AND fingerprint = $3 AND source = $4 AND hash = $5 AND first_seen = $6
