-- What a server as a whole did between two passes, and how it stood at the second (ServerState, packed).
-- Unknown counters are NULL.
CREATE TABLE server_points (
    server_id bigint NOT NULL,
    pass_id bigint NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    flags integer NOT NULL,
    state bytea NOT NULL,
    checkpoints_timed double precision, checkpoints_requested double precision,
    checkpoint_write_ms double precision, checkpoint_sync_ms double precision, checkpoint_buffers double precision,
    backend_buffers double precision, buffers_allocated double precision, wal_records double precision,
    wal_fpi double precision, wal_bytes double precision, wal_buffers_full double precision,
    wal_write_ms double precision, wal_sync_ms double precision, io_read_bytes double precision,
    io_read_ms double precision, io_bulk_read_bytes double precision, io_vacuum_read_bytes double precision,
    io_evictions double precision, subtrans_reads double precision, subtrans_lookups double precision,
    multixact_reads double precision, multixact_lookups double precision
);

-- What a relation belongs to: the parent of a partition, the table of an index or of a TOAST table.
ALTER TABLE relations ADD COLUMN parent bigint;

-- How many alike events are told as one; NULL for one.
ALTER TABLE events ADD COLUMN event_count bigint;

CREATE INDEX server_points_by_time ON server_points (server_id, end_at);
