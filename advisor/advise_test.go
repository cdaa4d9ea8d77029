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
	tests := map[string]struct {
		sql  string
		want string // in the DDL
	}{
		"a keyset page": {
			"SELECT * FROM ci.pipelines WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT 20",
			"(project_id, id)",
		},
		"live states of a tenant": {
			"SELECT * FROM ci.pipelines WHERE project_id = $1 AND status IN ('running', 'pending')",
			"(project_id) WHERE status IN ('pending', 'running')",
		},
		"the queue pick": {
			"SELECT id FROM ci.queue WHERE status = 'pending' AND runner_id IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
			"(id) WHERE",
		},
		"the expiry sweep": {
			"SELECT id FROM ci.artifacts WHERE expire_at < $1 AND locked = 0 ORDER BY expire_at LIMIT 100",
			"(expire_at) WHERE locked = 0",
		},
		"the latest per ref": {
			"SELECT id FROM ci.pipelines WHERE project_id = $1 AND ref = $2 ORDER BY id DESC LIMIT 1",
			"(project_id, ref, id)",
		},
		"a preload of a list": {
			"SELECT * FROM ci.artifacts WHERE partition_id = $1 AND job_id IN ($2, $3, $4)",
			"(job_id",
		},
		"jobs of a pipeline over partitions": {
			"SELECT * FROM ci.jobs WHERE pipeline_id = $1 AND partition_id = $2 ORDER BY id LIMIT 50",
			"ON ONLY ci.jobs (pipeline_id",
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
			ddl := oneLine(p.Steps)
			if p.Evidence.Verdict != pgvigil.Verified || !strings.Contains(ddl, tt.want) {
				t.Errorf("%s\n%s\nwant %q\n%s", p.Evidence.Verdict, ddl, tt.want, p.Prose)
			}
			t.Log(ddl, "\n", p.Prose)
			if _, err := w.conn.Exec(t.Context(), "SELECT 1"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
