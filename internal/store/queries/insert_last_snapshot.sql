-- what the next pass will be compared with
INSERT INTO last_snapshots (server_id, pass_id, counters, catalog) VALUES ($1, $2, $3, $4)
