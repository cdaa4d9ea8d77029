-- one row per relation of $1: the part of its pages that measuring its bloat has to read, in [0, 1]
SELECT c.oid,
       CASE WHEN c.relkind = 'i' THEN 1
            ELSE GREATEST(0, 1 - c.relallvisible / GREATEST(c.relpages, 1)::float8) END
FROM pg_class c
WHERE c.oid = ANY ($1::bigint[]::oid[])
