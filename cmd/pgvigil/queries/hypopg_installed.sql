-- Whether HypoPG is installed in this database.
SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'hypopg')
