-- intervals of no pass or no statement
SELECT count(*) FROM :intervals i
WHERE NOT EXISTS (SELECT 1 FROM passes p WHERE p.id = i.pass_id)
    OR NOT EXISTS (SELECT 1 FROM statements s WHERE s.id = i.statement_id)
