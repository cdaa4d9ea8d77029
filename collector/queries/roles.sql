-- one row per role of the cluster, predefined ones aside, with its attributes
SELECT rolname::text,
       concat_ws(' ', CASE WHEN rolcanlogin THEN 'login' END, CASE WHEN rolsuper THEN 'superuser' END,
                 CASE WHEN rolcreaterole THEN 'createrole' END, CASE WHEN rolcreatedb THEN 'createdb' END,
                 CASE WHEN rolreplication THEN 'replication' END, CASE WHEN rolbypassrls THEN 'bypassrls' END,
                 CASE WHEN rolconnlimit >= 0 THEN 'connection limit ' || rolconnlimit END)
FROM pg_roles
WHERE rolname NOT LIKE 'pg\_%'
ORDER BY rolname
