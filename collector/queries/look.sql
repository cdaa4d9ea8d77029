-- one row: which server this is, its clock, when it read its configuration, its limits of connections, what our role may see
SELECT current_setting('server_version_num')::int,
       pg_postmaster_start_time(),
       pg_is_in_recovery(),
       clock_timestamp(),
       pg_conf_load_time(),
       current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int
       + COALESCE(current_setting('reserved_connections', true)::int, 0),
       current_user::text,
       current_database()::text,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
