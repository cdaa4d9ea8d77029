-- one row: pgstattuple_approx of the table $1; bytes in all, free, of dead rows; dead rows, live rows
SELECT table_len::float8,
       approx_free_space::float8,
       dead_tuple_len::float8,
       dead_tuple_count::float8,
       approx_tuple_count::float8
FROM :schema.pgstattuple_approx($1::bigint::oid::regclass)
