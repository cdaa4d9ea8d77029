-- The search_path that database and role configure, the strongest first: role in database, role, database, server.
SELECT split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
FROM (
    SELECT unnest(s.setconfig) AS c, s.setrole <> 0 AND s.setdatabase <> 0 AS exact, s.setrole <> 0 AS of_role
    FROM pg_catalog.pg_db_role_setting s
    WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
      AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1))
) q
WHERE c LIKE 'search\_path=%'
ORDER BY exact DESC, of_role DESC
LIMIT 1
