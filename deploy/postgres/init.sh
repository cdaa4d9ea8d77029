#!/bin/bash
# Makes what pgvigil needs on a server: its role, which reads statistics and
# nothing else, and the extensions. Runs once, when the cluster is made; does
# no harm when it runs again.
set -euo pipefail

password_file=${MONITOR_PASSWORD_FILE:-/run/secrets/pgvigil_password}
database=${POSTGRES_DB:-ci}

psql -X -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$database" \
  -v database="$database" <<SQL
\set password \`cat '$password_file'\`
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE EXTENSION IF NOT EXISTS hypopg;
SELECT 'CREATE ROLE pgvigil LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pgvigil') \gexec
ALTER ROLE pgvigil PASSWORD :'password';
GRANT pg_monitor TO pgvigil;
GRANT CONNECT ON DATABASE :"database" TO pgvigil;
SQL
