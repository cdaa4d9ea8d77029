-- makes room for new names
DELETE FROM relations WHERE server_id = $1 AND dbid = $2 AND relid IN (:ids)
