package duckdb_test

import (
	"path/filepath"
	"testing"

	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
	"github.com/pgvigil/pgvigil/internal/store/storetest"
)

func TestContract(t *testing.T) { storetest.Run(t, place) }

// place is a file in a directory of the test's own.
func place(t testing.TB) storetest.Place {
	path := filepath.Join(t.TempDir(), "history.duckdb")
	return func(t testing.TB, o store.Options) store.History {
		t.Helper()
		h, err := duckdb.Open(t.Context(), path, duckdb.Options{Options: o})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
}
