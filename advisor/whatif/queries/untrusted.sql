-- What planning could run that belongs to a role that is not trusted: functions called by name ($1), by attribute
-- notation ($2), behind operators ($3), and behind views, policies, defaults, indexes, constraints, statistics and
-- column types of the relations named ($2), partitions and children included. Trusted are superusers and the roles $4.
WITH RECURSIVE trusted AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper OR rolname = ANY ($4::text[])
), named AS (
    SELECT c.oid FROM pg_catalog.pg_class c
    WHERE c.relname = ANY ($2::text[]) AND c.relnamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)
), relations AS (
    SELECT oid FROM named
    UNION
    SELECT x.oid FROM relations r
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = r.oid
        UNION ALL
        SELECT d.refobjid FROM pg_catalog.pg_rewrite w
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
         AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        WHERE w.ev_class = r.oid
    ) x
), parts AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS classid, oid AS objid FROM relations
    UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, indexrelid FROM pg_catalog.pg_index WHERE indrelid IN (SELECT oid FROM relations)
    UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, oid FROM pg_catalog.pg_constraint WHERE conrelid IN (SELECT oid FROM relations)
    UNION ALL SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, oid FROM pg_catalog.pg_attrdef WHERE adrelid IN (SELECT oid FROM relations)
    UNION ALL SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass, oid FROM pg_catalog.pg_rewrite WHERE ev_class IN (SELECT oid FROM relations)
    UNION ALL SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, oid FROM pg_catalog.pg_policy WHERE polrelid IN (SELECT oid FROM relations)
    UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid FROM pg_catalog.pg_statistic_ext WHERE stxrelid IN (SELECT oid FROM relations)
), behind AS (
    SELECT d.refobjid AS oid FROM parts p JOIN pg_catalog.pg_depend d ON d.classid = p.classid AND d.objid = p.objid
    WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    UNION
    SELECT o.oprcode FROM parts p
    JOIN pg_catalog.pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
    JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid
), types AS (
    SELECT DISTINCT a.atttypid AS oid FROM pg_catalog.pg_attribute a WHERE a.attrelid IN (SELECT oid FROM relations) AND a.attnum > 0 AND a.atttypid > 0
    UNION
    SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typname = ANY ($2::text[]) AND t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace
), calls AS (
    SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($1::text[])
    UNION
    SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_type t ON t.oid = p.proargtypes[0]
    WHERE p.proname = ANY ($2::text[]) AND p.pronargs = 1 AND t.typrelid <> 0
    UNION
    SELECT u.f FROM pg_catalog.pg_operator o CROSS JOIN LATERAL (VALUES (o.oprcode::oid), (o.oprrest::oid), (o.oprjoin::oid)) u(f) WHERE o.oprname = ANY ($3::text[])
    UNION
    SELECT oid FROM behind
    UNION
    SELECT c.castfunc FROM pg_catalog.pg_cast c WHERE c.castsource IN (SELECT oid FROM types) OR c.casttarget IN (SELECT oid FROM types)
    UNION
    SELECT r.rngsubdiff FROM pg_catalog.pg_range r WHERE r.rngtypid IN (SELECT oid FROM types)
    UNION
    SELECT r.rngcanonical FROM pg_catalog.pg_range r WHERE r.rngtypid IN (SELECT oid FROM types)
)
SELECT n.nspname::text, p.proname::text, pg_catalog.pg_get_userbyid(p.proowner)::text
FROM calls c
JOIN pg_catalog.pg_proc p ON p.oid = c.oid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.proowner NOT IN (SELECT oid FROM trusted)
ORDER BY 1, 2
LIMIT 1
