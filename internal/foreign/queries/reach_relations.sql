-- the relations outside of the system's schemas that bear one of the names $1, with what they inherit from and are parents of, and what stands behind views; whether each is a foreign table or has row security
WITH RECURSIVE reached AS (
    SELECT c.oid FROM pg_catalog.pg_class c
    WHERE c.relname = ANY ($1::text[]) AND c.relnamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)
    UNION
    SELECT x.oid FROM reached r
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = r.oid
        UNION ALL
        SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = r.oid
        UNION ALL
        SELECT d.refobjid FROM pg_catalog.pg_rewrite w
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
         AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        WHERE w.ev_class = r.oid
    ) x
)
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind = 'f', c.relrowsecurity
FROM reached r
JOIN pg_catalog.pg_class c ON c.oid = r.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
