-- What a server as a whole did between two passes, and how it stood at the second (ServerState, packed).
-- Unknown counters are NULL.
CREATE TABLE server_points (
    server_id BIGINT NOT NULL,
    pass_id BIGINT NOT NULL,
    start_at TIMESTAMP NOT NULL,
    end_at TIMESTAMP NOT NULL,
    flags INTEGER NOT NULL,
    state BLOB NOT NULL,
    checkpoints_timed DOUBLE, checkpoints_requested DOUBLE, checkpoint_write_ms DOUBLE,
    checkpoint_sync_ms DOUBLE, checkpoint_buffers DOUBLE, backend_buffers DOUBLE, buffers_allocated DOUBLE,
    wal_records DOUBLE, wal_fpi DOUBLE, wal_bytes DOUBLE, wal_buffers_full DOUBLE, wal_write_ms DOUBLE,
    wal_sync_ms DOUBLE, io_read_bytes DOUBLE, io_read_ms DOUBLE, io_bulk_read_bytes DOUBLE,
    io_vacuum_read_bytes DOUBLE, io_evictions DOUBLE, subtrans_reads DOUBLE, subtrans_lookups DOUBLE,
    multixact_reads DOUBLE, multixact_lookups DOUBLE
);

-- What a relation belongs to: the parent of a partition, the table of an index or of a TOAST table.
ALTER TABLE relations ADD COLUMN parent BIGINT;

-- How many alike events are told as one; NULL for one.
ALTER TABLE events ADD COLUMN event_count BIGINT;
