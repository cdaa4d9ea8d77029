-- the events that some successive passes showed
SELECT id, server_id, pass_id, dbid, happened_at, since, kind, object, table_name, before_value, after_value, source, COALESCE(event_count, 0), fingerprint
FROM events WHERE server_id = $1 AND pass_id >= $2 AND pass_id <= $3 ORDER BY id
