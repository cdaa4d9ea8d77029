-- one row per setting of $1 that a database or role overrides; ours says that our own session is under it
SELECT split_part(o.pair, '=', 1),
       substr(o.pair, strpos(o.pair, '=') + 1),
       COALESCE(d.datname, ''),
       COALESCE(r.rolname, ''),
       (s.setdatabase = 0 OR d.datname = current_database()) AND (s.setrole = 0 OR r.rolname = current_user)
FROM pg_db_role_setting s
CROSS JOIN LATERAL unnest(s.setconfig) o(pair)
LEFT JOIN pg_database d ON d.oid = s.setdatabase
LEFT JOIN pg_roles r ON r.oid = s.setrole
WHERE split_part(o.pair, '=', 1) = ANY ($1::text[])
ORDER BY 1, 3, 4
