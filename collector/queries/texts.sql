-- one row per wanted entry (parallel arrays): key, text cut at $5 characters, whether it was cut
SELECT s.userid, s.dbid, s.queryid, s.toplevel, left(s.query, $5::int), length(s.query) > $5::int
FROM :schema.pg_stat_statements(true) s
JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bool[]) k(userid, dbid, queryid, toplevel)
  ON s.queryid = k.queryid AND s.userid = k.userid::oid AND s.dbid = k.dbid::oid AND s.toplevel = k.toplevel
