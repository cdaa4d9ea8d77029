-- the target of a server
SELECT target FROM servers WHERE id = $1
