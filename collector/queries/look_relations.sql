-- one row per relation of $1 that this database has: oid, schema, name
SELECT c.oid, n.nspname::text, c.relname::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::bigint[]::oid[])
