-- one row per role of $1: its name
SELECT oid, rolname FROM pg_roles WHERE oid = ANY ($1::bigint[]::oid[])
