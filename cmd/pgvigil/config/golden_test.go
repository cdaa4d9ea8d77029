package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files made from the Config struct")

func TestFilesMadeFromTheStructAreFresh(t *testing.T) {
	made := map[string]func(*bytes.Buffer) error{
		"../../../docs/configuration.md": func(b *bytes.Buffer) error { return Reference(b) },
		"../../../docs/config.schema.json": func(b *bytes.Buffer) error {
			s, err := Schema()
			b.Write(s)
			return err
		},
		"testdata/starter.yaml": func(b *bytes.Buffer) error { return Init(b) },
	}
	for path, make := range made {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var b bytes.Buffer
			if err := make(&b); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(b.String(), string(got)); diff != "" {
				t.Errorf("%s is stale; run go test ./cmd/pgvigil/config -update (-made +file):\n%s", path, diff)
			}
		})
	}
}

func TestStarterFileLoads(t *testing.T) {
	c, err := Load("testdata/starter.yaml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.TargetNames(); !cmp.Equal(got, []string{"ci"}) {
		t.Errorf("targets of the starter file = %v; want ci", got)
	}
}
