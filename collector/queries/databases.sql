-- one row per database that allows connections, templates aside: counters, ages, size if $1
SELECT d.oid,
       d.datname,
       has_database_privilege(d.oid, 'CONNECT'),
       s.stats_reset,
       COALESCE(s.numbackends, 0),
       COALESCE(s.xact_commit, 0)::float8,
       COALESCE(s.xact_rollback, 0)::float8,
       COALESCE(s.blks_hit, 0)::float8,
       COALESCE(s.blks_read, 0)::float8,
       COALESCE(s.temp_files, 0)::float8,
       COALESCE(s.temp_bytes, 0)::float8,
       COALESCE(s.deadlocks, 0)::float8,
       COALESCE(s.active_time, 0),
       COALESCE(s.idle_in_transaction_time, 0),
       CASE WHEN $1::bool AND has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) END,
       age(d.datfrozenxid),
       mxid_age(d.datminmxid)
FROM pg_database d
LEFT JOIN pg_stat_database s ON s.datid = d.oid
WHERE d.datallowconn AND NOT d.datistemplate
ORDER BY d.datname
