-- notes what a server is now
UPDATE servers SET timeline = $2, version = $3, postmaster_start = $4, in_recovery = $5, last_seen = $6 WHERE id = $1
