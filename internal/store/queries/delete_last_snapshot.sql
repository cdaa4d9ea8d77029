-- forgets what the next pass would be compared with
DELETE FROM last_snapshots WHERE server_id = $1
