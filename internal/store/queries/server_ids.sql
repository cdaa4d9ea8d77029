-- the ids of all servers
SELECT id FROM servers ORDER BY id
