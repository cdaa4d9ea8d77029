-- remembers something for a stage
INSERT INTO states (server_id, name, body) VALUES ($1, $2, $3)
