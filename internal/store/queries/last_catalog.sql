-- the catalog and settings of a server as last read
SELECT catalog FROM last_snapshots WHERE server_id = $1
