-- removes the descriptions of some fingerprints
DELETE FROM queries WHERE fingerprint IN (:ids)
