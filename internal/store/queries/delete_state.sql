-- forgets what a stage remembered
DELETE FROM states WHERE server_id = $1 AND name = $2
