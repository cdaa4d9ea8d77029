-- What a sampler sees between passes, and what each pass cost others.

-- A minute of sampling, or the part of it that one pass brought. body holds the worst blocking tree and
-- the calls that lasted, packed.
CREATE TABLE wait_minutes (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    minute TIMESTAMP NOT NULL,
    samples BIGINT NOT NULL,
    cost_ms DOUBLE NOT NULL,
    body BLOB NOT NULL
);

-- How often sessions were seen in one state with one query. fingerprint is that of the text, which
-- the label of the statement with that query id replaces when it is read; queryid is 0 if unknown.
CREATE TABLE wait_counts (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    minute TIMESTAMP NOT NULL,
    dbid BIGINT NOT NULL,
    queryid BIGINT NOT NULL,
    fingerprint BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    wait_type VARCHAR NOT NULL,
    wait_event VARCHAR NOT NULL,
    samples BIGINT NOT NULL
);

-- The longest transaction of ours, the transactions that a snapshot of ours held back, and the
-- statements of ours that were cancelled because somebody waited; NULL in passes from before.
ALTER TABLE passes ADD COLUMN held_ms DOUBLE;
ALTER TABLE passes ADD COLUMN xmin_age BIGINT;
ALTER TABLE passes ADD COLUMN stopped BIGINT;
