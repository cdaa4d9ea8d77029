-- one row per measuring function of pgstattuple that the role may call: whether it is for indexes, its schema
SELECT p.proname = 'pgstatindex', n.nspname
FROM pg_extension e
JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_proc p ON p.oid = d.objid
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE e.extname = 'pgstattuple'
  AND p.proname IN ('pgstattuple_approx', 'pgstatindex')
  AND p.pronargs = 1
  AND p.proargtypes[0] = 'regclass'::regtype
  AND has_function_privilege(p.oid, 'EXECUTE')
  AND has_schema_privilege(n.oid, 'USAGE')
