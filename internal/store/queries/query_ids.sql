-- fingerprints among some that were made from a query id, for want of a text
SELECT DISTINCT fingerprint, queryid FROM statements WHERE method = 'queryid' AND fingerprint IN (:ids)
