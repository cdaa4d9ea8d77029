-- what the next pass of a server is compared with
SELECT pass_id, counters, catalog FROM last_snapshots WHERE server_id = $1
