-- The last bound of a column's histogram as text, '' if there is none.
SELECT coalesce(max((s.histogram_bounds::text::text[])[array_length(s.histogram_bounds::text::text[], 1)]), '')
FROM pg_catalog.pg_stats s
WHERE s.schemaname = $1 AND s.tablename = $2 AND s.attname = $3
