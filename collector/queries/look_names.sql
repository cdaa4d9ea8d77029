-- one row per database: its oid and name
SELECT d.oid, d.datname::text
FROM pg_database d
