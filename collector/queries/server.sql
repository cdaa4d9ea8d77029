-- one row: which server this is, its clock, and what our role may see
SELECT current_setting('server_version_num')::int,
       pg_postmaster_start_time(),
       pg_is_in_recovery(),
       clock_timestamp(),
       current_setting('block_size')::int,
       current_user::text,
       current_database()::text,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
