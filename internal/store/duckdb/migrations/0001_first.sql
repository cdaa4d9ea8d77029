-- The first schema of the history. Times are UTC, unknown counters are NULL, system identifiers and
-- fingerprints are unsigned numbers in a signed column.
-- No keys and no indexes: DuckDB's make every write slower and no scan faster; one process writes,
-- one transaction at a time, and `history check` looks for what a key would have refused.

-- A server: one target's address of one cluster (system identifier).
CREATE TABLE servers (
    id BIGINT NOT NULL,
    cluster_id BIGINT NOT NULL,
    target VARCHAR NOT NULL,
    timeline INTEGER NOT NULL,
    version INTEGER NOT NULL,
    postmaster_start TIMESTAMP,
    in_recovery BOOLEAN NOT NULL,
    first_seen TIMESTAMP NOT NULL,
    last_seen TIMESTAMP NOT NULL
);

-- A database of a server, by the name it had last.
CREATE TABLE databases (
    server_id BIGINT NOT NULL,
    dbid BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    first_seen TIMESTAMP NOT NULL
);

-- A pass. Failed ones know only their target and when it was by our clock; they have no server.
-- missed counts passes that should have been before this one and were not; the sums are what
-- coverage is made of (interval.Parts).
CREATE TABLE passes (
    id BIGINT NOT NULL,
    server_id BIGINT,
    target VARCHAR NOT NULL,
    passed_at TIMESTAMP NOT NULL,
    clock TIMESTAMP,
    previous_at TIMESTAMP,
    took_ms DOUBLE,
    failed BOOLEAN NOT NULL,
    reason VARCHAR,
    statements BIGINT,
    intervals BIGINT,
    seen_blocks DOUBLE,
    true_blocks DOUBLE,
    seen_ms DOUBLE,
    true_ms DOUBLE,
    evicted BIGINT,
    first_sights BIGINT,
    resets BIGINT,
    missed BIGINT,
    warnings BLOB
);

-- A span in which counters only grow begins.
CREATE TABLE incarnations (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    since TIMESTAMP NOT NULL,
    proof VARCHAR NOT NULL
);

-- A statement and the fingerprint that it is labelled with; id is a hash of server and key.
CREATE TABLE statements (
    id BIGINT NOT NULL,
    server_id BIGINT NOT NULL,
    userid BIGINT NOT NULL,
    dbid BIGINT NOT NULL,
    queryid BIGINT NOT NULL,
    toplevel BOOLEAN NOT NULL,
    fingerprint BIGINT NOT NULL,
    algorithm INTEGER NOT NULL,
    method VARCHAR NOT NULL,
    first_seen TIMESTAMP NOT NULL
);

-- New labels on their way into statements; empty between transactions.
CREATE TABLE relabels (
    id BIGINT NOT NULL,
    fingerprint BIGINT NOT NULL,
    algorithm INTEGER NOT NULL,
    method VARCHAR NOT NULL
);

-- A query: what is known of a fingerprint's text. body holds all of it, packed.
CREATE TABLE queries (
    fingerprint BIGINT NOT NULL,
    algorithm INTEGER NOT NULL,
    method VARCHAR NOT NULL,
    verb VARCHAR NOT NULL,
    query_text VARCHAR NOT NULL,
    body BLOB NOT NULL
);

-- A table or index by its last name, kept after it is dropped.
CREATE TABLE relations (
    server_id BIGINT NOT NULL,
    dbid BIGINT NOT NULL,
    relid BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    schema_name VARCHAR NOT NULL,
    name VARCHAR NOT NULL
);

-- The size of a relation, whenever it changed.
CREATE TABLE relation_sizes (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    dbid BIGINT NOT NULL,
    relid BIGINT NOT NULL,
    measured_at TIMESTAMP NOT NULL,
    pages BIGINT NOT NULL,
    live DOUBLE,
    dead DOUBLE,
    bloat_share DOUBLE,
    bloat_bytes BIGINT,
    bloat_method VARCHAR,
    bloat_error DOUBLE
);

-- The activity of one moment, packed.
CREATE TABLE session_samples (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    sampled_at TIMESTAMP NOT NULL,
    body BLOB NOT NULL
);

-- An event. pass_id is 0 for those that people record.
CREATE TABLE events (
    id BIGINT NOT NULL,
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    dbid BIGINT NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    since TIMESTAMP,
    kind VARCHAR NOT NULL,
    object VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    before_value VARCHAR NOT NULL,
    after_value VARCHAR NOT NULL,
    source VARCHAR NOT NULL
);

-- An alert: the columns that filters need, and all of it packed in body.
CREATE TABLE alerts (
    id BIGINT NOT NULL,
    server_id BIGINT NOT NULL,
    target VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    live BOOLEAN NOT NULL,
    severity VARCHAR NOT NULL,
    fingerprint BIGINT NOT NULL,
    opened TIMESTAMP NOT NULL,
    updated TIMESTAMP NOT NULL,
    closed TIMESTAMP,
    body BLOB NOT NULL
);

-- A proposal, likewise.
CREATE TABLE proposals (
    id BIGINT NOT NULL,
    server_id BIGINT NOT NULL,
    target VARCHAR NOT NULL,
    alert_id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    drafted TIMESTAMP NOT NULL,
    body BLOB NOT NULL
);

-- What a stage wants to remember of a server, by name.
CREATE TABLE states (
    server_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    body BLOB NOT NULL
);

-- What the next pass is compared with: counters (interval.State) and catalog, packed.
CREATE TABLE last_snapshots (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    counters BLOB NOT NULL,
    catalog BLOB NOT NULL
);

-- An interval of one statement, in order of arrival.
CREATE TABLE intervals_recent (
    server_id BIGINT NOT NULL,
    statement_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    start_at TIMESTAMP NOT NULL,
    end_at TIMESTAMP NOT NULL,
    flags INTEGER NOT NULL,
    plans DOUBLE, plan_ms DOUBLE, calls DOUBLE, exec_ms DOUBLE, exec_sq_ms DOUBLE, "rows" DOUBLE, shared_hit DOUBLE,
    shared_read DOUBLE, shared_dirtied DOUBLE, shared_written DOUBLE, local_hit DOUBLE, local_read DOUBLE,
    local_dirtied DOUBLE, local_written DOUBLE, temp_read DOUBLE, temp_written DOUBLE, shared_read_ms DOUBLE,
    shared_write_ms DOUBLE, local_read_ms DOUBLE, local_write_ms DOUBLE, temp_read_ms DOUBLE, temp_write_ms DOUBLE,
    wal_records DOUBLE, wal_fpi DOUBLE, wal_bytes DOUBLE, wal_buffers_full DOUBLE, jit_functions DOUBLE,
    jit_generation_ms DOUBLE, jit_inlining_ms DOUBLE, jit_optimization_ms DOUBLE, jit_emission_ms DOUBLE,
    jit_deform_ms DOUBLE, parallel_to_launch DOUBLE, parallel_launched DOUBLE
);

-- The same of past days, in order of statement and time within each day.
CREATE TABLE intervals_closed (
    server_id BIGINT NOT NULL,
    statement_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    start_at TIMESTAMP NOT NULL,
    end_at TIMESTAMP NOT NULL,
    flags INTEGER NOT NULL,
    plans DOUBLE, plan_ms DOUBLE, calls DOUBLE, exec_ms DOUBLE, exec_sq_ms DOUBLE, "rows" DOUBLE, shared_hit DOUBLE,
    shared_read DOUBLE, shared_dirtied DOUBLE, shared_written DOUBLE, local_hit DOUBLE, local_read DOUBLE,
    local_dirtied DOUBLE, local_written DOUBLE, temp_read DOUBLE, temp_written DOUBLE, shared_read_ms DOUBLE,
    shared_write_ms DOUBLE, local_read_ms DOUBLE, local_write_ms DOUBLE, temp_read_ms DOUBLE, temp_write_ms DOUBLE,
    wal_records DOUBLE, wal_fpi DOUBLE, wal_bytes DOUBLE, wal_buffers_full DOUBLE, jit_functions DOUBLE,
    jit_generation_ms DOUBLE, jit_inlining_ms DOUBLE, jit_optimization_ms DOUBLE, jit_emission_ms DOUBLE,
    jit_deform_ms DOUBLE, parallel_to_launch DOUBLE, parallel_launched DOUBLE
);

-- What one table or index did.
CREATE TABLE relation_intervals (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    dbid BIGINT NOT NULL,
    relid BIGINT NOT NULL,
    start_at TIMESTAMP NOT NULL,
    end_at TIMESTAMP NOT NULL,
    flags INTEGER NOT NULL,
    seq_scans DOUBLE, seq_tuples DOUBLE, index_scans DOUBLE, index_tuples DOUBLE, inserted DOUBLE, updated DOUBLE,
    deleted DOUBLE, hot_updated DOUBLE, live_tuples DOUBLE, dead_tuples DOUBLE, mod_since_analyze DOUBLE,
    ins_since_vacuum DOUBLE, vacuums DOUBLE, auto_vacuums DOUBLE, analyzes DOUBLE, auto_analyzes DOUBLE,
    heap_blocks_hit DOUBLE, heap_blocks_read DOUBLE, idx_blocks_hit DOUBLE, idx_blocks_read DOUBLE
);

-- What one database did; the last five are as at the end.
CREATE TABLE database_points (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    dbid BIGINT NOT NULL,
    start_at TIMESTAMP NOT NULL,
    end_at TIMESTAMP NOT NULL,
    commits DOUBLE, rollbacks DOUBLE, blocks_hit DOUBLE, blocks_read DOUBLE, temp_files DOUBLE, temp_bytes DOUBLE,
    deadlocks DOUBLE, active_ms DOUBLE, idle_in_tx_ms DOUBLE,
    backends BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    xid_age BIGINT NOT NULL,
    multixact_age BIGINT NOT NULL,
    reset_at TIMESTAMP
);
