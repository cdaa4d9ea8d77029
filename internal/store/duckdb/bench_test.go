package duckdb_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
	"github.com/pgvigil/pgvigil/internal/store/storetest"
)

func BenchmarkHistory(b *testing.B) {
	var path string
	place := func(t testing.TB) storetest.Place {
		path = filepath.Join(t.TempDir(), "history.duckdb")
		return func(t testing.TB, o store.Options) store.History {
			h, err := duckdb.Open(t.Context(), path, duckdb.Options{Options: o})
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
	}
	storetest.Bench(b, place, func() int64 {
		total := int64(0)
		for _, name := range []string{path, path + ".wal"} {
			if info, err := os.Stat(name); err == nil {
				total += info.Size()
			}
		}
		return total
	})
}
