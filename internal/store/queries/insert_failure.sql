-- adds a pass that failed
INSERT INTO passes (id, target, passed_at, failed, reason) VALUES ($1, $2, $3, true, $4)
