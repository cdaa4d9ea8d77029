-- statements with two intervals of one pass
SELECT count(*) FROM (SELECT 1 FROM :intervals i GROUP BY statement_id, pass_id HAVING count(*) > 1) d
