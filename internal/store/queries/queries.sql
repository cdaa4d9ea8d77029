-- what is known of some fingerprints
SELECT fingerprint, body FROM queries WHERE fingerprint IN (:ids)
