-- one row per column, dropped ones too, of the tables $1 (all if NULL): type, layout, statistics
SELECT a.attrelid,
       a.attnum::int,
       a.attname,
       CASE WHEN a.attisdropped THEN '' ELSE format_type(a.atttypid, a.atttypmod) END,
       a.attnotnull,
       a.attlen::int,
       a.attalign::text,
       a.attisdropped,
       a.atthasmissing,
       a.attgenerated::text,
       s.avg_width,
       s.null_frac::float8,
       s.n_distinct::float8,
       s.correlation::float8
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
                    AND s.inherited = (c.relkind = 'p')
WHERE a.attnum > 0
  AND c.relkind IN ('r', 'p', 'm')
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND ($1::bigint[] IS NULL OR a.attrelid = ANY ($1::bigint[]::oid[]))
ORDER BY a.attrelid, a.attnum
