-- all queries older than an algorithm
SELECT fingerprint, body FROM queries WHERE algorithm < $1 ORDER BY fingerprint
