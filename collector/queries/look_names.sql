-- one row per database (true) and per role that has a session: its oid and name
SELECT true, d.oid, d.datname::text
FROM pg_database d
UNION ALL
SELECT false, r.oid, r.rolname::text
FROM pg_roles r
WHERE r.oid IN (SELECT usesysid FROM pg_stat_get_activity(NULL) WHERE usesysid IS NOT NULL)
