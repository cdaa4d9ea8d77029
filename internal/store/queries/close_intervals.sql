-- copies a span of intervals in order of statements
INSERT INTO intervals_closed (:columns)
SELECT :columns FROM intervals_recent WHERE end_at < $1 ORDER BY statement_id, end_at
