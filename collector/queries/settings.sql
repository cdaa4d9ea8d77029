-- one row per setting of $1: the value that new sessions get
SELECT name, COALESCE(reset_val, ''), COALESCE(unit, ''), source, pending_restart
FROM pg_settings
WHERE name = ANY ($1::text[])
ORDER BY name
