-- the events of a server in a window
SELECT id, server_id, pass_id, dbid, happened_at, since, kind, object, table_name, before_value, after_value, source, COALESCE(event_count, 0), fingerprint
FROM events WHERE server_id = $1 AND happened_at >= $2 AND happened_at < $3 ORDER BY happened_at, id
