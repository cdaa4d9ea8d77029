-- the passes of a server in a window that succeeded
SELECT id, passed_at, previous_at, intervals, seen_blocks, true_blocks, seen_ms, true_ms, evicted, first_sights, resets,
    missed, coalesce(own_ms, 0), coalesce(seen_calls, 0), coalesce(lost_min, 0), coalesce(lost_max, 0),
    coalesce(rollbacks, 0), coalesce(covered_ms, 0), warnings, coalesce(held_ms, 0), coalesce(xmin_age, 0), coalesce(stopped, 0)
FROM passes WHERE server_id = $1 AND NOT failed AND passed_at >= $2 AND passed_at < $3 ORDER BY id
