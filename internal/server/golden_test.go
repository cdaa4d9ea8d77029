package server_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil/internal/server"
)

var update = flag.Bool("update", false, "rewrite docs/openapi.json")

func TestOpenAPIIsFresh(t *testing.T) {
	const path = "../../docs/openapi.json"
	got, err := server.New(nil, server.Options{Version: "1"}).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is stale; run go test ./internal/server -update (-file +made):\n%s", path, diff)
	}
}
