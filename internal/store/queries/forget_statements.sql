-- drops the statements that were first seen before a time and have no interval left; one that comes back is added again
DELETE FROM statements WHERE first_seen < $1
    AND NOT EXISTS (SELECT 1 FROM intervals_recent i WHERE i.statement_id = statements.id)
    AND NOT EXISTS (SELECT 1 FROM intervals_closed i WHERE i.statement_id = statements.id)
