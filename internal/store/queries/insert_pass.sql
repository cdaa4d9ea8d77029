-- adds a pass that succeeded
INSERT INTO passes (id, server_id, target, passed_at, clock, previous_at, took_ms, failed, statements, intervals,
    seen_blocks, true_blocks, seen_ms, true_ms, evicted, first_sights, resets, missed, warnings, held_ms, xmin_age, stopped,
    own_ms, seen_calls, lost_min, lost_max, rollbacks, covered_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, false, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
    $23, $24, $25, $26, $27)
