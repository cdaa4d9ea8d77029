-- The schema of the operator class named $1 for the access method $2, no row if there is none.
SELECT n.nspname::text
FROM pg_catalog.pg_opclass o
JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
JOIN pg_catalog.pg_am a ON a.oid = o.opcmethod
WHERE o.opcname = $1 AND a.amname = $2
ORDER BY n.nspname
LIMIT 1
