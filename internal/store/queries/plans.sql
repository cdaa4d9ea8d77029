-- the plans of a server that were seen in a window
SELECT dbid, fingerprint, first_seen, last_seen, body FROM plans
WHERE server_id = $1 AND last_seen >= $2 AND first_seen < $3 ORDER BY first_seen, last_seen, dbid, fingerprint, source, hash
