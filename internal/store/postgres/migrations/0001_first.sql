-- The first schema of the history. Times are UTC, unknown counters are NULL, system identifiers and
-- fingerprints are unsigned numbers in a signed column.
-- Plain tables with the keys and indexes that the reads need; no partitions.

-- A server: one target's address of one cluster (system identifier).
CREATE TABLE servers (
    id bigint NOT NULL,
    cluster_id bigint NOT NULL,
    target text NOT NULL,
    timeline integer NOT NULL,
    version integer NOT NULL,
    postmaster_start timestamptz,
    in_recovery boolean NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL
);

-- A database of a server, by the name it had last.
CREATE TABLE databases (
    server_id bigint NOT NULL,
    dbid bigint NOT NULL,
    name text NOT NULL,
    first_seen timestamptz NOT NULL
);

-- A pass. Failed ones know only their target and when it was by our clock; they have no server.
-- missed counts passes that should have been before this one and were not; the sums are what
-- coverage is made of (interval.Parts).
CREATE TABLE passes (
    id bigint NOT NULL,
    server_id bigint,
    target text NOT NULL,
    passed_at timestamptz NOT NULL,
    clock timestamptz,
    previous_at timestamptz,
    took_ms double precision,
    failed boolean NOT NULL,
    reason text,
    statements bigint,
    intervals bigint,
    seen_blocks double precision,
    true_blocks double precision,
    seen_ms double precision,
    true_ms double precision,
    evicted bigint,
    first_sights bigint,
    resets bigint,
    missed bigint,
    warnings bytea
);

-- A span in which counters only grow begins.
CREATE TABLE incarnations (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    kind text NOT NULL,
    since timestamptz NOT NULL,
    proof text NOT NULL
);

-- A statement and the fingerprint that it is labelled with; id is a hash of server and key.
CREATE TABLE statements (
    id bigint NOT NULL,
    server_id bigint NOT NULL,
    userid bigint NOT NULL,
    dbid bigint NOT NULL,
    queryid bigint NOT NULL,
    toplevel boolean NOT NULL,
    fingerprint bigint NOT NULL,
    algorithm integer NOT NULL,
    method text NOT NULL,
    first_seen timestamptz NOT NULL
);

-- New labels on their way into statements; empty between transactions.
CREATE TABLE relabels (
    id bigint NOT NULL,
    fingerprint bigint NOT NULL,
    algorithm integer NOT NULL,
    method text NOT NULL
);

-- A query: what is known of a fingerprint's text. body holds all of it, packed.
CREATE TABLE queries (
    fingerprint bigint NOT NULL,
    algorithm integer NOT NULL,
    method text NOT NULL,
    verb text NOT NULL,
    query_text text NOT NULL,
    body bytea NOT NULL
);

-- A table or index by its last name, kept after it is dropped.
CREATE TABLE relations (
    server_id bigint NOT NULL,
    dbid bigint NOT NULL,
    relid bigint NOT NULL,
    kind text NOT NULL,
    schema_name text NOT NULL,
    name text NOT NULL
);

-- The size of a relation, whenever it changed.
CREATE TABLE relation_sizes (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    dbid bigint NOT NULL,
    relid bigint NOT NULL,
    measured_at timestamptz NOT NULL,
    pages bigint NOT NULL,
    live double precision,
    dead double precision,
    bloat_share double precision,
    bloat_bytes bigint,
    bloat_method text,
    bloat_error double precision
);

-- The activity of one moment, packed.
CREATE TABLE session_samples (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    sampled_at timestamptz NOT NULL,
    body bytea NOT NULL
);

-- An event. pass_id is 0 for those that people record.
CREATE TABLE events (
    id bigint NOT NULL,
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    dbid bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    since timestamptz,
    kind text NOT NULL,
    object text NOT NULL,
    table_name text NOT NULL,
    before_value text NOT NULL,
    after_value text NOT NULL,
    source text NOT NULL
);

-- An alert: the columns that filters need, and all of it packed in body.
CREATE TABLE alerts (
    id bigint NOT NULL,
    server_id bigint NOT NULL,
    target text NOT NULL,
    state text NOT NULL,
    live boolean NOT NULL,
    severity text NOT NULL,
    fingerprint bigint NOT NULL,
    opened timestamptz NOT NULL,
    updated timestamptz NOT NULL,
    closed timestamptz,
    body bytea NOT NULL
);

-- A proposal, likewise.
CREATE TABLE proposals (
    id bigint NOT NULL,
    server_id bigint NOT NULL,
    target text NOT NULL,
    alert_id bigint NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    drafted timestamptz NOT NULL,
    body bytea NOT NULL
);

-- What a stage wants to remember of a server, by name.
CREATE TABLE states (
    server_id bigint NOT NULL,
    name text NOT NULL,
    body bytea NOT NULL
);

-- What the next pass is compared with: counters (interval.State) and catalog, packed.
CREATE TABLE last_snapshots (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    counters bytea NOT NULL,
    catalog bytea NOT NULL
);

-- An interval of one statement, in order of arrival.
CREATE TABLE intervals_recent (
    server_id bigint NOT NULL,
    statement_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    flags integer NOT NULL,
    plans double precision, plan_ms double precision, calls double precision, exec_ms double precision,
    exec_sq_ms double precision, "rows" double precision, shared_hit double precision, shared_read double precision,
    shared_dirtied double precision, shared_written double precision, local_hit double precision,
    local_read double precision, local_dirtied double precision, local_written double precision,
    temp_read double precision, temp_written double precision, shared_read_ms double precision,
    shared_write_ms double precision, local_read_ms double precision, local_write_ms double precision,
    temp_read_ms double precision, temp_write_ms double precision, wal_records double precision,
    wal_fpi double precision, wal_bytes double precision, wal_buffers_full double precision,
    jit_functions double precision, jit_generation_ms double precision, jit_inlining_ms double precision,
    jit_optimization_ms double precision, jit_emission_ms double precision, jit_deform_ms double precision,
    parallel_to_launch double precision, parallel_launched double precision
);

-- The same of past days, in order of statement and time within each day.
CREATE TABLE intervals_closed (
    server_id bigint NOT NULL,
    statement_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    flags integer NOT NULL,
    plans double precision, plan_ms double precision, calls double precision, exec_ms double precision,
    exec_sq_ms double precision, "rows" double precision, shared_hit double precision, shared_read double precision,
    shared_dirtied double precision, shared_written double precision, local_hit double precision,
    local_read double precision, local_dirtied double precision, local_written double precision,
    temp_read double precision, temp_written double precision, shared_read_ms double precision,
    shared_write_ms double precision, local_read_ms double precision, local_write_ms double precision,
    temp_read_ms double precision, temp_write_ms double precision, wal_records double precision,
    wal_fpi double precision, wal_bytes double precision, wal_buffers_full double precision,
    jit_functions double precision, jit_generation_ms double precision, jit_inlining_ms double precision,
    jit_optimization_ms double precision, jit_emission_ms double precision, jit_deform_ms double precision,
    parallel_to_launch double precision, parallel_launched double precision
);

-- What one table or index did.
CREATE TABLE relation_intervals (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    dbid bigint NOT NULL,
    relid bigint NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    flags integer NOT NULL,
    seq_scans double precision, seq_tuples double precision, index_scans double precision,
    index_tuples double precision, inserted double precision, updated double precision, deleted double precision,
    hot_updated double precision, live_tuples double precision, dead_tuples double precision,
    mod_since_analyze double precision, ins_since_vacuum double precision, vacuums double precision,
    auto_vacuums double precision, analyzes double precision, auto_analyzes double precision,
    heap_blocks_hit double precision, heap_blocks_read double precision, idx_blocks_hit double precision,
    idx_blocks_read double precision
);

-- What one database did; the last five are as at the end.
CREATE TABLE database_points (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    dbid bigint NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    commits double precision, rollbacks double precision, blocks_hit double precision, blocks_read double precision,
    temp_files double precision, temp_bytes double precision, deadlocks double precision, active_ms double precision,
    idle_in_tx_ms double precision,
    backends bigint NOT NULL,
    size_bytes bigint NOT NULL,
    xid_age bigint NOT NULL,
    multixact_age bigint NOT NULL,
    reset_at timestamptz
);

ALTER TABLE servers ADD PRIMARY KEY (id), ADD UNIQUE (cluster_id, target);
ALTER TABLE databases ADD PRIMARY KEY (server_id, dbid);
ALTER TABLE passes ADD PRIMARY KEY (id);
CREATE INDEX passes_by_time ON passes (server_id, passed_at);
CREATE INDEX passes_by_target ON passes (target, passed_at) WHERE failed;
ALTER TABLE statements ADD PRIMARY KEY (id);
CREATE INDEX statements_by_fingerprint ON statements (server_id, fingerprint);
ALTER TABLE queries ADD PRIMARY KEY (fingerprint);
ALTER TABLE relations ADD PRIMARY KEY (server_id, dbid, relid);
CREATE INDEX intervals_recent_by_pass ON intervals_recent (server_id, pass_id);
CREATE INDEX intervals_recent_by_statement ON intervals_recent (statement_id, end_at);
CREATE INDEX intervals_closed_by_statement ON intervals_closed (statement_id, end_at);
CREATE INDEX intervals_closed_by_pass ON intervals_closed USING brin (server_id, pass_id, end_at);
CREATE INDEX relation_intervals_by_time ON relation_intervals (server_id, end_at);
CREATE INDEX relation_intervals_by_pass ON relation_intervals (server_id, pass_id);
CREATE INDEX relation_sizes_by_time ON relation_sizes (server_id, measured_at);
CREATE INDEX database_points_by_time ON database_points (server_id, end_at);
CREATE INDEX session_samples_by_time ON session_samples (server_id, sampled_at);
ALTER TABLE events ADD PRIMARY KEY (id);
CREATE INDEX events_by_time ON events (server_id, happened_at);
CREATE INDEX events_by_pass ON events (server_id, pass_id);
ALTER TABLE alerts ADD PRIMARY KEY (id);
CREATE INDEX alerts_by_server ON alerts (server_id, opened);
ALTER TABLE proposals ADD PRIMARY KEY (id);
ALTER TABLE states ADD PRIMARY KEY (server_id, name);
ALTER TABLE last_snapshots ADD PRIMARY KEY (server_id);
-- Rewritten at every pass and already packed: do not try to compress again.
ALTER TABLE last_snapshots ALTER counters SET STORAGE EXTERNAL, ALTER catalog SET STORAGE EXTERNAL;
