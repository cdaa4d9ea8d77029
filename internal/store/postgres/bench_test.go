package postgres_test

import (
	"testing"

	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/internal/store/storetest"
)

func BenchmarkHistory(b *testing.B) {
	s := pgtest.Server(b, pgtest.Majors[len(pgtest.Majors)-1])
	var dsn string
	place := func(t testing.TB) storetest.Place {
		dsn = pgtest.Database(t, s)
		return place(dsn)
	}
	storetest.Bench(b, place, func() int64 {
		var n int64
		row := pgtest.Connect(b, dsn).QueryRow(b.Context(), "SELECT pg_database_size(current_database()) - 8000000")
		if err := row.Scan(&n); err != nil {
			b.Fatal(err)
		}
		return n
	})
}
