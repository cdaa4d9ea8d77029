-- Plans of queries, and the query that an event is about.

-- A plan, or why there is none (then hash is 0 and refused is its code), over the time in which it was seen.
-- body holds all of it, packed.
CREATE TABLE plans (
    server_id bigint NOT NULL,
    dbid bigint NOT NULL,
    fingerprint bigint NOT NULL,
    source text NOT NULL,
    hash bigint NOT NULL,
    refused text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    body bytea NOT NULL
);

-- NULL in events from before, 0 in those that are about no query.
ALTER TABLE events ADD COLUMN fingerprint bigint;

CREATE INDEX plans_by_query ON plans (server_id, fingerprint);
