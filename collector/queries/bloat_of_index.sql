-- one row: pgstatindex of the B-tree $1; bytes in all, leaf pages, percent of their room that is used
SELECT index_size::float8, leaf_pages::float8, avg_leaf_density::float8
FROM :schema.pgstatindex($1::bigint::oid::regclass)
