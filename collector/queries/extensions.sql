-- one row per extension of this database, with the version that the server's files would install
SELECT e.extname::text, n.nspname::text, e.extversion, COALESCE(a.default_version, '')
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN pg_available_extensions a ON a.name = e.extname
ORDER BY e.extname
