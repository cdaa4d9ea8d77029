-- one row per standby that this server feeds
SELECT COALESCE(application_name, ''),
       COALESCE(state, ''),
       COALESCE(sync_state, ''),
       COALESCE(extract(epoch FROM replay_lag), 0)::float8,
       COALESCE(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                                     ELSE pg_current_wal_lsn() END, replay_lsn), 0)::bigint
FROM pg_stat_replication
ORDER BY pid
