-- one row per entry whose state is not in $1 (number NULL), and one per number of a state in $1 that no entry is in now
SELECT k.number, s.state, s.userid, s.dbid, s.queryid, :toplevel, :since, :metrics
FROM (SELECT *, :state AS state FROM :schema.pg_stat_statements(false) s OFFSET 0) s
FULL JOIN unnest((SELECT $1::bigint[])) WITH ORDINALITY k(state, number) ON k.state = s.state
WHERE k.state IS NULL OR s.userid IS NULL
