-- what a stage remembers of a server
SELECT body FROM states WHERE server_id = $1 AND name = $2
