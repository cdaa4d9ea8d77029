-- the next free id of a table
SELECT coalesce(max(id), 0) + 1 FROM :table
