-- adds a server
INSERT INTO servers (id, cluster_id, target, timeline, version, postmaster_start, in_recovery, first_seen, last_seen)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
