-- the types that are not the system's, of the columns of the relations $1, named by $2, or returned by the functions $3, with what they are made of
WITH RECURSIVE reached AS (
    SELECT a.atttypid AS oid FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY ($1::bigint[]::oid[]) AND a.attnum > 0 AND a.atttypid >= 16384
    UNION
    SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typname = ANY ($2::text[]) AND t.oid >= 16384
    UNION
    SELECT p.prorettype FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($3::text[]) AND p.prorettype >= 16384
    UNION
    SELECT x.oid FROM reached s
    CROSS JOIN LATERAL (
        SELECT u.oid FROM pg_catalog.pg_type t CROSS JOIN LATERAL (VALUES (t.typelem), (t.typbasetype)) u(oid) WHERE t.oid = s.oid
        UNION ALL
        SELECT a.atttypid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid
        WHERE t.oid = s.oid AND t.typrelid <> 0 AND a.attnum > 0
        UNION ALL
        SELECT u.oid FROM pg_catalog.pg_range r CROSS JOIN LATERAL (VALUES (r.rngsubtype), (r.rngtypid)) u(oid)
        WHERE r.rngtypid = s.oid OR r.rngmultitypid = s.oid
    ) x
    WHERE x.oid >= 16384
)
SELECT oid::bigint FROM reached
