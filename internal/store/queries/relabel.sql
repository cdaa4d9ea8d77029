-- puts the new labels on
UPDATE statements SET fingerprint = r.fingerprint, algorithm = r.algorithm, method = r.method
FROM relabels r WHERE r.id = statements.id
