-- What a pass accounts for: the time of pgvigil's own statements, all calls, the bounds of calls that evictions hid
-- (infinite where unknown), transactions rolled back, and how long its intervals are.
ALTER TABLE passes ADD COLUMN own_ms double precision;
ALTER TABLE passes ADD COLUMN seen_calls double precision;
ALTER TABLE passes ADD COLUMN lost_min double precision;
ALTER TABLE passes ADD COLUMN lost_max double precision;
ALTER TABLE passes ADD COLUMN rollbacks double precision;
ALTER TABLE passes ADD COLUMN covered_ms double precision;

-- Whether a query is one of pgvigil's own; unknown (NULL) of those kept before.
ALTER TABLE queries ADD COLUMN own BOOLEAN;
