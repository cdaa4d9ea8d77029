-- The schemas outside the system's in which each of the unqualified names $1 is a relation.
SELECT c.relname::text, array_agg(n.nspname::text ORDER BY n.nspname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = ANY ($1::text[])
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY c.relname
