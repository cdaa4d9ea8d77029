-- the parts of coverage of a server in a window
SELECT count(*), coalesce(sum(seen_blocks), 0), coalesce(sum(true_blocks), 0), coalesce(sum(seen_ms), 0),
    coalesce(sum(true_ms), 0), CAST(coalesce(sum(evicted), 0) AS bigint), CAST(coalesce(sum(first_sights), 0) AS bigint),
    CAST(coalesce(sum(resets), 0) AS bigint), CAST(coalesce(sum(missed), 0) AS bigint),
    coalesce(sum(own_ms), 0), coalesce(sum(seen_calls), 0), coalesce(sum(lost_min), 0),
    coalesce(sum(lost_max), 0), coalesce(sum(rollbacks), 0), coalesce(sum(covered_ms), 0),
    min(coalesce(previous_at, passed_at)), max(passed_at), max(clock)
FROM passes WHERE server_id = $1 AND NOT failed AND passed_at >= $2 AND passed_at < $3
