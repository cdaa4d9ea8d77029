-- What a sampler sees between passes, and what each pass cost others.

-- A minute of sampling, or the part of it that one pass brought. body holds the worst blocking tree and
-- the calls that lasted, packed.
CREATE TABLE wait_minutes (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    minute timestamptz NOT NULL,
    samples bigint NOT NULL,
    cost_ms double precision NOT NULL,
    body bytea NOT NULL
);

-- How often sessions were seen in one state with one query. fingerprint is that of the text, which
-- the label of the statement with that query id replaces when it is read; queryid is 0 if unknown.
CREATE TABLE wait_counts (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    minute timestamptz NOT NULL,
    dbid bigint NOT NULL,
    queryid bigint NOT NULL,
    fingerprint bigint NOT NULL,
    state text NOT NULL,
    wait_type text NOT NULL,
    wait_event text NOT NULL,
    samples bigint NOT NULL
);

-- The longest transaction of ours, the transactions that a snapshot of ours held back, and the
-- statements of ours that were cancelled because somebody waited; NULL in passes from before.
ALTER TABLE passes ADD COLUMN held_ms double precision;
ALTER TABLE passes ADD COLUMN xmin_age bigint;
ALTER TABLE passes ADD COLUMN stopped bigint;

CREATE INDEX wait_minutes_by_time ON wait_minutes (server_id, minute);
CREATE INDEX wait_counts_by_time ON wait_counts (server_id, minute);
