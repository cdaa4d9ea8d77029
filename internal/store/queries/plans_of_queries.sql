-- the plans of some queries of a server
SELECT dbid, fingerprint, first_seen, last_seen, body FROM plans
WHERE server_id = $1 AND fingerprint IN (:ids) ORDER BY first_seen, last_seen, dbid, fingerprint, source, hash
