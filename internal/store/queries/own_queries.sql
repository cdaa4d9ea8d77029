-- the fingerprints of pgvigil's own statements
SELECT fingerprint FROM queries WHERE own
