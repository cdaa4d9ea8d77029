-- one row per sequence that nobody alters: its bounds, the column that it numbers, its last number where we may read it
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation
    FROM pg_locks
    WHERE mode IN ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock') AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT c.oid,
       n.nspname::text,
       c.relname::text,
       COALESCE(tn.nspname || '.' || t.relname, ''),
       COALESCE(a.attname::text, ''),
       format_type(COALESCE(a.atttypid, s.seqtypid), NULL),
       s.seqmin,
       s.seqmax,
       s.seqincrement,
       s.seqcycle,
       CASE COALESCE(a.atttypid, s.seqtypid)
            WHEN 'int2'::regtype THEN 32767
            WHEN 'int4'::regtype THEN 2147483647
            ELSE 9223372036854775807 END,
       CASE WHEN l.relation IS NULL AND has_sequence_privilege(c.oid, 'SELECT,USAGE')
                 AND (c.relpersistence = 'p' OR NOT pg_is_in_recovery())
            THEN pg_sequence_last_value(c.oid) END,
       has_sequence_privilege(c.oid, 'SELECT,USAGE')
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                     AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class t ON t.oid = d.refobjid
LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
LEFT JOIN locked l ON l.relation = c.oid
WHERE c.relpersistence <> 't'
ORDER BY c.oid
