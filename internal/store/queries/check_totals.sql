-- how many passes and statements there are, and from when to when
SELECT (SELECT count(*) FROM passes WHERE NOT failed), (SELECT count(*) FROM statements),
    (SELECT min(passed_at) FROM passes WHERE NOT failed), (SELECT max(passed_at) FROM passes WHERE NOT failed)
