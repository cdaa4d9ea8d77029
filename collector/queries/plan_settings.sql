-- one row per setting among $2 that role $1 has set in this database, the strongest: role in database, role, database, all
SELECT DISTINCT ON (name) name, value
FROM (
    SELECT split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value, s.setrole <> 0 AS of_role, s.setdatabase <> 0 AS of_database
    FROM pg_db_role_setting s
    CROSS JOIN LATERAL unnest(s.setconfig) c
    WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = $1))
) q
WHERE name = ANY ($2::text[])
ORDER BY name, of_role DESC, of_database DESC
