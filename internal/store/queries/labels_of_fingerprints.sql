-- the statements of a server that bear some fingerprints
SELECT id, userid, dbid, queryid, toplevel, fingerprint, algorithm, method FROM statements
WHERE server_id = $1 AND fingerprint IN (:ids)
