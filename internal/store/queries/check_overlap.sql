-- intervals that begin before the last one of their statement ended, on servers whose clock never jumped
SELECT count(*) FROM (
    SELECT start_at, lag(end_at) OVER (PARTITION BY statement_id ORDER BY pass_id) AS last_end
    FROM :intervals i
    WHERE server_id NOT IN (SELECT server_id FROM :intervals j WHERE j.flags >= 8)
) o WHERE o.start_at < o.last_end
