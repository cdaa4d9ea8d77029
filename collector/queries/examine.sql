-- one row: our role, where it is, whose rights it has of the predefined roles $1; marks of managed services; what is preloaded
SELECT current_user::text,
       current_database()::text,
       r.rolsuper,
       ARRAY(SELECT p.rolname::text FROM pg_roles p WHERE p.rolname = ANY ($1::text[]) ORDER BY p.rolname),
       ARRAY(SELECT p.rolname::text FROM pg_roles p
             WHERE p.rolname = ANY ($1::text[]) AND pg_has_role(current_user, p.oid, 'USAGE')
             ORDER BY p.rolname),
       ARRAY(SELECT p.rolname::text FROM pg_roles p
             WHERE p.rolname IN ('rds_superuser', 'rdsadmin', 'cloudsqlsuperuser', 'cloudsqladmin', 'azure_pg_admin', 'azuresu')
             ORDER BY p.rolname),
       ARRAY(SELECT s FROM unnest(ARRAY['rds.extensions', 'azure.extensions', 'cloudsql.iam_authentication']) s
             WHERE current_setting(s, true) IS NOT NULL),
       EXISTS (SELECT FROM pg_proc p WHERE p.proname = 'aurora_version' AND p.pronamespace = 'pg_catalog'::regnamespace),
       (SELECT s.setting FROM pg_settings s WHERE s.name = 'shared_preload_libraries'),
       current_setting('auto_explain.log_min_duration', true),
       pg_backend_pid()
FROM pg_roles r
WHERE r.rolname = current_user
