-- What the swap would leave behind on the old table: identity columns, views, triggers, policies, incoming foreign keys, publications, grants.
SELECT 'identity column' AS what, a.attname::text AS name FROM pg_attribute a
WHERE a.attrelid = %[1]s::regclass AND a.attidentity <> ''
UNION ALL SELECT 'view', d.classid::regclass::text || ' ' || w.ev_class::regclass::text
FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid
WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = %[1]s::regclass AND w.ev_class <> %[1]s::regclass
UNION ALL SELECT 'trigger', tgname::text FROM pg_trigger WHERE tgrelid = %[1]s::regclass AND NOT tgisinternal
UNION ALL SELECT 'policy', polname::text FROM pg_policy WHERE polrelid = %[1]s::regclass
UNION ALL SELECT 'foreign key', conname::text FROM pg_constraint WHERE confrelid = %[1]s::regclass
UNION ALL SELECT 'publication', p.pubname::text FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = %[1]s::regclass
UNION ALL SELECT 'grants', relacl::text FROM pg_class WHERE oid = %[1]s::regclass AND relacl IS NOT NULL
UNION ALL SELECT 'owned sequence', d.objid::regclass::text FROM pg_depend d
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %[1]s::regclass AND d.deptype = 'a' AND d.refobjsubid > 0
