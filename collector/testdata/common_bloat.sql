-- oid and share of every table and index of user schemas, as the widely used statistics query has it: sum of average
-- widths without padding between columns, one header, tables' columns for every index, pages of 20 bytes of overhead
WITH width AS (
    SELECT schemaname,
           tablename,
           sum((1 - null_frac) * avg_width)::numeric AS data,
           max(null_frac)::numeric AS nulls,
           23 + 1 + count(*) FILTER (WHERE null_frac <> 0) / 8 AS header
    FROM pg_stats
    WHERE schemaname LIKE 'shape%'
    GROUP BY 1, 2
), row AS (
    SELECT schemaname,
           tablename,
           data + 24 AS data,
           nulls * (header + 8 - CASE WHEN header % 8 = 0 THEN 8 ELSE header % 8 END) AS bitmap
    FROM width
), ideal AS (
    SELECT c.oid,
           c.relpages,
           ceil(c.reltuples * (r.data + 8 - CASE WHEN r.data % 8 = 0 THEN 8 ELSE r.data % 8 END + r.bitmap + 4)::float8 / (8192 - 20)) AS pages
    FROM row r
    JOIN pg_namespace n ON n.nspname = r.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r.tablename
    UNION ALL
    SELECT x.oid,
           x.relpages,
           ceil(x.reltuples * (r.data - 12)::float8 / (8192 - 20))
    FROM row r
    JOIN pg_namespace n ON n.nspname = r.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r.tablename
    JOIN pg_index i ON i.indrelid = c.oid
    JOIN pg_class x ON x.oid = i.indexrelid
)
SELECT oid, GREATEST(0, 1 - pages / GREATEST(relpages, 1)::float8)
FROM ideal
