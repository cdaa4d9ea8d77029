-- the tables and indexes of a server by their last names
SELECT dbid, relid, kind, schema_name, name, COALESCE(parent, 0) FROM relations WHERE server_id = $1
