package duckdb_test

import (
	"path/filepath"
	"testing"

	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
	"github.com/pgvigil/pgvigil/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB, o store.Options) store.History {
		return open(t, filepath.Join(t.TempDir(), "history.duckdb"), o)
	})
}

func open(t testing.TB, path string, o store.Options) store.History {
	t.Helper()
	h, err := duckdb.Open(t.Context(), path, duckdb.Options{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}
