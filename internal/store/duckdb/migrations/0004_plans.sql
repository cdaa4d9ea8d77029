-- Plans of queries, and the query that an event is about.

-- A plan, or why there is none (then hash is 0 and refused is its code), over the time in which it was seen.
-- body holds all of it, packed.
CREATE TABLE plans (
    server_id BIGINT NOT NULL,
    dbid BIGINT NOT NULL,
    fingerprint BIGINT NOT NULL,
    source VARCHAR NOT NULL,
    hash BIGINT NOT NULL,
    refused VARCHAR NOT NULL,
    first_seen TIMESTAMP NOT NULL,
    last_seen TIMESTAMP NOT NULL,
    body BLOB NOT NULL
);

-- NULL in events from before, 0 in those that are about no query.
ALTER TABLE events ADD COLUMN fingerprint BIGINT;
