-- one row per index column of the tables $1 (all if NULL): column or expression, layout, statistics of expressions
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation
    FROM pg_locks
    WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT i.indexrelid,
       a.attnum::int,
       i.indkey[a.attnum - 1]::int,
       COALESCE(ta.attname::text,
                CASE WHEN l.relation IS NULL AND li.relation IS NULL
                     THEN pg_get_indexdef(i.indexrelid, a.attnum, false) END,
                ''),
       a.attlen::int,
       a.attalign::text,
       EXISTS (SELECT FROM pg_amproc p
               WHERE p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype
                 AND p.amprocrighttype = o.opcintype AND p.amprocnum = 4)
           AND COALESCE(k.collisdeterministic, true),
       s.avg_width,
       s.null_frac::float8,
       s.n_distinct::float8
FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum > 0
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_attribute ta ON ta.attrelid = i.indrelid AND ta.attnum = i.indkey[a.attnum - 1] AND ta.attnum > 0
LEFT JOIN pg_opclass o ON a.attnum <= i.indnkeyatts AND o.oid = i.indclass[a.attnum - 1]
LEFT JOIN pg_collation k ON a.attnum <= i.indnkeyatts AND k.oid = i.indcollation[a.attnum - 1]
LEFT JOIN pg_stats s ON i.indkey[a.attnum - 1] = 0 AND s.schemaname = n.nspname
                    AND s.tablename = c.relname AND s.attname = a.attname
LEFT JOIN locked l ON l.relation = i.indrelid
LEFT JOIN locked li ON li.relation = i.indexrelid
WHERE t.relkind IN ('r', 'p', 'm')
  AND t.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND ($1::bigint[] IS NULL OR i.indrelid = ANY ($1::bigint[]::oid[]))
ORDER BY i.indexrelid, a.attnum
