package postgres_test

import (
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/postgres"
	"github.com/pgvigil/pgvigil/internal/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestContract(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, s *pgserver.Server) {
		storetest.Run(t, func(t testing.TB) storetest.Place { return place(pgtest.Database(t, s)) })
	})
}

// place is a database of the test's own.
func place(dsn string) storetest.Place {
	return func(t testing.TB, o store.Options) store.History {
		t.Helper()
		h, err := postgres.Open(t.Context(), pgvigil.Secret(dsn), postgres.Options{Options: o})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
}
