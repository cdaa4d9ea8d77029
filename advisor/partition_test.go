package advisor_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor"
	"github.com/pgvigil/pgvigil/advisor/partition"
	"github.com/pgvigil/pgvigil/advisor/whatif"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

const logsSQL = `
CREATE TABLE "Job logs" (id bigint PRIMARY KEY, "order" text, created_at timestamptz NOT NULL, body text DEFAULT 'x');
CREATE INDEX ON "Job logs" (created_at);
CREATE INDEX "odd ""name" ON "Job logs" ("order") WHERE body IS NOT NULL;
INSERT INTO "Job logs" SELECT g, g::text, '2026-01-01'::timestamptz + g * interval '1 minute' FROM generate_series(1, 20000) g;
DELETE FROM "Job logs" WHERE created_at < '2026-01-05';
ANALYZE "Job logs";
CREATE TABLE traces (id bigint PRIMARY KEY, shard int NOT NULL, body text);
INSERT INTO traces SELECT g, 1 + g % 3, 'x' FROM generate_series(1, 9000) g;
ANALYZE traces;`

// propose returns the partitioning proposals for some statements.
func propose(t *testing.T, read pgvigil.DatabaseRead, judge whatif.Judge, work ...string) []pgvigil.Proposal {
	t.Helper()
	r := advisor.Request{
		Target: "ci", Catalog: read, Judge: judge,
		Partition: partition.Thresholds{MinBytes: 1, MinShare: 0.5, MinRetention: 0.2},
	}
	for _, sql := range work {
		r.Work = append(r.Work, described(sql))
	}
	at := time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)
	got, err := advisor.New(advisor.Options{Now: func() time.Time { return at }}).Advise(t.Context(), r)
	check(t, err)
	var out []pgvigil.Proposal
	for _, p := range got.Proposals {
		if p.Kind == pgvigil.ProposePartition {
			out = append(out, p)
		}
	}
	return out
}

// run executes steps as a person would, with the session's own settings.
func run(t *testing.T, conn *pgx.Conn, steps []pgvigil.Step) {
	t.Helper()
	for i, s := range steps {
		if _, err := conn.Exec(context.Background(), s.SQL, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("step %d: %v\n%s", i+1, err, s.SQL)
		}
	}
}

func count(t *testing.T, conn *pgx.Conn, table string) (n int) {
	t.Helper()
	check(t, conn.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

func TestAPartitioningPlanRunsAndKeepsEveryRow(t *testing.T) {
	tests := map[string]struct {
		table, insert, wantKey string
		work                   []string
	}{
		"by time, with hostile names": {
			`"Job logs"`, `INSERT INTO "Job logs" (id, created_at) VALUES (900001, '2026-02-02'), (900002, '2026-03-03')`, "created_at",
			[]string{
				`DELETE FROM "Job logs" WHERE created_at < $1`,
				`SELECT * FROM "Job logs" WHERE created_at > $1 AND "order" = $2`,
				`SELECT * FROM "Job logs" WHERE "order" = $1`,
			},
		},
		"by a list of few numbers": {
			"traces", "INSERT INTO traces VALUES (900001, 1, 'y'), (900002, 4, 'z')", "shard",
			[]string{"SELECT * FROM traces WHERE shard = $1 AND id = $2", "SELECT count(*) FROM traces WHERE shard = $1"},
		},
	}
	pgtest.Each(t, func(t *testing.T, s *pgserver.Server) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				dsn := pgtest.Database(t, s)
				pgtest.Exec(t, dsn, logsSQL)
				conn := pgtest.Connect(t, dsn)
				judge, err := whatif.NewScratch(t.Context(), pgvigil.Secret(dsn), nil, whatif.Options{})
				check(t, err)
				got := propose(t, readCatalog(t, conn), judge, tt.work...)
				check(t, judge.Close(t.Context()))
				if len(got) != 1 || got[0].Columns[0] != tt.wantKey {
					t.Fatalf("got %d proposals: %+v", len(got), got)
				}
				before := count(t, conn, tt.table)
				run(t, conn, got[0].Steps)
				if n := count(t, conn, tt.table); n != before {
					t.Errorf("%d rows after the plan; want %d", n, before)
				}
				pgtest.Exec(t, dsn, tt.insert)
				var parts, invalid int
				check(t, conn.QueryRow(t.Context(), `SELECT count(DISTINCT tableoid) FROM `+tt.table).Scan(&parts))
				check(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_index WHERE NOT indisvalid`).Scan(&invalid))
				if parts != 2 || invalid != 0 {
					t.Errorf("%d partitions hold rows, %d indexes are invalid; want 2 and 0", parts, invalid)
				}
				run(t, conn, got[0].Undo)
				if n := count(t, conn, tt.table); n != before+2 {
					t.Errorf("%d rows after undo; want %d", n, before+2)
				}
			})
		}
	})
}

func TestATableThatDoesNotAskIsLeftAlone(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		dsn := pgtest.Database(t, s)
		pgtest.Exec(t, dsn, logsSQL)
		got := propose(t, readCatalog(t, pgtest.Connect(t, dsn)), nil,
			`SELECT * FROM "Job logs" WHERE "order" = $1`, "SELECT * FROM traces WHERE body = $1")
		for _, p := range got {
			t.Errorf("proposed %s", strings.Join(append([]string{p.Table}, p.Columns...), " "))
		}
	})
}
