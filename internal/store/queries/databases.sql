-- the databases of a server
SELECT dbid, name FROM databases WHERE server_id = $1
