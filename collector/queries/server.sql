-- one row: which server this is, its clock, what our role may see, whether parameters of quick statements are logged
SELECT current_setting('server_version_num')::int,
       pg_postmaster_start_time(),
       pg_is_in_recovery(),
       clock_timestamp(),
       current_setting('block_size')::int,
       current_user::text,
       current_database()::text,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
       current_setting('log_parameter_max_length') <> '0'
       AND (current_setting('log_statement') = 'all'
            OR current_setting('log_min_duration_statement') ~ '^(0|[0-9]{1,3}ms)$'
            OR current_setting('log_min_duration_sample') ~ '^(0|[0-9]{1,3}ms)$')
