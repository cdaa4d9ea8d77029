-- all servers, oldest first
SELECT id, cluster_id, target, timeline, version, postmaster_start, in_recovery, first_seen, last_seen
FROM servers ORDER BY id
