-- The most common values of one column with their share of the rows; text, whatever the type.
SELECT v.value, v.share::float8
FROM pg_catalog.pg_stats s
CROSS JOIN LATERAL unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS v(value, share)
WHERE s.schemaname = $1 AND s.tablename = $2 AND s.attname = $3
ORDER BY s.inherited DESC, v.share DESC
LIMIT 100
