-- What a pass accounts for: the time of pgvigil's own statements, all calls, the bounds of calls that evictions hid
-- (infinite where unknown), transactions rolled back, and how long its intervals are.
ALTER TABLE passes ADD COLUMN own_ms DOUBLE;
ALTER TABLE passes ADD COLUMN seen_calls DOUBLE;
ALTER TABLE passes ADD COLUMN lost_min DOUBLE;
ALTER TABLE passes ADD COLUMN lost_max DOUBLE;
ALTER TABLE passes ADD COLUMN rollbacks DOUBLE;
ALTER TABLE passes ADD COLUMN covered_ms DOUBLE;

-- Whether a query is one of pgvigil's own; unknown (NULL) of those kept before.
ALTER TABLE queries ADD COLUMN own BOOLEAN;
