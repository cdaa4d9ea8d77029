package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
)

// TestTargetsCarryTheLabelsOfTheConfiguration, which the history does not keep.
func TestTargetsCarryTheLabelsOfTheConfiguration(t *testing.T) {
	h, err := duckdb.Open(t.Context(), filepath.Join(t.TempDir(), "h.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	for i, name := range []string{"ci", "forgotten"} {
		at := time.Now().UTC()
		snap := &pgvigil.Snapshot{Server: pgvigil.Server{Target: name, SystemID: pgvigil.SystemID(i + 1), Version: 180000, PostmasterStart: at}, At: at, Clock: at}
		if _, err := h.Record(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
	cfg := &config.Config{Targets: map[string]config.Target{"ci": {Labels: map[string]string{"owner": "ci-platform"}}}}
	list, err := newApp(cfg, newWatcher(h, quietLog(), watchOptions{}), quietLog()).Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]string{}
	for _, s := range list {
		got[s.Server.Target] = s.Labels
	}
	want := map[string]map[string]string{"ci": {"owner": "ci-platform"}, "forgotten": nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels differ (-want +got):\n%s", diff)
	}
}
