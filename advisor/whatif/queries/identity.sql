-- What tells one database of one running server from any other.
SELECT (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
       pg_catalog.pg_postmaster_start_time()::text,
       (SELECT system_identifier::text FROM pg_catalog.pg_control_system())
