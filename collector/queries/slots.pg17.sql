-- one row per replication slot: what it keeps
SELECT slot_name::text,
       slot_type,
       COALESCE(database::text, ''),
       active,
       COALESCE(wal_status, ''),
       GREATEST(COALESCE(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                                              ELSE pg_current_wal_lsn() END, restart_lsn), 0), 0)::bigint,
       COALESCE(safe_wal_size, -1),
       COALESCE(age(xmin), 0),
       COALESCE(age(catalog_xmin), 0),
       inactive_since,
       COALESCE(invalidation_reason, '')
FROM pg_replication_slots
WHERE NOT temporary
ORDER BY slot_name
