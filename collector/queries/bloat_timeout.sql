-- one row: statement_timeout of this transaction, set to $1 ms; the statement is the same whatever the value
SELECT set_config('statement_timeout', $1::bigint::text, true)
