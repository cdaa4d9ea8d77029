-- one row: memory enough, for this transaction, that reading 50,000 entries makes no temporary file
SELECT set_config('work_mem', '64MB', true)
