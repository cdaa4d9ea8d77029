-- one row: whether plans can be asked for as pg_read_all_data, which may read and nothing else
SELECT pg_has_role('pg_read_all_data', CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
