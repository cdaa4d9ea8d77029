-- by which algorithm each fingerprint was made
SELECT fingerprint, algorithm FROM queries
