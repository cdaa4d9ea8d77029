-- The size in bytes of the index named $1, its partitions included.
SELECT coalesce(sum(pg_catalog.pg_relation_size(t.relid)), 0)::bigint
FROM pg_catalog.pg_partition_tree($1::text::pg_catalog.regclass) t
