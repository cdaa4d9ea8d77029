-- the statements of a server with their labels
SELECT id, userid, dbid, queryid, toplevel, fingerprint, algorithm, method FROM statements WHERE server_id = $1
