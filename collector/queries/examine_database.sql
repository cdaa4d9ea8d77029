-- one row: which of the extensions $1 could be installed here; tables, those our role may not read, those it may write; whether it may measure bloat
SELECT ARRAY(SELECT e.name::text FROM pg_available_extensions e WHERE e.name = ANY ($1::text[]) ORDER BY e.name),
       count(*),
       count(*) FILTER (WHERE NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, 'SELECT')),
       count(*) FILTER (WHERE has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')),
       EXISTS (SELECT
               FROM pg_extension e
               JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                               AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
               JOIN pg_proc p ON p.oid = d.objid
               WHERE e.extname = 'pgstattuple' AND p.proname = 'pgstattuple_approx' AND has_function_privilege(p.oid, 'EXECUTE'))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm')
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
