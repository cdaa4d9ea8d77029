-- adds an alert
INSERT INTO alerts (id, server_id, target, state, live, severity, fingerprint, opened, updated, closed, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
