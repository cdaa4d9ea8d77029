-- the functions that planning could run: called by name ($1), by attribute notation ($2), behind operators ($3), in trusted bodies found before ($5), and behind views, policies, defaults, indexes, constraints, statistics and partition keys of the relations $6 and behind the types $7; only those that are not trusted (their owner no superuser and not among the roles $4), and trusted ones with a body to search
WITH RECURSIVE trusted AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper OR rolname = ANY ($4::text[])
), parts AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS classid, u.oid::pg_catalog.oid AS objid FROM pg_catalog.unnest($6::bigint[]) u(oid)
    UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, u.oid::pg_catalog.oid FROM pg_catalog.unnest($5::bigint[]) u(oid)
    UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, indexrelid FROM pg_catalog.pg_index WHERE indrelid = ANY ($6::bigint[]::oid[])
    UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, oid FROM pg_catalog.pg_constraint WHERE conrelid = ANY ($6::bigint[]::oid[])
    UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, oid FROM pg_catalog.pg_constraint WHERE contypid = ANY ($7::bigint[]::oid[])
    UNION ALL SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, oid FROM pg_catalog.pg_attrdef WHERE adrelid = ANY ($6::bigint[]::oid[])
    UNION ALL SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass, oid FROM pg_catalog.pg_rewrite WHERE ev_class = ANY ($6::bigint[]::oid[])
    UNION ALL SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, oid FROM pg_catalog.pg_policy WHERE polrelid = ANY ($6::bigint[]::oid[])
    UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid FROM pg_catalog.pg_statistic_ext WHERE stxrelid = ANY ($6::bigint[]::oid[])
), behind AS MATERIALIZED (
    SELECT d.refclassid, d.refobjid FROM parts p JOIN pg_catalog.pg_depend d ON d.classid = p.classid AND d.objid = p.objid
    WHERE d.refclassid IN ('pg_catalog.pg_operator'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass)
), operators AS (
    SELECT o.oid FROM pg_catalog.pg_operator o WHERE o.oprname = ANY ($3::text[])
    UNION
    SELECT b.refobjid FROM behind b WHERE b.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
    UNION
    SELECT x.oid FROM operators s JOIN pg_catalog.pg_operator o ON o.oid = s.oid
    CROSS JOIN LATERAL (VALUES (o.oprcom), (o.oprnegate)) x(oid) WHERE x.oid <> 0
), families AS (
    SELECT DISTINCT c.opcfamily AS oid FROM pg_catalog.pg_opclass c
    WHERE c.oid >= 16384 AND c.oid IN (
        SELECT pg_catalog.unnest(i.indclass) FROM pg_catalog.pg_index i WHERE i.indrelid = ANY ($6::bigint[]::oid[])
        UNION ALL
        SELECT pg_catalog.unnest(k.partclass) FROM pg_catalog.pg_partitioned_table k WHERE k.partrelid = ANY ($6::bigint[]::oid[])
    )
), calls AS (
    SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($1::text[])
    UNION
    SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_type t ON t.oid = p.proargtypes[0]
    WHERE p.proname = ANY ($2::text[]) AND p.pronargs >= 1 AND t.typtype IN ('c', 'p', 'd')
    UNION
    SELECT u.f FROM pg_catalog.pg_operator o
    CROSS JOIN LATERAL (VALUES (o.oprcode::pg_catalog.oid), (o.oprrest::pg_catalog.oid), (o.oprjoin::pg_catalog.oid)) u(f)
    WHERE o.oid IN (SELECT oid FROM operators)
    UNION
    SELECT b.refobjid FROM behind b WHERE b.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    UNION
    SELECT a.amproc FROM pg_catalog.pg_amproc a WHERE a.amprocfamily IN (SELECT oid FROM families)
    UNION
    SELECT c.castfunc FROM pg_catalog.pg_cast c WHERE c.castsource = ANY ($7::bigint[]::oid[]) OR c.casttarget = ANY ($7::bigint[]::oid[])
    UNION
    SELECT u.f FROM pg_catalog.pg_range r CROSS JOIN LATERAL (VALUES (r.rngsubdiff::pg_catalog.oid), (r.rngcanonical::pg_catalog.oid)) u(f)
    WHERE r.rngtypid = ANY ($7::bigint[]::oid[])
), suspects AS (
    SELECT p.*, p.proowner IN (SELECT oid FROM trusted) AS by_trusted
    FROM pg_catalog.pg_proc p
    WHERE p.oid = ANY (ARRAY(SELECT c.oid FROM calls c)) AND (p.oid >= 16384 OR p.proowner NOT IN (SELECT oid FROM trusted))
), functions AS (
    SELECT p.oid, n.nspname, p.proname, pg_catalog.pg_get_userbyid(p.proowner) AS owner, p.prosrc,
           l.lanname NOT IN ('c', 'internal') AS has_body,
           p.by_trusted OR l.lanname IN ('c', 'internal') AND EXISTS (
               SELECT 1 FROM pg_catalog.pg_depend d
               WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
           ) AS is_trusted
    FROM suspects p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
)
SELECT oid::bigint, nspname::text, proname::text, owner::text, is_trusted, CASE WHEN is_trusted THEN pg_catalog.left(prosrc, 65536) ELSE '' END
FROM functions
WHERE NOT is_trusted OR has_body
ORDER BY is_trusted, 2, 3
LIMIT 500
