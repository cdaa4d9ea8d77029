-- the id of a server
SELECT id FROM servers WHERE cluster_id = $1 AND target = $2
