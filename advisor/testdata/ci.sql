-- A small CI world: skewed jobs in four list partitions, a queue, artifacts, runners.
CREATE SCHEMA ci;
CREATE TABLE ci.jobs (
    id bigint NOT NULL, partition_id bigint NOT NULL, project_id bigint NOT NULL, pipeline_id bigint NOT NULL,
    name text NOT NULL, status varchar NOT NULL, processed boolean, ref text, runner_id bigint,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    PRIMARY KEY (id, partition_id)
) PARTITION BY LIST (partition_id);
CREATE TABLE ci.jobs_100 PARTITION OF ci.jobs FOR VALUES IN (100);
CREATE TABLE ci.jobs_101 PARTITION OF ci.jobs FOR VALUES IN (101);
CREATE TABLE ci.jobs_102 PARTITION OF ci.jobs FOR VALUES IN (102);
CREATE TABLE ci.jobs_103 PARTITION OF ci.jobs FOR VALUES IN (103);
INSERT INTO ci.jobs SELECT g, 100 + g % 4, (random() ^ 3 * 400)::int, g / 12, 'job ' || g % 40,
    CASE WHEN g % 1000 = 0 THEN 'pending' WHEN g % 700 = 0 THEN 'running' WHEN g % 9 = 0 THEN 'failed' ELSE 'success' END,
    CASE WHEN g % 900 = 0 THEN false ELSE true END, 'refs/heads/' || g % 300, CASE WHEN g % 50 = 0 THEN NULL ELSE g % 200 END,
    '2026-01-01'::timestamptz + g * interval '1 minute', '2026-01-01'::timestamptz + g * interval '1 minute'
FROM generate_series(1, 120000) g;
CREATE TABLE ci.queue (
    id bigint PRIMARY KEY, build_id bigint NOT NULL, project_id bigint NOT NULL, status varchar NOT NULL,
    runner_id bigint, protected boolean NOT NULL, tag_ids int[] NOT NULL, created_at timestamptz NOT NULL
);
INSERT INTO ci.queue SELECT g, g, g % 500, CASE WHEN g % 100 = 0 THEN 'pending' ELSE 'done' END,
    CASE WHEN g % 40 = 0 THEN NULL ELSE g % 90 END, g % 10 = 0, ARRAY[g % 90, g % 13], '2026-01-01'::timestamptz + g * interval '1 second'
FROM generate_series(1, 60000) g;
CREATE TABLE ci.artifacts (
    id bigint PRIMARY KEY, partition_id bigint NOT NULL, job_id bigint NOT NULL, project_id bigint NOT NULL,
    file_type smallint NOT NULL, size bigint NOT NULL, locked smallint NOT NULL, expire_at timestamptz
);
INSERT INTO ci.artifacts SELECT g, 100 + g % 4, g / 2, g % 400, g % 12, g, CASE WHEN g % 3 = 0 THEN 0 ELSE 1 END,
    '2026-01-01'::timestamptz + g * interval '1 minute' FROM generate_series(1, 100000) g;
CREATE TABLE ci.pipelines (
    id bigint PRIMARY KEY, project_id bigint NOT NULL, ref text NOT NULL, status varchar NOT NULL, sha text, created_at timestamptz NOT NULL
);
INSERT INTO ci.pipelines SELECT g, (random() ^ 3 * 400)::int, 'refs/heads/' || (random() ^ 2 * 300)::int,
    CASE WHEN g % 400 = 0 THEN 'running' ELSE 'success' END, md5(g::text), '2026-01-01'::timestamptz + g * interval '1 minute'
FROM generate_series(1, 60000) g;
CREATE TABLE ci.runners (id bigint PRIMARY KEY, token text NOT NULL, description text NOT NULL, email text NOT NULL, active boolean NOT NULL, contacted_at timestamptz);
INSERT INTO ci.runners SELECT g, md5(g::text), 'runner ' || md5((g * 7)::text), 'R' || g || '@Example.com', g % 50 <> 0, now() FROM generate_series(1, 30000) g;
ANALYZE;
