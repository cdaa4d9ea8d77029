package query_test

import (
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil/query"
)

const queuePick = `/*application:web,endpoint_id:POST /api/:version/jobs/request,db_config_name:ci*/ WITH project_builds AS MATERIALIZED
	(SELECT project_id, count(*) AS running_builds FROM ci_running_builds WHERE runner_type = 1 GROUP BY project_id)
	SELECT p.build_id, p.partition_id FROM ci_pending_builds p LEFT JOIN project_builds r ON r.project_id = p.project_id
	WHERE p.protected = FALSE AND p.tag_ids <@ '{1,2,3}'::int[] ORDER BY coalesce(r.running_builds, 0), p.build_id LIMIT 45`

// BenchmarkDescribe measures what one new statement costs the collector.
func BenchmarkDescribe(b *testing.B) {
	ids := strings.TrimSuffix(strings.Repeat("123456,", 10_000), ",")
	texts := map[string]string{
		"short":         "SELECT * FROM p_ci_builds WHERE id = $1 AND partition_id = $2 LIMIT 1",
		"queue":         queuePick,
		"in list 10000": "SELECT * FROM p_ci_builds WHERE id IN (" + ids + ")",
		"literal 1 MB":  "SELECT * FROM t WHERE a = '" + strings.Repeat("x", 1<<20) + "'",
		"chain 1 MB":    chains["plus"](1 << 20),
	}
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				query.Describe(text, query.Options{})
			}
		})
	}
}
