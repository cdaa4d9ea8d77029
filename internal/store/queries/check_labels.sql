-- statements whose query is not there
SELECT count(*) FROM statements s
WHERE s.method <> 'queryid' AND NOT EXISTS (SELECT 1 FROM queries q WHERE q.fingerprint = s.fingerprint)
