-- one row per session, prepared transaction, slot or standby that keeps dead rows from being removed, oldest first
SELECT h.kind, h.name, h.database, h.state, h.age, h.since, h.only_catalog
FROM (
    SELECT CASE WHEN a.backend_type = 'walsender' THEN 'standby' ELSE 'session' END AS kind,
           CASE WHEN a.backend_type = 'walsender' THEN COALESCE(a.application_name, '') ELSE a.pid::text END AS name,
           COALESCE(a.datname, '') AS database,
           COALESCE(a.state, '') AS state,
           GREATEST(age(a.backend_xmin), age(a.backend_xid)) AS age,
           a.xact_start AS since,
           false AS only_catalog
    FROM pg_stat_activity a
    WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
      AND a.pid <> pg_backend_pid()
      AND a.backend_type IN ('client backend', 'walsender')
      AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = a.pid)
    UNION ALL
    SELECT 'prepared transaction', p.gid, p.database::text, '', age(p.transaction), p.prepared, false
    FROM pg_prepared_xacts p
    UNION ALL
    SELECT 'replication slot', s.slot_name::text, '', '',
           GREATEST(age(s.xmin), age(s.catalog_xmin)), NULL, s.xmin IS NULL
    FROM pg_replication_slots s
    WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
) h
ORDER BY h.age DESC, h.kind, h.name
LIMIT $1::int
