-- what sessions waited for in the minutes that overlap a window, most first in each
SELECT c.minute, c.dbid, coalesce(l.fingerprint, c.fingerprint) AS labelled, c.state, c.wait_type, c.wait_event,
    CAST(sum(c.samples) AS bigint) AS seen
FROM wait_counts c
LEFT JOIN (
    SELECT dbid, queryid, min(fingerprint) AS fingerprint FROM statements
    WHERE server_id = $1 AND method <> 'queryid' GROUP BY dbid, queryid
) l ON l.dbid = c.dbid AND l.queryid = c.queryid
WHERE c.server_id = $1 AND c.minute > $2 AND c.minute < $3
GROUP BY c.minute, c.dbid, coalesce(l.fingerprint, c.fingerprint), c.state, c.wait_type, c.wait_event
ORDER BY c.minute, seen DESC, c.dbid, labelled, c.state, c.wait_type, c.wait_event
