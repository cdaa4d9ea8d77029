-- notes a new name
UPDATE databases SET name = $3 WHERE server_id = $1 AND dbid = $2
