-- Whether the table $1.$2 is partitioned or a partition.
SELECT c.relkind = 'p' OR c.relispartition
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
