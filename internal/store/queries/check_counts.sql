-- passes that do not have the intervals that they were recorded with
SELECT count(*) FROM passes p
LEFT JOIN (SELECT pass_id, count(*) AS n FROM :intervals i GROUP BY pass_id) c ON c.pass_id = p.id
WHERE NOT p.failed AND p.intervals <> coalesce(c.n, 0)
