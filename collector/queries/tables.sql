-- one row per table, materialized view and partitioned parent
SELECT c.oid,
       n.nspname,
       c.relname,
       c.relkind::text,
       COALESCE(i.inhparent, 0),
       c.relnatts::int,
       c.relchecks::int,
       c.relpages,
       c.reltuples,
       COALESCE(c.reloptions, '{}'),
       CASE WHEN c.relkind <> 'p' THEN GREATEST(age(c.relfrozenxid), age(tc.relfrozenxid)) ELSE 0 END,
       CASE WHEN c.relkind <> 'p' THEN GREATEST(mxid_age(c.relminmxid), mxid_age(tc.relminmxid)) ELSE 0 END,
       GREATEST(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)),
       GREATEST(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)),
       pg_stat_get_numscans(c.oid)::float8,
       pg_stat_get_tuples_returned(c.oid)::float8,
       pg_stat_get_tuples_fetched(c.oid)::float8,
       pg_stat_get_tuples_inserted(c.oid)::float8,
       pg_stat_get_tuples_updated(c.oid)::float8,
       pg_stat_get_tuples_deleted(c.oid)::float8,
       pg_stat_get_tuples_hot_updated(c.oid)::float8,
       pg_stat_get_live_tuples(c.oid)::float8,
       pg_stat_get_dead_tuples(c.oid)::float8,
       pg_stat_get_mod_since_analyze(c.oid)::float8,
       pg_stat_get_ins_since_vacuum(c.oid)::float8,
       pg_stat_get_vacuum_count(c.oid)::float8,
       pg_stat_get_autovacuum_count(c.oid)::float8,
       pg_stat_get_analyze_count(c.oid)::float8,
       pg_stat_get_autoanalyze_count(c.oid)::float8,
       pg_stat_get_blocks_fetched(c.oid)::float8,
       pg_stat_get_blocks_hit(c.oid)::float8,
       c.reltoastrelid,
       COALESCE(tc.relpages, 0),
       COALESCE(pg_stat_get_live_tuples(tc.oid), 0)::float8,
       COALESCE(pg_stat_get_dead_tuples(tc.oid), 0)::float8,
       CASE WHEN pg_stat_get_vacuum_count(tc.oid) + pg_stat_get_autovacuum_count(tc.oid) > 0
            THEN pg_stat_get_live_tuples(tc.oid)::float8
            ELSE NULLIF(tc.reltuples, -1)::float8 END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
WHERE c.relkind IN ('r', 'p', 'm')
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY c.oid
