-- The size in bytes of the index named $1 and the names of its parts, its partitions included.
SELECT coalesce(sum(pg_catalog.pg_relation_size(x.oid)), 0)::bigint, array_agg(c.relname::text)
FROM (SELECT $1::text::pg_catalog.regclass::oid AS oid UNION SELECT t.relid FROM pg_catalog.pg_partition_tree($1::text::pg_catalog.regclass) t) x
JOIN pg_catalog.pg_class c ON c.oid = x.oid
