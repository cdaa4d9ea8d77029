-- one row: the cluster's system identifier
SELECT system_identifier FROM pg_control_system()
