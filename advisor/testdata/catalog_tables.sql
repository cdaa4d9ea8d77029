-- Tables as the collector reads them, as far as the advisor's tests need.
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, coalesce(i.inhparent, 0::oid),
       coalesce(pg_get_partkeydef(c.oid), ''), coalesce(pg_get_expr(c.relpartbound, c.oid), ''),
       pg_relation_size(c.oid) / 8192, pg_total_relation_size(c.oid), c.reltuples::float8,
       coalesce(pg_stat_get_tuples_inserted(c.oid), 0)::float8, coalesce(pg_stat_get_tuples_updated(c.oid), 0)::float8,
       coalesce(pg_stat_get_tuples_deleted(c.oid), 0)::float8, coalesce(pg_stat_get_tuples_hot_updated(c.oid), 0)::float8
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1
