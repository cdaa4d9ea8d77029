-- drops the lives of counters whose passes are forgotten, but for those in force
DELETE FROM incarnations
WHERE pass_id NOT IN (SELECT id FROM passes)
  AND pass_id < (
    SELECT max(newer.pass_id) FROM incarnations AS newer
    WHERE newer.server_id = incarnations.server_id AND newer.kind = incarnations.kind
  )
