-- one row: how many settings were set for the rest of the transaction
SELECT count(set_config(name, value, true)) FROM unnest($1::text[], $2::text[]) s(name, value)
