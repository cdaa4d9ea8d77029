-- adds a proposal
INSERT INTO proposals (id, server_id, target, alert_id, kind, state, drafted, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
