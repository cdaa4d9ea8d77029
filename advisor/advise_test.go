package advisor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor"
	"github.com/pgvigil/pgvigil/query"
)

// described makes work of a statement's text, as the collector does.
func described(sql string) advisor.Work {
	return advisor.Work{Query: query.Describe(sql, query.Options{}), Text: sql, Weight: 100}
}

func TestEachCIShapeGetsAFittingIndex(t *testing.T) {
	tests := map[string]struct{ sql, want string }{
		"a keyset page": {
			"SELECT * FROM ci.pipelines WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT 20",
			"(project_id, id)",
		},
		"live states of a tenant": {
			"SELECT * FROM ci.pipelines WHERE project_id = $1 AND status IN ('running', 'pending')",
			"(project_id) WHERE status IN ('pending', 'running')",
		},
		"live states of a tenant, all parameters": {
			"SELECT * FROM ci.pipelines WHERE project_id = $1 AND status IN ($2)",
			"(project_id",
		},
		"the queue pick": {
			"SELECT id FROM ci.queue WHERE status = 'pending' AND runner_id IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
			"(id) WHERE",
		},
		"the queue pick, all parameters": {
			"SELECT id FROM ci.queue WHERE status = $1 AND runner_id IS NULL ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED",
			"(status, created_at) WHERE runner_id IS NULL",
		},
		"the expiry sweep": {
			"SELECT id FROM ci.artifacts WHERE expire_at < $1 AND locked = 0 ORDER BY expire_at LIMIT 100",
			"(expire_at) WHERE locked = 0",
		},
		"the expiry sweep, all parameters": {
			"SELECT id FROM ci.artifacts WHERE expire_at < $1 AND locked = $2 ORDER BY expire_at LIMIT $3",
			"(locked, expire_at)",
		},
		"the latest per ref": {
			"SELECT id FROM ci.pipelines WHERE project_id = $1 AND ref = $2 ORDER BY id DESC LIMIT 1",
			"(project_id, ref, id)",
		},
		"does any exist": {
			"SELECT 1 FROM ci.queue q WHERE EXISTS (SELECT 1 FROM ci.artifacts a WHERE a.job_id = q.build_id AND a.file_type = $1) AND q.id = $2",
			"(job_id",
		},
		"a count with a limit": {
			"SELECT count(*) FROM (SELECT 1 FROM ci.queue WHERE project_id = $1 AND protected LIMIT 101) x",
			"project_id",
		},
		"a batch by id with a rare predicate": {
			"SELECT id FROM ci.jobs WHERE partition_id = $1 AND id >= $2 AND id < $3 AND NOT processed ORDER BY id LIMIT 1000",
			"ON ONLY ci.jobs (id) WHERE NOT processed",
		},
		"a preload of a list": {
			"SELECT * FROM ci.artifacts WHERE partition_id = $1 AND job_id IN ($2, $3, $4)",
			"(job_id",
		},
		"a preload of an array": {
			"SELECT * FROM ci.artifacts WHERE job_id = ANY ($1)",
			"(job_id)",
		},
		"jobs of a pipeline over partitions": {
			"SELECT * FROM ci.jobs WHERE pipeline_id = $1 AND partition_id = $2 ORDER BY id LIMIT 50",
			"ON ONLY ci.jobs (pipeline_id",
		},
		"a busy runner over all partitions": {
			"SELECT 1 FROM ci.jobs WHERE runner_id = $1 AND status IN ('running', 'pending') LIMIT 1",
			"ON ONLY ci.jobs (runner_id) WHERE status IN ('pending', 'running')",
		},
		"a status transition": {
			"UPDATE ci.queue SET status = $1, runner_id = $2 WHERE build_id = $3 AND status = $4",
			"(build_id",
		},
		"a partial index for the second table of a join": {
			"SELECT q.id FROM ci.runners r JOIN ci.queue q ON q.runner_id = r.id WHERE r.id = $1 AND q.status = 'pending'",
			"ON ci.queue (runner_id) WHERE status = 'pending'",
		},
		"an address in any case": {
			"SELECT * FROM ci.runners WHERE lower(email) = $1",
			"(lower(email))",
		},
		"either of two columns": {
			"SELECT * FROM ci.runners WHERE token = $1 OR email = $2",
			"(token)",
		},
	}
	w := withHypoPG(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := advisor.New(advisor.Options{Now: func() time.Time { return time.Time{} }}).Advise(t.Context(), advisor.Request{
				Target: "ci", Database: "ci", Catalog: w.read, Work: []advisor.Work{described(tt.sql)}, Judge: w.judge,
			})
			check(t, err)
			if len(got.Proposals) == 0 {
				t.Fatalf("no proposal; warnings %v", got.Warnings)
			}
			p := got.Proposals[0]
			ddl := ""
			for _, p := range got.Proposals {
				ddl += oneLine(p.Steps) + "\n"
			}
			if p.Evidence.Verdict != pgvigil.Verified || !strings.Contains(ddl, tt.want) {
				t.Errorf("%s\n%s\nwant %q\n%s", p.Evidence.Verdict, ddl, tt.want, p.Prose)
			}
		})
	}
}

func TestWhatHypoPGCannotHoldIsProposedUnverifiedOrProvedOnScratch(t *testing.T) {
	tests := map[string]struct{ sql, want string }{
		"tags of a runner": {"SELECT id FROM ci.queue WHERE tag_ids @> $1", "USING gin (tag_ids)"},
		"a search":         {"SELECT id FROM ci.runners WHERE description ILIKE $1", "USING gin (description gin_trgm_ops)"},
	}
	w := withHypoPG(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := advise(t, w, advisor.Options{}, described(tt.sql))
			if len(got.Proposals) != 1 || got.Proposals[0].Evidence.Verdict != pgvigil.Unverified || !strings.Contains(oneLine(got.Proposals[0].Steps), tt.want) {
				t.Errorf("proposals %+v; want an unverified %s", got.Proposals, tt.want)
			}
		})
	}
}
