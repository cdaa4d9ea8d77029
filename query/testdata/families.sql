-- Families of statements. A comment "family: NAME" opens a family; all of its
-- texts must have one fingerprint, and no two families the same. Known
-- partitions: ci_builds_NNN, ci_pipelines_NNN, ci_job_artifacts_NNN in
-- gitlab_partitions_dynamic, and ci_builds, which is a partition too.

-- family: job by key
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.id = $1 AND p_ci_builds.partition_id = $2 LIMIT $3;
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.id = 17 AND p_ci_builds.partition_id = 102 LIMIT 1;
select b.* from p_ci_builds b where b.id = 18 and b.partition_id = 100 limit 1;
SELECT x.* FROM p_ci_builds AS x WHERE x.id = '18' AND x.partition_id = '100' LIMIT 1;
/*application:web,endpoint_id:Projects::JobsController#show*/ SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.id = 17 AND p_ci_builds.partition_id = 102 LIMIT 1;
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.id = 17 AND p_ci_builds.partition_id = 102 LIMIT 1 /*controller='jobs',action='show'*/;
SELECT ci_builds_101.* FROM gitlab_partitions_dynamic.ci_builds_101 WHERE ci_builds_101.id = 17 AND ci_builds_101.partition_id = 101 LIMIT 1;
SELECT ci_builds.* FROM ci_builds WHERE ci_builds.id = 17 AND ci_builds.partition_id = 101 LIMIT 1;

-- family: job by key without its partition
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.id = $1 LIMIT $2;
SELECT b.* FROM gitlab_partitions_dynamic.ci_builds_104 b WHERE b.id = 4 LIMIT 2;

-- family: job by key for update
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.id = 1 AND p_ci_builds.partition_id = 2 LIMIT 1 FOR UPDATE;

-- family: job by key for update of its alias
SELECT b.* FROM p_ci_builds b WHERE b.id = 1 AND b.partition_id = 2 LIMIT 1 FOR UPDATE OF b;
SELECT c.* FROM p_ci_builds c WHERE c.id = 1 AND c.partition_id = 2 LIMIT 1 FOR UPDATE OF c;

-- family: job by key, skip locked
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.id = 1 AND p_ci_builds.partition_id = 2 LIMIT 1 FOR UPDATE SKIP LOCKED;

-- family: queue pick
WITH project_builds AS MATERIALIZED (SELECT project_id, count(*) AS running_builds FROM ci_running_builds WHERE runner_type = $1 GROUP BY project_id) SELECT p.build_id, p.partition_id FROM ci_pending_builds p LEFT JOIN project_builds r ON r.project_id = p.project_id WHERE p.protected = $2 AND p.tag_ids <@ $3 ORDER BY coalesce(r.running_builds, $4), p.build_id LIMIT $5;
WITH project_builds AS MATERIALIZED (SELECT project_id, count(*) AS running_builds FROM ci_running_builds WHERE runner_type = 1 GROUP BY project_id) SELECT q.build_id, q.partition_id FROM ci_pending_builds q LEFT JOIN project_builds r ON r.project_id = q.project_id WHERE q.protected = FALSE AND q.tag_ids <@ '{1,2}' ORDER BY coalesce(r.running_builds, 0), q.build_id LIMIT 45;

-- family: queue pick with another CTE option
WITH project_builds AS (SELECT project_id, count(*) AS running_builds FROM ci_running_builds WHERE runner_type = $1 GROUP BY project_id) SELECT p.build_id, p.partition_id FROM ci_pending_builds p LEFT JOIN project_builds r ON r.project_id = p.project_id WHERE p.protected = $2 AND p.tag_ids <@ $3 ORDER BY coalesce(r.running_builds, $4), p.build_id LIMIT $5;

-- family: queue pick, simple
SELECT build_id FROM ci_pending_builds WHERE runner_type = $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED;
SELECT build_id FROM ci_pending_builds WHERE runner_type = 2 ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED;

-- family: queue pick, nowait
SELECT build_id FROM ci_pending_builds WHERE runner_type = 2 ORDER BY created_at LIMIT 1 FOR UPDATE NOWAIT;

-- family: queue pick, no key update
SELECT build_id FROM ci_pending_builds WHERE runner_type = 2 ORDER BY created_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;

-- family: queue depth by type
SELECT runner_type, count(*) FROM ci_pending_builds GROUP BY runner_type;
SELECT p.runner_type, count(*) AS depth FROM ci_pending_builds p GROUP BY p.runner_type;

-- family: queue depth by position
SELECT runner_type, count(*) FROM ci_pending_builds GROUP BY 1;

-- family: queue depth by second position
SELECT runner_type, count(*) FROM ci_pending_builds GROUP BY 2;

-- family: status transition
UPDATE p_ci_builds SET runner_id = $1, status = $2, started_at = $3, updated_at = $4, lock_version = $5 WHERE id = $6 AND lock_version = $7;
UPDATE p_ci_builds SET runner_id = 4, status = 'running', started_at = '2026-01-01 00:00:00', updated_at = '2026-01-01', lock_version = 2 WHERE id = 18 AND lock_version = 1;
UPDATE p_ci_builds b SET runner_id = NULL, status = 'failed', started_at = NULL, updated_at = '2026-01-01', lock_version = 2 WHERE id = 18 AND lock_version = 1;

-- family: status transition of fewer columns
UPDATE p_ci_builds SET status = $2, updated_at = $4, lock_version = $5 WHERE id = $6 AND lock_version = $7;

-- family: status transition computed
UPDATE p_ci_builds SET status = $2, updated_at = now(), lock_version = lock_version + 1 WHERE id = $6;
UPDATE p_ci_builds SET status = 'x', updated_at = now(), lock_version = lock_version + 17 WHERE id = 5;

-- family: heartbeat
UPDATE ci_runner_machines SET contacted_at = $1 WHERE id = $2;
UPDATE ci_runner_machines SET contacted_at = '2026-10-10T10:10:10Z' WHERE id = -2;

-- family: heartbeat by the clock
UPDATE ci_runner_machines SET contacted_at = now() WHERE id = $2;
UPDATE ci_runner_machines SET contacted_at = NOW() WHERE id = 1000000000000;

-- family: heartbeat by the other clock
UPDATE ci_runner_machines SET contacted_at = current_timestamp WHERE id = $2;

-- family: pipeline page
SELECT id, status, ref FROM p_ci_pipelines WHERE project_id = $1 ORDER BY id DESC LIMIT $2;
SELECT id, status, ref FROM gitlab_partitions_dynamic.ci_pipelines_100 WHERE project_id = 9 ORDER BY id DESC LIMIT 20;

-- family: pipeline page, ascending
SELECT id, status, ref FROM p_ci_pipelines WHERE project_id = $1 ORDER BY id ASC LIMIT $2;
SELECT id, status, ref FROM p_ci_pipelines WHERE project_id = 4 ORDER BY id LIMIT 20;

-- family: pipeline page, nulls last
SELECT id, status, ref FROM p_ci_pipelines WHERE project_id = $1 ORDER BY id DESC NULLS LAST LIMIT $2;

-- family: pipeline page with keyset
SELECT id, status, ref FROM p_ci_pipelines WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;
SELECT id, status, ref FROM p_ci_pipelines WHERE project_id = 7 AND id < 4000 ORDER BY id DESC LIMIT 20;

-- family: pipeline page with row keyset
SELECT id FROM p_ci_pipelines WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3;
SELECT id FROM p_ci_pipelines WHERE (created_at, id) < ('2026-01-01', 2) ORDER BY created_at DESC, id DESC LIMIT 10;

-- family: pipeline page with offset
SELECT id, status, ref FROM p_ci_pipelines WHERE project_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3;
SELECT id, status, ref FROM p_ci_pipelines WHERE project_id = 1 ORDER BY id DESC LIMIT 20 OFFSET 100000;

-- family: latest pipeline of each ref
SELECT DISTINCT ON (ref) id, ref, status FROM p_ci_pipelines WHERE project_id = $1 ORDER BY ref, id DESC;
SELECT DISTINCT ON (ref) p.id, p.ref, p.status FROM p_ci_pipelines p WHERE p.project_id = 3 ORDER BY ref, p.id DESC /* never */;

-- family: latest pipeline of each ref, plain columns
SELECT DISTINCT ON (ref) id, ref FROM p_ci_pipelines WHERE project_id = $1 ORDER BY ref, id DESC;

-- family: distinct refs
SELECT DISTINCT ref FROM p_ci_pipelines WHERE project_id = $1;

-- family: count with limit
SELECT count(*) FROM (SELECT 1 AS one FROM p_ci_builds WHERE project_id = $1 AND status = $2 LIMIT $3) sub;
SELECT COUNT(*) FROM (SELECT 1 AS one FROM p_ci_builds WHERE project_id = 1 AND status = 'success' LIMIT 1001) subquery_for_count;

-- family: count without limit
SELECT count(*) FROM p_ci_builds WHERE project_id = $1 AND status = $2;

-- family: jobs of a list of pipelines
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id IN ($1, $2, $3);
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id IN (1);
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id IN ($1 /*, ... */);
SELECT b.* FROM p_ci_builds b WHERE b.commit_id IN (-1, NULL, '3');

-- family: jobs not of a list of pipelines
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id NOT IN ($1, $2, $3);
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id NOT IN (9);

-- family: jobs of an array of pipelines
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id = ANY(ARRAY[$1, $2]);
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id = ANY (ARRAY[1,2,3,4,5,6]);

-- family: jobs of a parameter of pipelines
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id = ANY($1);
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id = ANY('{1,2,3}');

-- family: jobs of a typed parameter of pipelines
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id = ANY($1::bigint[]);
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id = ANY('{1,2,3}'::bigint[]);

-- family: jobs of a list with an expression
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id IN ($1, abs($2));
SELECT p_ci_builds.* FROM p_ci_builds WHERE p_ci_builds.commit_id IN (4, abs(1), 3, abs(7));

-- family: jobs of typed strings
SELECT id FROM p_ci_builds WHERE status IN ('a'::text, 'b'::text);
SELECT id FROM p_ci_builds WHERE status IN ($1::text);
SELECT id FROM p_ci_builds WHERE status IN ('a'::text, 'b'::text, 'c'::text, 'd'::text);

-- family: jobs by composite keys
SELECT id FROM p_ci_builds WHERE (id, partition_id) IN (($1, $2), ($3, $4));
SELECT id FROM p_ci_builds WHERE (id, partition_id) IN ((1, 2));
SELECT id FROM p_ci_builds WHERE (id, partition_id) IN ((1, 2), (3, 4), (5, 6), (7, 8));

-- family: jobs by composite keys in a chain of OR
SELECT id FROM p_ci_builds WHERE id = $1 AND partition_id = $2 OR id = $3 AND partition_id = $4;
SELECT id FROM p_ci_builds WHERE (id = 1 AND partition_id = 2) OR (id = 3 AND partition_id = 4) OR (id = 5 AND partition_id = 6);

-- family: runner busy
SELECT EXISTS (SELECT 1 FROM p_ci_builds WHERE status IN ('pending', 'running') AND runner_id = $1);
SELECT EXISTS (SELECT 1 FROM p_ci_builds WHERE status IN ('running') AND runner_id = 17);

-- family: pipeline progress
SELECT 1 AS one FROM p_ci_builds WHERE commit_id = $1 AND partition_id = $2 AND (processed = $3 OR processed IS NULL) LIMIT 1;
SELECT 1 AS two FROM p_ci_builds WHERE commit_id = 1 AND partition_id = 100 AND (processed = FALSE OR processed IS NULL) LIMIT 1;

-- family: pipeline progress, known
SELECT 1 AS one FROM p_ci_builds WHERE commit_id = $1 AND partition_id = $2 AND (processed = $3 OR processed IS NOT NULL) LIMIT 1;

-- family: expiry sweep
SELECT id, job_id, partition_id FROM p_ci_job_artifacts WHERE expire_at < $1 AND locked = $2 LIMIT $3;
SELECT id, job_id, partition_id FROM gitlab_partitions_dynamic.ci_job_artifacts_107 WHERE expire_at < '2026-01-01' AND locked = 0 LIMIT 100;

-- family: expiry sweep by the clock
SELECT id FROM p_ci_job_artifacts WHERE expire_at < now() - interval '1 day' AND locked = 0 LIMIT 100;
SELECT id FROM p_ci_job_artifacts WHERE expire_at < now() - interval $1 AND locked = $2 LIMIT $3;
SELECT id FROM p_ci_job_artifacts WHERE expire_at < now() - interval '90 days' AND locked = 1 LIMIT 5;

-- family: expiry sweep by the clock with a field
SELECT id FROM p_ci_job_artifacts WHERE expire_at < now() - interval '1' day;
SELECT id FROM p_ci_job_artifacts WHERE expire_at < now() - interval $1 day;

-- family: batched delete
DELETE FROM p_ci_job_artifacts WHERE id >= $1 AND id < $2;
DELETE FROM p_ci_job_artifacts WHERE id >= 1000 AND id < 2000;
DELETE FROM p_ci_job_artifacts a WHERE id >= 1000 AND id < 2000;

-- family: batched delete, between
DELETE FROM p_ci_job_artifacts WHERE id BETWEEN $1 AND $2;

-- family: batched delete, not between
DELETE FROM p_ci_job_artifacts WHERE id NOT BETWEEN $1 AND $2;

-- family: loose foreign key
DELETE FROM p_ci_builds WHERE id IN (SELECT id FROM p_ci_builds WHERE project_id IN ($1, $2) LIMIT $3 FOR UPDATE SKIP LOCKED);
DELETE FROM p_ci_builds WHERE id IN (SELECT id FROM p_ci_builds WHERE project_id IN (1) LIMIT 1000 FOR UPDATE SKIP LOCKED);
DELETE FROM p_ci_builds WHERE id IN (SELECT b.id FROM p_ci_builds b WHERE b.project_id IN (1) LIMIT 1000 FOR UPDATE SKIP LOCKED) /*x='y'*/;

-- family: delete returning
DELETE FROM ci_pending_builds WHERE build_id = $1 RETURNING id;
DELETE FROM ci_pending_builds WHERE build_id = 1 RETURNING id AS gone;

-- family: delete using
DELETE FROM ci_pending_builds p USING p_ci_builds b WHERE b.id = p.build_id AND b.status = $1;
DELETE FROM ci_pending_builds x USING p_ci_builds y WHERE y.id = x.build_id AND y.status = 'success';

-- family: batch start
SELECT id FROM p_ci_builds WHERE id >= $1 ORDER BY id LIMIT 1 OFFSET $2;
SELECT id FROM p_ci_builds WHERE id >= 1 ORDER BY id LIMIT 1 OFFSET 1000;

-- family: artifact lookup
SELECT * FROM p_ci_job_artifacts WHERE job_id = $1 AND partition_id = $2 AND file_type = $3;
SELECT * FROM p_ci_job_artifacts WHERE job_id = 1 AND partition_id = 2 AND file_type = 3;

-- family: artifact lookup, other order
SELECT * FROM p_ci_job_artifacts WHERE partition_id = $2 AND job_id = $1 AND file_type = $3;

-- family: artifact sizes
SELECT project_id, sum(size) FROM p_ci_job_artifacts GROUP BY project_id HAVING sum(size) > $1 ORDER BY sum(size) DESC LIMIT 10;
SELECT project_id, sum(size) AS total FROM p_ci_job_artifacts GROUP BY project_id HAVING sum(size) > 1e9 ORDER BY sum(size) DESC LIMIT 10;

-- family: artifact sizes by output name
SELECT project_id, sum(size) AS total FROM p_ci_job_artifacts GROUP BY project_id ORDER BY total DESC;
SELECT project_id, sum(size) AS bytes FROM p_ci_job_artifacts GROUP BY project_id ORDER BY bytes DESC;

-- family: artifact sizes by output place
SELECT project_id, sum(size) AS total FROM p_ci_job_artifacts GROUP BY project_id ORDER BY 2 DESC;

-- family: job with stage
SELECT b.id, s.name FROM p_ci_builds b JOIN p_ci_stages s ON s.id = b.stage_id AND s.partition_id = b.partition_id WHERE b.commit_id = $1;
SELECT b.id, s.name FROM p_ci_builds b INNER JOIN p_ci_stages s ON s.id = b.stage_id AND s.partition_id = b.partition_id WHERE b.commit_id = 1;
SELECT x.id, y.name FROM p_ci_builds x INNER JOIN p_ci_stages AS y ON y.id = x.stage_id AND y.partition_id = x.partition_id WHERE x.commit_id = 1;

-- family: job with stage, left
SELECT b.id, s.name FROM p_ci_builds b LEFT JOIN p_ci_stages s ON s.id = b.stage_id AND s.partition_id = b.partition_id WHERE b.commit_id = $1;

-- family: job with stage, comma
SELECT b.id, s.name FROM p_ci_builds b, p_ci_stages s WHERE s.id = b.stage_id AND b.commit_id = $1;

-- family: job with stage, using
SELECT b.id, s.name FROM p_ci_builds b JOIN p_ci_stages s USING (partition_id) WHERE b.commit_id = $1;

-- family: retried jobs, self join
SELECT a.id, b.id FROM p_ci_builds a JOIN p_ci_builds b ON b.retried_of = a.id WHERE a.project_id = $1;
SELECT x.id, y.id FROM p_ci_builds x JOIN p_ci_builds y ON y.retried_of = x.id WHERE x.project_id = 4;

-- family: retried jobs, the other way round
SELECT a.id, b.id FROM p_ci_builds a JOIN p_ci_builds b ON a.retried_of = b.id WHERE a.project_id = $1;

-- family: needs of a job
SELECT n.name FROM ci_build_needs n WHERE n.build_id = $1 AND n.optional IS NOT TRUE;
SELECT n.name FROM ci_build_needs n WHERE n.build_id = 5 AND n.optional IS NOT TRUE;

-- family: variables of a pipeline
SELECT key, value FROM p_ci_pipeline_variables WHERE pipeline_id = $1 AND partition_id = $2;

-- family: variables of a pipeline, swapped
SELECT value, key FROM p_ci_pipeline_variables WHERE pipeline_id = $1 AND partition_id = $2;

-- family: names of jobs by pattern
SELECT id FROM p_ci_build_names WHERE project_id = $1 AND name LIKE $2;
SELECT id FROM p_ci_build_names WHERE project_id = 1 AND name LIKE 'rspec%';

-- family: names of jobs by pattern, any case
SELECT id FROM p_ci_build_names WHERE project_id = 1 AND name ILIKE 'rspec%';

-- family: names of jobs by pattern, escaped
SELECT id FROM p_ci_build_names WHERE project_id = 1 AND name LIKE 'rspec%' ESCAPE '\';

-- family: names of jobs in lower case
SELECT id FROM p_ci_build_names WHERE lower(name) = $1;
SELECT id FROM p_ci_build_names WHERE LOWER(name) = 'rspec';

-- family: names of jobs by text search
SELECT id FROM p_ci_build_names WHERE search_vector @@ to_tsquery('english', $1);
SELECT id FROM p_ci_build_names WHERE search_vector @@ to_tsquery('german', 'rspec');

-- family: names of jobs by regular expression
SELECT id FROM p_ci_build_names WHERE name ~ $1;

-- family: metadata of a job
SELECT m.config_options FROM p_ci_builds_metadata m WHERE m.build_id = $1 AND m.partition_id = $2;

-- family: metadata by a JSON key
SELECT id FROM p_ci_builds_metadata WHERE config_options ->> $1 = $2;
SELECT id FROM p_ci_builds_metadata WHERE config_options->>'image' = 'ruby';

-- family: metadata by JSON containment
SELECT id FROM p_ci_builds_metadata WHERE config_options @> $1;
SELECT id FROM p_ci_builds_metadata WHERE config_options @> '{"image": "ruby"}';

-- family: metadata by JSON existence
SELECT id FROM p_ci_builds_metadata WHERE config_options ? 'image';
SELECT id FROM p_ci_builds_metadata WHERE config_options ? 'services';

-- family: runners by tags
SELECT r.id FROM ci_runners r WHERE EXISTS (SELECT 1 FROM ci_runner_taggings t WHERE t.runner_id = r.id AND t.tag_id IN (1, 2));
SELECT a.id FROM ci_runners a WHERE EXISTS (SELECT 1 FROM ci_runner_taggings b WHERE b.runner_id = a.id AND b.tag_id IN (5));

-- family: runners without tags
SELECT r.id FROM ci_runners r WHERE NOT EXISTS (SELECT 1 FROM ci_runner_taggings t WHERE t.runner_id = r.id AND t.tag_id IN (1, 2));

-- family: runners by overlap
SELECT id FROM ci_runners WHERE tag_list && $1;
SELECT id FROM ci_runners WHERE tag_list && '{docker,linux}';

-- family: runners by overlap with an array
SELECT id FROM ci_runners WHERE tag_list && ARRAY['docker', 'linux'];
SELECT id FROM ci_runners WHERE tag_list && ARRAY['docker'];

-- family: runners by overlap with a list
SELECT id FROM ci_runners WHERE tag_list && ARRAY[lower($1)];

-- family: deployments of an environment
SELECT d.* FROM deployments d WHERE d.environment_id = $1 AND d.status = $2 ORDER BY d.id DESC LIMIT 1;

-- family: last deployment of each environment
SELECT e.id, d.id FROM environments e LEFT JOIN LATERAL (SELECT id FROM deployments x WHERE x.environment_id = e.id ORDER BY id DESC LIMIT 1) d ON true WHERE e.project_id = $1;
SELECT f.id, last.id FROM environments f LEFT JOIN LATERAL (SELECT id FROM deployments y WHERE y.environment_id = f.id ORDER BY id DESC LIMIT 1) last ON true WHERE f.project_id = 3;

-- family: deleted records
SELECT id, primary_key_value FROM loose_foreign_keys_deleted_records WHERE partition = $1 AND status = $2 AND consume_after <= $3 ORDER BY consume_after, id LIMIT $4;
SELECT id, primary_key_value FROM loose_foreign_keys_deleted_records WHERE partition = 9 AND status = 1 AND consume_after <= '2026-01-01' ORDER BY consume_after, id LIMIT 500;

-- family: nightly report
SELECT date_trunc('day', finished_at) AS day, status, count(*), avg(duration) FROM p_ci_builds WHERE finished_at >= $1 AND finished_at < $2 GROUP BY 1, 2 ORDER BY 1, 2;
SELECT date_trunc('hour', finished_at) AS slot, status, count(*), avg(duration) FROM p_ci_builds WHERE finished_at >= '2026-01-01' AND finished_at < '2026-01-02' GROUP BY 1, 2 ORDER BY 1, 2;

-- family: nightly report with filter
SELECT count(*) FILTER (WHERE status = 'failed'), count(*) FROM p_ci_builds WHERE finished_at >= $1;

-- family: percentiles
SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY duration) FROM p_ci_builds WHERE project_id = $1;
SELECT percentile_cont($1) WITHIN GROUP (ORDER BY duration) FROM p_ci_builds WHERE project_id = $2;

-- family: ranks
SELECT id, row_number() OVER (PARTITION BY ref ORDER BY id DESC) FROM p_ci_pipelines WHERE project_id = $1;
SELECT id, row_number() OVER (PARTITION BY ref ORDER BY id DESC) AS rn FROM p_ci_pipelines WHERE project_id = 8;

-- family: pipeline and its children
WITH RECURSIVE tree AS (SELECT id FROM p_ci_pipelines WHERE id = $1 UNION ALL SELECT s.pipeline_id FROM ci_sources_pipelines s JOIN tree t ON t.id = s.source_pipeline_id) SELECT * FROM tree;
WITH RECURSIVE family AS (SELECT id FROM p_ci_pipelines WHERE id = 5 UNION ALL SELECT p.pipeline_id FROM ci_sources_pipelines p JOIN family f ON f.id = p.source_pipeline_id) SELECT * FROM family;

-- family: pipeline and its children, distinct
WITH RECURSIVE tree AS (SELECT id FROM p_ci_pipelines WHERE id = $1 UNION SELECT s.pipeline_id FROM ci_sources_pipelines s JOIN tree t ON t.id = s.source_pipeline_id) SELECT * FROM tree;

-- family: move rows in one statement
WITH gone AS (DELETE FROM ci_pending_builds WHERE build_id = $1 RETURNING *) INSERT INTO ci_running_builds (build_id, project_id) SELECT build_id, project_id FROM gone;
WITH moved AS (DELETE FROM ci_pending_builds WHERE build_id = 6 RETURNING *) INSERT INTO ci_running_builds (build_id, project_id) SELECT build_id, project_id FROM moved;

-- family: insert a job
INSERT INTO p_ci_builds (name, status, project_id, partition_id) VALUES ($1, $2, $3, $4) RETURNING id;
INSERT INTO p_ci_builds (name, status, project_id, partition_id) VALUES ('rspec', 'created', 1, 102) RETURNING id;
INSERT INTO p_ci_builds (name, status, project_id, partition_id) VALUES ('a', 'b', 1, 2), ('c', 'd', 3, 4), ('e', NULL, 5, 6) RETURNING id;

-- family: insert a job of other columns
INSERT INTO p_ci_builds (name, status, project_id) VALUES ($1, $2, $3) RETURNING id;

-- family: insert a job with a clock
INSERT INTO p_ci_builds (name, created_at) VALUES ($1, now());
INSERT INTO p_ci_builds (name, created_at) VALUES ('a', now()), ('b', now());

-- family: insert a job with a default
INSERT INTO p_ci_builds (name, created_at) VALUES ($1, DEFAULT);

-- family: upsert
INSERT INTO ci_runner_machines (runner_id, system_xid) VALUES ($1, $2) ON CONFLICT (runner_id, system_xid) DO UPDATE SET contacted_at = excluded.contacted_at;
INSERT INTO ci_runner_machines (runner_id, system_xid) VALUES (1, 'x'), (2, 'y') ON CONFLICT (runner_id, system_xid) DO UPDATE SET contacted_at = EXCLUDED.contacted_at;

-- family: insert or nothing
INSERT INTO ci_runner_machines (runner_id, system_xid) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- family: insert from unnest
INSERT INTO ci_job_variables (job_id, key) SELECT $1, unnest($2::text[]);
INSERT INTO ci_job_variables (job_id, key) SELECT 1, unnest('{a,b}'::text[]);

-- family: update from a list of values
UPDATE p_ci_stages s SET position = v.position FROM (VALUES (1, 2), (3, 4)) v (id, position) WHERE s.id = v.id;
UPDATE p_ci_stages s SET position = v.position FROM (VALUES ($1, $2)) v (id, position) WHERE s.id = v.id;

-- family: merge
MERGE INTO ci_running_builds t USING ci_pending_builds s ON t.build_id = s.build_id WHEN MATCHED THEN UPDATE SET runner_id = $1 WHEN NOT MATCHED THEN INSERT (build_id) VALUES (s.build_id);
MERGE INTO ci_running_builds a USING ci_pending_builds b ON a.build_id = b.build_id WHEN MATCHED THEN UPDATE SET runner_id = 4 WHEN NOT MATCHED THEN INSERT (build_id) VALUES (b.build_id);

-- family: merge with returning, grammar of 17
MERGE INTO ci_running_builds t USING ci_pending_builds s ON t.build_id = s.build_id WHEN MATCHED THEN DELETE RETURNING t.build_id;
MERGE INTO ci_running_builds t USING ci_pending_builds s ON t.build_id = s.build_id WHEN MATCHED THEN DELETE /* why */ RETURNING t.build_id;

-- family: json_table, grammar of 17
SELECT * FROM json_table($1, '$[*]' COLUMNS (id int PATH '$.id'));
SELECT * FROM json_table('[{"id": 1}]', '$[*]' COLUMNS (id int PATH '$.id'));

-- family: returning old and new, grammar of 18
UPDATE p_ci_builds SET status = $1 WHERE id = $2 RETURNING WITH (OLD AS o, NEW AS n) o.status, n.status;
UPDATE p_ci_builds SET status = 'x' WHERE id = 3 RETURNING WITH (OLD AS o, NEW AS n) o.status, n.status;

-- family: copy in
COPY p_ci_builds (id, name) FROM STDIN;

-- family: copy out
COPY p_ci_builds (id, name) TO STDOUT;

-- family: copy of a query
COPY (SELECT id FROM p_ci_builds WHERE project_id = 1) TO STDOUT WITH (FORMAT csv);
COPY (SELECT id FROM p_ci_builds WHERE project_id = 2) TO STDOUT WITH (FORMAT csv);

-- family: begin
BEGIN;

-- family: begin by another word
START TRANSACTION;

-- family: commit
COMMIT;

-- family: rollback
ROLLBACK;

-- family: savepoint
SAVEPOINT active_record_1;
SAVEPOINT active_record_2;

-- family: release
RELEASE SAVEPOINT active_record_1;
RELEASE SAVEPOINT active_record_17;

-- family: rollback to
ROLLBACK TO SAVEPOINT active_record_1;
ROLLBACK TO SAVEPOINT other;

-- family: prepared transaction
PREPARE TRANSACTION 'one';
PREPARE TRANSACTION 'two';

-- family: commit prepared
COMMIT PREPARED 'one';

-- family: cursor
DECLARE cursor_1 CURSOR FOR SELECT id FROM p_ci_builds WHERE project_id = 1;
DECLARE cursor_77 CURSOR FOR SELECT id FROM p_ci_builds WHERE project_id = 99;

-- family: fetch
FETCH 100 FROM cursor_1;
FETCH 5000 FROM cursor_2;
FETCH ALL FROM cursor_3;

-- family: fetch backward
FETCH BACKWARD 10 FROM cursor_1;

-- family: close
CLOSE cursor_1;
CLOSE cursor_2;

-- family: prepare
PREPARE a1 AS SELECT id FROM p_ci_builds WHERE id = $1;
PREPARE a2 AS SELECT id FROM p_ci_builds WHERE id = $1;

-- family: execute
EXECUTE a1(1);
EXECUTE a2(77);

-- family: deallocate
DEALLOCATE a1;
DEALLOCATE a2;

-- family: set a timeout
SET statement_timeout = 1000;
SET statement_timeout = '15s';
SET statement_timeout TO '1min';

-- family: set local timeout
SET LOCAL statement_timeout = 1000;

-- family: set another timeout
SET lock_timeout = 1000;

-- family: set search path
SET search_path TO a, b;
SET search_path TO "$user", public;

-- family: reset
RESET statement_timeout;

-- family: show
SHOW statement_timeout;

-- family: set isolation
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

-- family: listen
LISTEN ci_jobs;

-- family: notify
NOTIFY ci_jobs, 'one';
NOTIFY ci_jobs, 'two';

-- family: explain
EXPLAIN SELECT id FROM p_ci_builds WHERE id = 1;
EXPLAIN SELECT id FROM p_ci_builds WHERE id = 2;

-- family: explain analyze
EXPLAIN ANALYZE SELECT id FROM p_ci_builds WHERE id = 1;

-- family: vacuum
VACUUM ci_pending_builds;

-- family: vacuum analyze
VACUUM (ANALYZE) ci_pending_builds;

-- family: analyze
ANALYZE p_ci_builds;
ANALYZE gitlab_partitions_dynamic.ci_builds_105;

-- family: lock
LOCK TABLE p_ci_builds IN ACCESS EXCLUSIVE MODE;
LOCK TABLE gitlab_partitions_dynamic.ci_builds_101 IN ACCESS EXCLUSIVE MODE;

-- family: lock in share mode
LOCK TABLE p_ci_builds IN SHARE MODE;

-- family: truncate
TRUNCATE ci_pending_builds;

-- family: create a table
CREATE TABLE t (id bigint PRIMARY KEY, name text DEFAULT 'a', size varchar(20));
CREATE TABLE t (id bigint PRIMARY KEY, name text DEFAULT 'b', size varchar(40));

-- family: create a temporary table
CREATE TEMPORARY TABLE scratch_1 (id bigint);
CREATE TEMP TABLE scratch_99 (id bigint);

-- family: read a temporary table
SELECT id FROM tmp_batch_1 WHERE id > 1;
SELECT id FROM tmp_batch_2 WHERE id > 7;
SELECT id FROM pg_temp_3.tmp_batch_31 WHERE id > 7;

-- family: write a temporary table
INSERT INTO temp_ids_11 (id) VALUES (1), (2);
INSERT INTO temp_ids_12 (id) VALUES (1);

-- family: create an index
CREATE INDEX CONCURRENTLY i ON ci_pending_builds (created_at) WHERE protected = true;
CREATE INDEX CONCURRENTLY i ON ci_pending_builds (created_at) WHERE protected = false;

-- family: create an index, blocking
CREATE INDEX i ON ci_pending_builds (created_at) WHERE protected = true;

-- family: drop an index
DROP INDEX CONCURRENTLY i;

-- family: add a column
ALTER TABLE p_ci_builds ADD COLUMN note text DEFAULT 'x';
ALTER TABLE p_ci_builds ADD COLUMN note text DEFAULT 'y';

-- family: drop a column
ALTER TABLE p_ci_builds DROP COLUMN note;

-- family: set statistics
ALTER TABLE p_ci_builds ALTER COLUMN status SET STATISTICS 1000;
ALTER TABLE p_ci_builds ALTER COLUMN status SET STATISTICS 500;

-- family: set options
ALTER TABLE ci_pending_builds SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE ci_pending_builds SET (autovacuum_vacuum_scale_factor = 0.02);

-- family: password
ALTER ROLE ci PASSWORD 'a';
ALTER ROLE ci PASSWORD 'b';
ALTER ROLE ci PASSWORD $1;

-- family: block
DO $$ BEGIN PERFORM 1; END $$;
DO $x$ BEGIN PERFORM 2; END $x$;

-- family: call
CALL sweep(100);
CALL sweep(200);

-- family: comment on
COMMENT ON TABLE ci_pending_builds IS 'a';
COMMENT ON TABLE ci_pending_builds IS 'b';

-- family: nothing but a constant
SELECT 1;
SELECT 2;
SELECT 'a';
SELECT $1;
SELECT -1;
SELECT NULL;
SELECT true;
SELECT 1 AS one;

-- family: two constants
SELECT 1, 2;

-- family: a cast constant
SELECT '1'::int;
SELECT $1::int;

-- family: a cast constant of another type
SELECT '1'::bigint;

-- family: a typed constant
SELECT date '2026-01-01';
SELECT date $1;

-- family: a sum
SELECT a + 1 FROM t;
SELECT a + 17 FROM t;

-- family: a difference
SELECT a - 1 FROM t;
SELECT a -1 FROM t;

-- family: a negated column
SELECT -a FROM t;

-- family: equal to a negative number
SELECT a FROM t WHERE b = -1;
SELECT a FROM t WHERE b = 1;
SELECT a FROM t WHERE b = $1;

-- family: unequal
SELECT a FROM t WHERE b <> 1;
SELECT a FROM t WHERE b != 1;

-- family: less
SELECT a FROM t WHERE b < 1;

-- family: less or equal
SELECT a FROM t WHERE b <= 1;

-- family: distinct from
SELECT a FROM t WHERE b IS DISTINCT FROM 1;

-- family: not distinct from
SELECT a FROM t WHERE b IS NOT DISTINCT FROM 1;

-- family: not equal by NOT
SELECT a FROM t WHERE NOT b = 1;

-- family: both
SELECT a FROM t WHERE b = 1 AND c = 2;

-- family: either
SELECT a FROM t WHERE b = 1 OR c = 2;

-- family: chain of OR
SELECT a FROM t WHERE b = 1 OR b = 2;
SELECT a FROM t WHERE b = 1 OR b = 2 OR b = 3 OR b = 4;

-- family: another table
SELECT a FROM u WHERE b = 1;

-- family: another schema
SELECT a FROM s.t WHERE b = 1;

-- family: quoted mixed case
SELECT "Id" FROM "Builds" WHERE "Status" = 'x';
SELECT b."Id" FROM "Builds" AS b WHERE "Status" = 'y';
